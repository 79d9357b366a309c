"""wait: returns when there is work, or a job has ended, and at the timeout at the latest."""

import threading

import pytest

from contract.workbench import OUTCOMES


def waiting(bench, **how):
    """A thread that waits, and a list that its answer comes into."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(bench.wait(30.0, **how)))
    thread.start()
    return thread, answers


def test_it_returns_at_once_when_there_is_work(bench):
    """It looks before it sleeps."""
    bench.add()

    assert bench.wait(30.0) is True


def test_it_returns_at_the_timeout_when_there_is_none(bench):
    """False says that nothing came."""
    assert bench.wait(0.05) is False


def test_it_waits_only_for_its_queues(bench):
    """Work of another queue is none."""
    bench.add(queue="x")

    assert bench.wait(0.05, queues=["y"]) is False
    assert bench.wait(0.05, queues=["x", "y"]) is True


def test_paused_and_delayed_work_is_none(bench):
    """Not until it can be claimed."""
    bench.add(queue="x")
    bench.add(delay=60.0)
    bench.store.pause(["x"], paused=True)

    assert bench.wait(0.05) is False
    bench.clock.advance(61)
    assert bench.wait(0.05) is True


@pytest.mark.parametrize("how", ["add", "retry", "resume", "release"])
def test_it_is_woken_by_new_work(bench, how):
    """Whatever brings it."""
    ended = bench.ended("failed")
    bench.store.pause(["x"], paused=True)
    bench.add(queue="x")
    running = bench.running()
    thread, answers = waiting(bench)
    {
        "add": lambda: bench.add(),
        "retry": lambda: bench.store.retry([ended.id]),
        "resume": lambda: bench.store.pause(["x"], paused=False),
        "release": lambda: bench.store.rescue(worker=running.worker),
    }[how]()
    thread.join(20)

    assert [True] == answers


def test_it_is_woken_by_the_end_of_a_job(bench):
    """For those who wait for a result."""
    job = bench.running()
    thread, answers = waiting(bench, job=job.id)
    bench.store.settle([OUTCOMES["succeeded"](job)])
    thread.join(20)

    assert [True] == answers


def test_the_end_of_another_job_is_not_it(bench):
    """Only its own."""
    job, other = bench.running(), bench.running()
    bench.store.settle([OUTCOMES["succeeded"](other)])

    assert bench.wait(0.05, job=job.id) is False


def test_a_job_that_is_gone_has_ended(bench):
    """Nobody waits for ever for what was pruned."""
    assert bench.wait(30.0, job="nobody") is True


def test_it_returns_when_the_store_is_closed(bench):
    """False, because there is nothing to do any more."""
    thread, answers = waiting(bench)
    bench.store.close()
    thread.join(20)

    assert [False] == answers


def test_it_is_woken_when_a_key_has_room_again(bench):
    """The end of one job makes room for the next."""
    job = bench.running(limit_key="k", limit_to=1)
    bench.add(limit_key="k", limit_to=1)
    thread, answers = waiting(bench)
    bench.store.settle([OUTCOMES["succeeded"](job)])
    thread.join(20)

    assert [True] == answers


def test_it_is_woken_by_another_client(shared):
    """Through the file they share."""
    other = shared.open_another()
    thread, answers = waiting(shared)
    other.add([shared.new()])
    thread.join(20)

    assert [True] == answers
