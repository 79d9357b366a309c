"""cancel: jobs that wait end, running ones are flagged, ended ones stay as they are."""

import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.states import State
from rotulus.store import Filter


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


def test_the_parts_of_a_job_are_cancelled_with_it(bench):
    """Those that wait at once, running ones are asked to stop, ended ones stay."""
    ids = bench.add_run({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
    bench.work()
    bench.claim()
    [record] = bench.store.cancel([ids[""]])

    assert (ids[""], "cancelled") == (record.id, record.state)
    assert {
        "": "cancelled",
        "a": "succeeded",
        "b": "running",
        "c": "cancelled",
        "d": "cancelled",
    } == bench.steps(ids[""])
    assert bench.store.get(ids["b"]).cancel_requested
    assert {0, 0, 0, 0, 0} == set(bench.waits(ids[""]).values())


def test_the_parts_of_parts_are_cancelled_too(bench):
    """And no others: a step whose name begins alike is another one."""
    ids = bench.add_run({"a": [], "a2": [], "z": ["a"]})
    part, _ = bench.claim(2)
    inner = bench.open(part, {"a/0": [], "a/1": ["a/0"]})
    [deep] = bench.claim()
    bench.open(deep, {"a/0/x": []})
    bench.store.cancel([ids["a"]])

    assert {
        "": "blocked",
        "a": "cancelled",
        "a2": "running",
        "z": "queued",
        "a/0": "cancelled",
        "a/1": "cancelled",
        "a/0/x": "cancelled",
    } == bench.steps(ids[""])
    assert inner


def test_who_waits_for_a_cancelled_part_goes_on(bench):
    """It is an end like any other."""
    bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.store.find(Filter([State.QUEUED]))
    bench.store.cancel([part.id])

    assert [["b"], [""]] == [bench.work(), bench.work()]


def test_a_job_that_ends_after_what_waited_for_it_changes_nothing_there(bench):
    """A cancelled job waits for nobody."""
    ids = bench.add_run({"a": []})
    [part] = bench.claim()
    bench.store.cancel([ids[""]])
    bench.store.settle([OUTCOMES["cancelled"](part)])

    assert {"": "cancelled", "a": "cancelled"} == bench.steps(ids[""])
    assert {"": 0, "a": 0} == bench.waits(ids[""])


def test_a_paused_run_can_be_cancelled(bench):
    """It is over then."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.store.cancel([ids[""]])

    assert {"cancelled"} == set(bench.steps(ids[""]).values())
