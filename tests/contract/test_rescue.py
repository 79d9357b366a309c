"""rescue and release: take back what was lost, count the loss, give up after three."""

import json

import pytest

from contract.workbench import OUTCOMES, claims
from rotulus._jobs.outcome import MAX_LOSSES, read_error


def lose(bench, job_id):
    """Claim a job and let its lease run out."""
    bench.clock.advance(60)
    [job] = bench.claim(lease=1.0)
    assert job_id == job.id
    bench.clock.advance(2)
    [lost] = bench.store.rescue(10)
    return lost


def test_a_job_whose_lease_is_over_is_queued_again(bench):
    """At once, after its first loss; nothing is counted against the task."""
    job = bench.running()
    bench.clock.advance(31)
    [lost] = bench.store.rescue(10)

    assert (job.id, "queued", "lost", 1, 0) == (
        lost.id,
        lost.state,
        lost.reason,
        lost.losses,
        lost.failures,
    )
    assert lost == bench.store.get(job.id)._replace(history=None)


def test_the_lost_attempt_is_kept(bench):
    """With who had it."""
    job = bench.running()
    bench.clock.advance(31)
    bench.store.rescue(10)
    [[number, reason, worker, *_]] = json.loads(bench.store.get(job.id).history)

    assert (1, "lost", "w1") == (number, reason, worker)


def test_a_job_whose_lease_was_renewed_is_left(bench):
    """Renewing in time is all that a worker has to do."""
    job = bench.running()
    bench.clock.advance(29)
    bench.store.extend(claims([job]), 30.0)
    bench.clock.advance(29)

    assert [] == bench.store.rescue(10)


def test_only_running_jobs_are_rescued(bench):
    """What waits or has ended is left alone, for ever."""
    jobs = [bench.add(), bench.add(delay=9.0), bench.ended("failed"), bench.ended()]
    bench.clock.advance(10_000)

    assert [] == bench.store.rescue(10)
    assert 4 == len({job.id for job in jobs})


def test_the_second_loss_waits(bench):
    """A job that may have killed its worker does not kill the next one at once."""
    job = bench.add()
    lose(bench, job.id)
    second = lose(bench, job.id)

    assert "delayed" == second.state
    assert [] == bench.claim()


def test_a_job_that_is_lost_too_often_is_given_up(bench):
    """As dead(crash_loop), with its arguments."""
    job = bench.add(arguments='{"a":1}')
    for _ in range(MAX_LOSSES):
        last = lose(bench, job.id)

    assert ("dead", "crash_loop", MAX_LOSSES, MAX_LOSSES) == (
        last.state,
        last.reason,
        last.losses,
        last.attempt,
    )
    assert '{"a":1}' == last.arguments
    assert "WorkerLost" == read_error(last.error).type


def test_a_lost_job_that_somebody_cancelled_is_cancelled(bench):
    """Nobody wants it back."""
    job = bench.running()
    bench.store.cancel([job.id])
    bench.clock.advance(31)
    [lost] = bench.store.rescue(10)

    assert ("cancelled", "cancelled") == (lost.state, lost.reason)


def test_at_most_the_limit_is_rescued(bench):
    """The rest is taken by the next call."""
    bench.add_many(5)
    bench.claim()
    bench.clock.advance(31)

    assert [3, 2, 0] == [len(bench.store.rescue(3)) for _ in range(3)]


def test_rescuing_twice_counts_one_loss(bench):
    """It may be done by any number of processes."""
    job = bench.running()
    bench.clock.advance(31)
    bench.store.rescue(10)
    bench.store.rescue(10)

    assert 1 == bench.store.get(job.id).losses


def test_a_clock_that_is_set_does_not_end_a_lease(local):
    """On one machine leases run on a clock that nobody sets."""
    local.running()
    local.clock.set(local.clock.now().replace(year=2036))

    assert [] == local.store.rescue(10)


def test_a_released_worker_loses_all_its_jobs_at_once(bench):
    """And only its own."""
    bench.add_many(3)
    mine = bench.claim(2, worker="dead")
    [other] = bench.claim(worker="alive")
    lost = bench.store.rescue(worker="dead")

    assert {job.id for job in mine} == {job.id for job in lost}
    assert "running" == bench.state(other)
    assert {("queued", 1)} == {(job.state, job.losses) for job in lost}


def test_releasing_a_worker_without_jobs_does_nothing(bench):
    """Also one that there never was."""
    assert [] == bench.store.rescue(worker="nobody")


def test_a_job_that_was_settled_is_not_released(bench):
    """The outcome came first."""
    job = bench.ended()

    assert [] == bench.store.rescue(worker="w1")
    assert "succeeded" == bench.state(job)


@pytest.mark.parametrize("how", ["rescue", "release"])
def test_a_rescued_job_can_be_run_to_its_end(bench, how):
    """By somebody else, with the next attempt."""
    bench.running()
    bench.clock.advance(31)
    bench.store.rescue(10) if how == "rescue" else bench.store.rescue(worker="w1")
    [job] = bench.claim(worker="w2")
    bench.store.settle([OUTCOMES["succeeded"](job)])

    assert ("succeeded", 2) == (bench.state(job), job.attempt)
