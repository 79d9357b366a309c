"""delete: jobs that have ended go at once, with all that is known of them, and no others."""

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus.store import Claim, Filter


def deleted(bench, *jobs):
    """The ids of those that are gone."""
    return [record.id for record in bench.store.delete([job.id for job in jobs])]


def test_an_ended_job_goes_with_its_earlier_attempts(bench):
    """Its record is given as it stood; there is nothing left to read, nor to delete."""
    job = bench.running()
    bench.store.settle([OUTCOMES["retried now"](job)])
    [again] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](again)])
    other = bench.ended()
    [gone] = bench.store.delete([job.id])

    assert ("succeeded", 2) == (gone.state, gone.attempt)
    assert bench.store.get(job.id) is None
    assert [] == bench.store.delete([job.id])
    assert [other.id] == [found.id for found in bench.store.find(Filter())]


def test_what_has_not_ended_stays(bench):
    """However it waits; so does what nobody knows."""
    jobs = [bench.running(), bench.add(), bench.add(delay=60.0)]

    assert [] == deleted(bench, *jobs)
    assert [] == bench.store.delete(["x", job_id(999)])
    assert 3 == len(bench.store.find())


@pytest.mark.parametrize("how", ["failed", "dead", "cancelled", "skipped"])
def test_it_may_have_ended_in_any_state(bench, how):
    """They are not to be retried any more."""
    job = bench.ended(how)

    assert [job.id] == deleted(bench, job)
    assert [] == bench.store.retry([job.id])


def test_a_job_whose_key_is_held_stays_until_it_is_not(bench):
    """What was to happen once would happen twice."""
    job = bench.ended(key="k", window=60.0)
    assert [] == deleted(bench, job)
    bench.clock.advance(61)

    assert [job.id] == deleted(bench, job)


def test_a_run_goes_whole_once_all_of_it_has_ended(bench):
    """Its parts do not go by themselves, nor before the others."""
    parts = [bench.new("p", step="a"), bench.new("p", step="b")]
    run = bench.store.add([bench.new("r", parts=parts)])[0]
    for part in bench.claim():
        assert [] == deleted(bench, run, part)
        bench.store.settle([OUTCOMES["succeeded"](part)])
    assert [] == deleted(bench, run, *parts)
    [end] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](end)])

    assert [] == deleted(bench, *parts)
    assert [run.id] == deleted(bench, run)
    assert [] == bench.store.find()


def test_an_attempt_of_a_job_that_is_gone_is_refused(bench):
    """Whoever still runs it is told that it is lost."""
    job = bench.running()
    bench.clock.advance(31)
    bench.store.rescue()
    bench.store.cancel([job.id])
    assert [job.id] == deleted(bench, job)

    assert [Claim(job.id, 1)] == bench.store.settle([OUTCOMES["succeeded"](job)])
