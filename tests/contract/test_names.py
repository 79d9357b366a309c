"""claim: a worker that says what it knows leaves the rest to others, unless nobody knows it."""

import pytest

from contract.test_wait import waiting
from contract.workbench import OUTCOMES

GRACE = 60.0


def claimed(bench, **how):
    """The tasks of the jobs that a worker gets which knows only `old`."""
    return [job.task for job in bench.claim(**{"names": ["old"], "grace": GRACE} | how)]


def test_a_job_of_another_name_is_left_while_the_grace_lasts(bench):
    """And not a microsecond longer."""
    bench.add("new")
    bench.clock.advance(59.999999)
    assert [] == claimed(bench)

    bench.clock.advance(0.000001)
    assert ["new"] == claimed(bench)


def test_without_a_grace_it_is_left_for_ever(bench):
    """None is no grace at all, not one of no length."""
    bench.add("new")
    bench.clock.advance(1_000_000)

    assert [] == claimed(bench, grace=None)
    assert ["new"] == claimed(bench, grace=0.0)


def test_what_is_left_holds_nobody_up(bench):
    """However much of it there is, however urgent."""
    for number in range(50):
        bench.add("new", priority=9, queue=f"q{number % 2}")
    bench.add("old", queue="q0")

    assert ["old"] == claimed(bench, limit=1)


def test_the_grace_begins_when_a_job_is_due(bench):
    """A job that was enqueued for later has not waited for anybody before."""
    bench.add("new", delay=100.0)
    bench.clock.advance(130)
    assert [] == claimed(bench)

    bench.clock.advance(30)
    assert ["new"] == claimed(bench)


def test_a_live_worker_that_knows_the_name_keeps_its_job(bench):
    """However long it takes to get round to it."""
    bench.store.extend([], 1000.0, bench.worker("newer", names=("old", "new")))
    bench.add("new")
    bench.clock.advance(900)
    assert [] == claimed(bench)

    assert ["new"] == [job.task for job in bench.claim(names=["new"], worker="newer")]


@pytest.mark.parametrize("how", ["its lease is over", "it took its leave"])
def test_a_worker_that_is_gone_keeps_nothing(bench, how):
    """What it knew is known to nobody now."""
    newer = bench.worker("newer", names=("new",))
    bench.store.extend([], 30.0, newer)
    bench.add("new")
    if how == "it took its leave":
        bench.store.extend([], 0.0, newer)
    bench.clock.advance(GRACE)

    assert ["new"] == claimed(bench)


def test_workers_that_know_other_names_keep_nothing(bench):
    """Nor those that do not tell what they know."""
    bench.store.extend([], 1000.0, bench.worker("w1", names=("old",)))
    bench.store.extend([], 1000.0, bench.worker("w2"))
    bench.store.extend([], 1000.0, bench.worker("w3", names=()))
    bench.add("new")
    bench.clock.advance(GRACE)

    assert ["new"] == claimed(bench)


def test_a_job_that_nobody_knows_keeps_to_every_other_rule(bench):
    """Queues, pauses and limits hold for it."""
    bench.add_many(2, task="new", queue="x", limit_key="k", limit_to=1)
    bench.clock.advance(GRACE)
    assert [] == claimed(bench, queues=["y"])
    bench.store.pause(["x"], paused=True)
    assert [] == claimed(bench)

    bench.store.pause(["x"], paused=False)
    assert ["new"] == claimed(bench)
    assert [] == claimed(bench)


def test_a_job_that_was_lost_twice_waits_for_who_knows_it(bench):
    """It is claimed in another way, by the same rule."""
    job = bench.add("new")
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(10)
    assert [] == claimed(bench)

    bench.clock.advance(GRACE)
    assert [job.id] == [j.id for j in bench.claim(names=["old"], grace=GRACE)]


def test_one_claim_is_enough_to_give_it_up(bench):
    """The worker that took it says that the task is unknown, and that is its end."""
    bench.add("new")
    bench.clock.advance(GRACE)
    [job] = bench.claim(names=["old"], grace=GRACE)
    bench.store.settle([OUTCOMES["dead"](job)])

    assert ("dead", 1) == (bench.state(job), bench.store.get(job.id).attempt)


def test_a_worker_tells_what_it_knows(bench):
    """And tells it anew with each renewal."""
    bench.store.extend([], 30.0, bench.worker("w1", names=("a", "b.c")))
    bench.store.extend([], 30.0, bench.worker("w2"))
    assert {"w1": ("a", "b.c"), "w2": None} == {
        worker.name: worker.names for worker in bench.store.fleet().workers
    }

    bench.store.extend([], 30.0, bench.worker("w1", names=("a",)))
    assert {"w1": ("a",), "w2": None} == {
        worker.name: worker.names for worker in bench.store.fleet().workers
    }


def test_what_would_be_left_is_no_work(bench):
    """Nobody is woken for it, until the grace is over."""
    bench.add("new")
    how = {"names": ["old"], "grace": GRACE}
    assert bench.wait(0.05, **how) is False
    bench.clock.advance(GRACE)
    assert bench.wait(30.0, **how) is True
    claimed(bench)

    bench.add("old")
    assert bench.wait(30.0, **how) is True


def test_who_waits_is_woken_when_the_grace_is_over(bench):
    """Though nothing has happened."""
    bench.add("new")
    thread, answers = waiting(bench, names=["old"], grace=GRACE)
    bench.clock.advance(GRACE)
    thread.join(20)

    assert [True] == answers


def test_a_second_suspect_is_no_work_for_who_runs_the_first(bench):
    """A worker gets one of them at a time, and is not told of the other meanwhile."""
    bench.add_many(2)
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(60)
    assert 1 == len(bench.claim(worker="w1"))

    assert bench.wait(0.05, worker="w1") is False
    assert bench.wait(30.0, worker="w2") is True


def test_a_private_queue_is_for_a_worker_that_names_it(bench):
    """Whatever else it serves, and whatever the worker knows: nobody else gets its jobs."""
    bench.add("old", queue="_own")

    assert [] == claimed(bench)
    assert [] == claimed(bench, queues=["own", "default"])
    assert [] == claimed(bench, names=None)
    assert ["old"] == claimed(bench, queues=["default", "_own"])


def test_a_private_queue_keeps_a_name_that_nobody_knows_any_more(bench):
    """The grace is over for a worker that serves the queue, and for no other."""
    bench.add("new", queue="_own")
    bench.clock.advance(GRACE)

    assert [] == claimed(bench)
    assert ["new"] == claimed(bench, queues=["_own"])
