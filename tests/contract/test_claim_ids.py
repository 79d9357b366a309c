"""Claiming jobs by their ids: these and no others, under the same rules."""

import threading

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus.store import ClaimFilter


def take(bench, *ids, worker="w1", limit=100, store=None, names=None, grace=None):
    """The ids of those that were claimed of some jobs."""
    wanted = ClaimFilter(worker, None, names, grace, ids)
    return [job.id for job in (store or bench.store).claim(wanted, limit, 30.0)]


def test_only_those_are_claimed_that_are_asked_for(bench):
    """In whatever queue they are, private ones too; once."""
    bench.add()
    mine, private = bench.add(queue="a"), bench.add(queue="_own")
    bench.add()

    assert [mine.id, private.id] == take(bench, private.id, mine.id)
    assert [] == take(bench, private.id, mine.id)
    assert (1, "w1", "running") == (
        bench.store.get(mine.id).attempt,
        bench.store.get(mine.id).worker,
        bench.state(mine),
    )


def test_they_are_claimed_in_their_order(bench):
    """By priority, and then as they were added; and no more than so many."""
    low, high, also = bench.add(priority=-1), bench.add(priority=5), bench.add()

    assert [high.id, also.id] == take(bench, low.id, also.id, high.id, high.id, limit=2)
    assert [low.id] == take(bench, low.id, also.id, high.id, limit=2)


def test_a_job_that_waits_for_its_retry_is_due(bench):
    """Who asks for it has waited; one that waits for anything else is not."""
    kinds = {how: bench.ended(how) for how in ("retried", "snoozed")}
    later = bench.add(delay=60.0)

    assert [kinds["retried"].id] == take(bench, later.id, kinds["snoozed"].id, kinds["retried"].id)
    bench.clock.advance(60.0)
    assert [later.id] == take(bench, later.id)


def test_a_job_that_failed_and_then_asked_for_later_waits(bench):
    """It is its task that has asked, and not its policy."""
    job = bench.ended("retried")
    [taken] = bench.store.claim(ClaimFilter("w1", ids=[job.id]), 1, 30.0)
    bench.store.settle([OUTCOMES["snoozed"](taken)])

    assert [] == take(bench, job.id)
    bench.clock.advance(10.0)
    assert [job.id] == take(bench, job.id)


def test_a_job_that_was_lost_again_and_again_waits(bench):
    """Whoever asks for it might be the next to die."""
    job = bench.running()
    bench.store.settle([OUTCOMES["lost"](job)])
    [job] = bench.claim()
    bench.store.settle([OUTCOMES["lost"](job)])

    assert [] == take(bench, job.id)
    bench.clock.advance(4.0)
    assert [job.id] == take(bench, job.id)


@pytest.mark.parametrize("how", ["succeeded", "failed", "dead", "cancelled", "skipped"])
def test_a_job_that_has_ended_is_not_claimed(bench, how):
    """Nor is one that runs, waits for others, or is not there."""
    run = bench.add_run({"a": [], "b": ["a"]})

    assert [] == take(bench, bench.ended(how).id, bench.running().id, run["b"], job_id(999), "x")
    assert [run["a"]] == take(bench, *run.values())


def test_a_paused_queue_holds_them(bench):
    """Though they are asked for."""
    job = bench.add(queue="_own")
    bench.store.pause(["_own"], paused=True)
    assert [] == take(bench, job.id)
    bench.store.pause(["_own"], paused=False)

    assert [job.id] == take(bench, job.id)


def test_a_limit_holds_them(bench):
    """Those that are claimed together, and those that run already."""
    jobs = [bench.add(limit_key="k", limit_to=2).id for _ in range(4)]
    free = bench.add().id

    assert [*jobs[:2], free] == take(bench, *jobs, free)
    assert [] == take(bench, *jobs)
    assert [] == take(bench, jobs[3])
    bench.store.settle([OUTCOMES["succeeded"](bench.store.get(jobs[0]))])
    assert [jobs[3]] == take(bench, jobs[3])


def test_a_rate_holds_them_and_counts_them(bench):
    """In the order of starts, also of those that are claimed by their queue."""
    jobs = [bench.add(limit_key="k", rate_to=2, rate_per=60.0).id for _ in range(5)]

    assert jobs[:2] == take(bench, *jobs[:3])
    assert [] == take(bench, jobs[2])
    assert [] == bench.claim()
    bench.clock.advance(60.0)
    assert [jobs[4]] == take(bench, jobs[4])
    assert [jobs[2]] == [job.id for job in bench.claim()]


def test_a_job_that_was_lost_twice_is_taken_alone_of_its_kind(bench):
    """By a worker that runs no other such job."""
    jobs = bench.add_many(2)
    for _ in range(2):
        claimed = take(bench, *[job.id for job in jobs])
        held = [bench.store.get(job) for job in claimed]
        bench.store.settle([OUTCOMES["lost"](job) for job in held])
        bench.clock.advance(10.0)
    [first, second] = [job.id for job in jobs]

    assert [first] == take(bench, first, second)
    assert [] == take(bench, second)
    assert [second] == take(bench, second, worker="w2")


def test_a_task_that_is_not_known_is_left_for_a_while(bench):
    """Where names are given, as in any claim."""
    job = bench.add("unknown")

    assert [] == take(bench, job.id, names=["t"], grace=60.0)
    bench.clock.advance(60.0)
    assert [job.id] == take(bench, job.id, names=["t"], grace=60.0)


@pytest.mark.parametrize("limits", [{}, {"limit_key": "k", "limit_to": 1}])
def test_one_of_many_who_ask_for_a_job_gets_it(shared, limits):
    """At the same time, with a limit and without."""
    stores = [shared.store, shared.open_another()]
    for _ in range(10):
        job = shared.add(**limits)
        start, got = threading.Barrier(8), []

        def ask(number, job=job, start=start, got=got):
            start.wait()
            got.extend(take(shared, job.id, worker=f"w{number}", store=stores[number % 2]))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join(60) for thread in threads]
        assert [job.id] == got
        assert 1 == shared.store.get(job.id).attempt
        shared.store.settle([OUTCOMES["succeeded"](shared.store.get(job.id))])
