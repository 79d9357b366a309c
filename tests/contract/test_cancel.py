"""cancel: jobs that wait end, running ones are flagged, ended ones stay as they are."""

import pytest

from contract.workbench import OUTCOMES


def test_a_queued_job_is_cancelled_at_once(bench):
    """It is never claimed."""
    job = bench.add()
    [record] = bench.store.cancel([job.id])

    assert ("cancelled", "cancelled") == (record.state, record.reason)
    assert record.ended_at is not None
    assert [] == bench.claim()


def test_a_delayed_job_is_cancelled_at_once(bench):
    """It does not come back when it is due."""
    job = bench.add(delay=5.0)
    bench.store.cancel([job.id])
    bench.clock.advance(10)

    assert [] == bench.claim()
    assert "cancelled" == bench.state(job)


def test_a_running_job_is_flagged_and_runs_on(bench):
    """Its worker is told when it renews."""
    job = bench.running()
    [record] = bench.store.cancel([job.id])

    assert ("running", 1, None) == (record.state, record.cancel_requested, record.ended_at)


def test_cancelling_twice_is_the_same_as_once(bench):
    """Both for a waiting and for a running job."""
    jobs = [bench.running(), bench.add()]
    ids = [job.id for job in jobs]
    first = bench.store.cancel(ids)
    bench.clock.advance(1)

    assert first == bench.store.cancel(ids)


@pytest.mark.parametrize("how", ["succeeded", "failed", "dead"])
def test_an_ended_job_stays_as_it_is(bench, how):
    """There is nothing left to cancel."""
    job = bench.ended(how)
    [record] = bench.store.cancel([job.id])

    assert job._replace(history=None) == record


def test_unknown_ids_are_left_out(bench):
    """What comes back is what there is, in the order asked for."""
    one, two = bench.add(), bench.add()

    assert [two.id, one.id] == [r.id for r in bench.store.cancel([two.id, "nobody", one.id])]


def test_a_cancelled_job_gives_back_its_key(bench):
    """Somebody else can have it."""
    job = bench.add(key="k")
    bench.store.cancel([job.id])

    assert job.id != bench.add(key="k").id


def test_a_running_job_that_is_flagged_still_holds_its_key(bench):
    """It has not ended yet."""
    job = bench.running(key="k")
    bench.store.cancel([job.id])

    assert job.id == bench.add(key="k").id


def test_the_flag_is_gone_when_the_job_has_ended(bench):
    """An operator who retries it does not cancel it again."""
    job = bench.running()
    bench.store.cancel([job.id])
    bench.store.settle([OUTCOMES["cancelled"](job)])
    bench.store.retry([job.id])
    [again] = bench.claim()

    assert 0 == again.cancel_requested
