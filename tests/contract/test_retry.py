"""retry: an operator sends failed, dead and cancelled jobs back with fresh budgets."""

import json

import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.outcome import cancelled


@pytest.mark.parametrize("how", ["failed", "dead", "cancelled"])
def test_a_job_that_did_not_succeed_is_queued_again(bench, how):
    """Without a trace of how it ended, but for its attempts."""
    job = bench.ended(how)
    [record] = bench.store.retry([job.id])

    assert ("queued", None, None, None, 0, 0, 1) == (
        record.state,
        record.reason,
        record.error,
        record.ended_at,
        record.failures,
        record.losses,
        record.attempt,
    )


@pytest.mark.parametrize("words", ["snooze", "succeeded", "operator", "not wanted"])
def test_the_words_in_which_a_job_was_cancelled_are_kept_apart_from_reasons(bench, words):
    """A beginning says that they are some."""
    job = bench.running()
    bench.store.settle([cancelled(job.id, job.attempt, words)])
    assert words == bench.store.get(job.id).reason
    bench.store.retry([job.id])

    [[_, kept, *_]] = json.loads(bench.store.get(job.id).history)
    assert f"cancelled\n{words}" == kept


def test_the_attempt_that_ended_it_is_kept(bench):
    """With its error."""
    job = bench.ended("failed")
    bench.store.retry([job.id])
    [[number, reason, _, _, _, error]] = json.loads(bench.store.get(job.id).history)

    assert (1, "error") == (number, reason)
    assert "ValueError" in error


def test_attempts_go_on_counting(bench):
    """The fence is never reset."""
    job = bench.ended("failed")
    bench.store.retry([job.id])
    [again] = bench.claim()

    assert 2 == again.attempt


@pytest.mark.parametrize("how", ["succeeded"])
def test_a_job_that_succeeded_is_left(bench, how):
    """There is nothing to retry."""
    job = bench.ended(how)

    assert [] == bench.store.retry([job.id])
    assert "succeeded" == bench.state(job)


def test_a_job_that_waits_or_runs_is_left(bench):
    """It will have its turn."""
    jobs = [bench.running(), bench.add(), bench.add(delay=9.0)]

    assert [] == bench.store.retry([job.id for job in jobs])
    assert ["running", "queued", "delayed"] == [bench.state(job) for job in jobs]


def test_a_job_whose_key_another_one_holds_is_left(bench):
    """There would be two of it."""
    old = bench.ended("failed", key="k")
    new = bench.add(key="k")

    assert [] == bench.store.retry([old.id])
    assert ("failed", "queued") == (bench.state(old), bench.state(new))


def test_a_retried_job_holds_its_key_again(bench):
    """Somebody who adds the same gets the retried one."""
    job = bench.ended("failed", key="k")
    bench.store.retry([job.id])

    assert job.id == bench.add(key="k").id


def test_two_jobs_of_one_key_cannot_both_be_retried(bench):
    """One of them has it, and the other stays."""
    first = bench.ended("failed", key="k")
    second = bench.ended("failed", key="k")

    assert 1 == len(bench.store.retry([first.id, second.id]))
    assert {"failed", "queued"} == {bench.state(first), bench.state(second)}


def test_a_job_that_had_expired_does_not_expire_again(bench):
    """Somebody wants it now."""
    job = bench.ended("dead", expires=1.0)
    bench.clock.advance(60)
    [record] = bench.store.retry([job.id])

    assert record.expires_at is None


def test_a_job_cancelled_before_it_ran_has_no_attempt_to_keep(bench):
    """Its history is empty."""
    job = bench.add()
    bench.store.cancel([job.id])
    bench.store.retry([job.id])

    assert "[]" == bench.store.get(job.id).history


def test_a_retried_job_can_end_any_way(bench):
    """It is a job like any other."""
    job = bench.ended("dead")
    bench.store.retry([job.id])
    [again] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](again)])

    assert "succeeded" == bench.state(job)


def test_unknown_ids_are_left_out(bench):
    """Nothing happens to what is not there."""
    assert [] == bench.store.retry(["nobody"])
