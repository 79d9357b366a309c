"""Stopping: SIGTERM lets jobs finish, the deadline gives them back, a second signal hurries."""

import signal
import time

import pytest

from crash.stores import on_both


def stop(worker, seconds, *signals):
    """Send signals, and give the exit code and how long it took."""
    begun = time.monotonic()
    for number in signals:
        worker.send_signal(number)
    return worker.wait(seconds), time.monotonic() - begun


@pytest.mark.parametrize("task", ["work", "awork"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_jobs_finish(factory, task, number):
    """And claims no more; exit code 0."""
    factory.add(task, 6, seconds=0.5)
    worker = factory.start("--slots", "2", "--drain", "20")
    factory.began(2)
    code, _ = stop(worker, 20, number)
    states = factory.states()

    assert 0 == code
    assert {"succeeded", "queued"} == set(states)
    assert states["succeeded"] == sum(line[0] == "end" for line in factory.ledger())
    assert states["succeeded"] <= 4
    assert [] == factory.books()


@on_both
@pytest.mark.parametrize("task", ["work", "awork"])
def test_after_the_deadline_jobs_are_given_back(factory, task):
    """Without a penalty, to be run by somebody else."""
    jobs = factory.add(task, 2, seconds=60)
    worker = factory.start("--slots", "2", "--drain", "0.5")
    factory.began(2)
    code, took = stop(worker, 20, signal.SIGTERM)

    assert 0 == code
    assert took < 5
    for job in jobs:
        record = job.refresh().record
        assert ("queued", "shutdown", 0, 0, 1) == (
            record.state,
            record.reason,
            record.failures,
            record.losses,
            record.releases,
        )


def test_a_second_signal_gives_them_back_at_once(factory):
    """Whatever the time to drain."""
    [job] = factory.add("work", 1, seconds=60)
    worker = factory.start("--drain", "60")
    factory.began(1)
    worker.send_signal(signal.SIGTERM)
    factory.until(lambda: "stopping: waiting" in factory.logs())
    code, took = stop(worker, 20, signal.SIGTERM)

    assert (0, "queued") == (code, job.refresh().state)
    assert took < 5


def test_a_coroutine_may_clean_up(factory):
    """It is told by a cancellation."""
    factory.app.enqueue("polite")
    worker = factory.start("--drain", "0.2")
    factory.began(1)
    code, _ = stop(worker, 20, signal.SIGTERM)

    assert 0 == code
    assert any(line[0] == "cleaned" for line in factory.ledger())
    assert {"queued": 1} == factory.states()


def test_one_that_heeds_nothing_is_left_behind(factory):
    """The worker ends all the same."""
    factory.app.enqueue("stubborn")
    worker = factory.start("--drain", "0.2")
    factory.began(1)
    code, took = stop(worker, 20, signal.SIGTERM)

    assert 0 == code
    assert took < 5
    assert {"queued": 1} == factory.states()
    assert "did not stop" in factory.logs()


def test_an_idle_worker_stops_at_once(factory):
    """It waits for nothing."""
    worker = factory.start()
    factory.until(lambda: factory.app.store.fleet().workers)
    code, took = stop(worker, 20, signal.SIGTERM)

    assert 0 == code
    assert took < 3
    assert [] == factory.app.store.fleet().workers


@on_both
def test_jobs_that_were_claimed_ahead_are_given_back(factory):
    """A worker that takes short jobs in advance does not keep them."""
    factory.add("awork", 300, seconds=0)
    worker = factory.start("--slots", "2", "--drain", "20")
    factory.began(20)
    code, _ = stop(worker, 30, signal.SIGTERM)

    assert 0 == code
    assert 0 == factory.states()["running"]
    assert 300 == sum(factory.states().values())
    assert [] == factory.books()


@on_both
def test_killed_while_draining_nothing_is_lost(factory):
    """The rest is done by the next worker."""
    factory.add("work", 4, seconds=1.0)
    worker = factory.start("--slots", "4", "--drain", "30", lease=3)
    factory.began(4)
    worker.send_signal(signal.SIGTERM)
    factory.until(lambda: "stopping: waiting" in factory.logs())
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    factory.start("--slots", "4")
    factory.all_ended()

    assert {"succeeded": 4} == factory.states()
    assert [] == factory.books()
