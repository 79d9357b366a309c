"""Verbs for many jobs by filters: in batches, with progress, tried first, and gone on with."""

import asyncio

import pytest

from rotulus import State, task
from rotulus._app.resources import bulk
from rotulus.errors import OptionError
from rotulus.testing import drain


@pytest.fixture
def broken(app):
    """A task that fails."""

    @task("mail.broken", registry=app.registry)
    def broken(number: int) -> None:
        raise ValueError(f"no {number}")

    return broken


@pytest.fixture
def fine(app):
    """A task that does not."""

    @task("mail.fine", registry=app.registry)
    def fine(number: int) -> None: ...

    return fine


def states(jobs):
    """The states that jobs have now."""
    return {str(job.refresh().state) for job in jobs}


def test_a_verb_works_in_batches_and_says_how_far_it_got(app, broken, monkeypatch):
    """After each of them, with a place to go on from."""
    monkeypatch.setattr(bulk, "_AT_ONCE", 2)
    jobs = broken.enqueue_many(range(5))
    told = []
    cancelled = app.jobs.cancel(task="mail.*", progress=told.append)

    assert (jobs[::-1], 5, None) == (cancelled, cancelled.total, cancelled.next)
    assert [(2, 2), (4, 4), (5, 5)] == [(one.matched, one.changed) for one in told]
    assert [True, True, False] == [one.next is not None for one in told]
    assert {"cancelled"} == states(jobs)


def test_a_dry_run_changes_nothing(app, broken, fine):
    """It gives the jobs that would be changed."""
    failed, waiting = broken.enqueue_many(range(3)), []
    drain(app)
    waiting = fine.enqueue_many(range(2))
    tried = {
        "retry": app.jobs.retry(task="mail.*", dry_run=True),
        "delete": app.jobs.delete(task="mail.*", dry_run=True),
        "cancel": app.jobs.cancel(task="mail.*", dry_run=True),
        "reprioritise": app.jobs.reprioritise(task="mail.*", priority=1, dry_run=True),
    }

    assert {3, 2} == {found.total for found in tried.values()}
    assert failed[::-1] == tried["retry"] == tried["delete"]
    assert waiting[::-1] == tried["cancel"] == tried["reprioritise"]
    assert ({"failed"}, {"queued"}) == (states(failed), states(waiting))
    assert failed[:1] == app.jobs.retry(failed[0].id, waiting[0].id, dry_run=True)


def test_what_went_wrong_is_sent_back_by_its_error(app, broken):
    """And nothing else."""
    jobs = broken.enqueue_many(range(3))
    drain(app)

    assert jobs[1:2] == app.jobs.retry(task="mail.*", error="NO 1")
    assert ["failed", "queued", "failed"] == [str(job.refresh().state) for job in jobs]


def test_what_was_cancelled_is_sent_back_only_if_that_is_said(app, broken):
    """By filters; by its id, it is."""
    failed, cancelled, other = broken.enqueue_many(range(3))
    app.jobs.cancel(cancelled.id, other.id)
    drain(app)

    assert [failed] == app.jobs.retry(task="mail.*", dry_run=True) == app.jobs.retry(task="mail.*")
    assert ["queued", "cancelled"] == [str(job.refresh().state) for job in (failed, cancelled)]
    assert [cancelled] == app.jobs.retry(cancelled.id)
    assert [other] == app.jobs.retry(task="mail.*", state="cancelled")


def test_what_has_ended_is_deleted_by_a_filter(app, broken, fine):
    """What waits stays."""
    broken.enqueue_many(range(3))
    drain(app)
    waiting = fine.enqueue(1)

    assert 3 == app.jobs.delete(task="mail.*").total
    assert [waiting] == app.jobs.find()


def test_what_waits_gets_another_priority(app, fine):
    """So it runs sooner."""
    first, second = fine.enqueue_many(range(2))

    assert [second] == app.jobs.reprioritise(args={"number": 1}, priority=9)
    assert [first] == app.jobs.reprioritise(first.id, priority=2)
    assert (2, 9) == (first.refresh().priority, second.refresh().priority)
    with pytest.raises(OptionError, match="priority=1000001 is not allowed"):
        app.jobs.reprioritise(first.id, priority=1_000_001)


def test_a_verb_stops_at_a_limit_and_goes_on(app, fine):
    """With what it gives as `next`; or by the same call again, as what is done matches no more."""
    jobs = fine.enqueue_many(range(5))
    part = app.jobs.cancel(task="mail.fine", limit=2)

    assert (jobs[:2:-1], 2) == (part, part.total)
    assert jobs[2::-1] == app.jobs.cancel(task="mail.fine", limit=3, after=part.next)
    assert (0, None) == ((rest := app.jobs.cancel(task="mail.fine")).total, rest.next)


def test_an_interrupted_verb_is_repeated(app, fine, monkeypatch):
    """What was done stays done, and the rest is done then."""
    monkeypatch.setattr(bulk, "_AT_ONCE", 2)
    jobs = fine.enqueue_many(range(5))

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app.jobs.cancel(task="mail.fine", progress=stop)

    assert 3 == app.jobs.count(state="queued")
    assert 3 == app.jobs.cancel(task="mail.fine").total
    assert {"cancelled"} == states(jobs)


def test_of_many_jobs_the_number_is_told(app, fine, monkeypatch):
    """And the first ones."""
    monkeypatch.setattr(bulk, "MOST_KEPT", 3)
    monkeypatch.setattr(bulk, "_MOST_TRIED", 4)
    jobs = fine.enqueue_many(range(6))
    tried = app.jobs.cancel(task="mail.fine", dry_run=True)

    assert (3, 4, True) == (len(tried), tried.total, tried.next is not None)
    done = app.jobs.cancel(task="mail.fine")
    assert (jobs[:2:-1], 6) == (done, done.total)


def test_a_coroutine_does_the_same(app, broken):
    """In a thread."""
    jobs = broken.enqueue_many(range(2))

    async def go():
        found = await app.jobs.areprioritise(task="mail.*", priority=3)
        gone = await app.jobs.acancel(task="mail.*")
        return found.total, gone.total, (await app.jobs.adelete(state=list(State))).total

    assert (2, 2, 2) == asyncio.run(go())
    assert [] == app.jobs.find()
    assert 2 == len(jobs)


def test_an_empty_filter_is_not_one_that_every_job_matches(app):
    """Where the labels of somebody are none, nobody's jobs are deleted."""
    for verb in (app.jobs.delete, app.jobs.cancel, app.jobs.retry, app.jobs.find, app.jobs.count):
        for empty in ({"label": {}}, {"args": {}}, {"error": ""}):
            with pytest.raises(OptionError, match="is not allowed"):
                verb(**empty)
