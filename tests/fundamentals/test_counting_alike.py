"""Jobs that match are counted by their error, task, queue or worker."""

import asyncio
from datetime import timedelta

import pytest

from rotulus import JobCounts, task
from rotulus._app.resources import job_count, job_counting
from rotulus.errors import OptionError
from rotulus.stores.shared import searching
from rotulus.testing import drain


@pytest.fixture
def mail(app):
    """A task that fails in two ways, or not."""

    @task("mail.send", queue="mail", registry=app.registry)
    def mail(how: str) -> None:
        if how == "late":
            raise TimeoutError("no answer")
        if how == "wrong":
            raise ValueError(how)

    return mail


@pytest.fixture
def other(app):
    """Another task."""

    @task(registry=app.registry)
    def other() -> None:
        raise TimeoutError("other")

    return other


def numbers(counts):
    """How many there are of each."""
    return {one.value: int(one.count) for one in counts}


def test_jobs_are_counted_by_their_error(app, mail, other):
    """The most first, each with the last job of it; those without an error count together."""
    late = [mail.enqueue("late") for _ in range(3)]
    mail.enqueue("wrong")
    other.enqueue()
    drain(app)
    mail.enqueue("well")
    found = app.jobs.count_by("error", task="mail.*")

    assert [3, 1, 1] == [one.count for one in found]
    first = found[0]
    assert (late[2], "TimeoutError") == (first.example, first.example.error.type)
    assert first.value == first.example.error.fingerprint
    assert late == [*reversed(app.jobs.find(fingerprint=first.value))]
    assert (late[0].created_at, late[2].created_at) == (first.first_added, first.last_added)
    assert 1 == numbers(found)[None]
    assert (True, None) == (first.count.exact, found.looked_to)


def test_jobs_are_counted_by_task_queue_and_worker(app, mail, other):
    """Of those that a filter means; at most so many are told."""
    for _ in range(2):
        mail.enqueue("well")
    other.enqueue()

    assert {"mail.send": 2, "other": 1} == numbers(app.jobs.count_by("task"))
    assert {"mail": 2, "default": 1} == numbers(app.jobs.count_by("queue"))
    assert {None: 3} == numbers(app.jobs.count_by("worker"))
    assert {"mail": 2} == numbers(app.jobs.count_by("queue", limit=1))
    assert [] == app.jobs.count_by("task", limit=0) == app.jobs.count_by("task", task="none")
    assert {"mail.send": 2} == numbers(app.jobs.count_by("task", args={"how": "well"}))
    for wrong in ("state", None, ["task"]):
        with pytest.raises(OptionError, match="choose one of 'error', 'task', 'queue', 'worker'"):
            app.jobs.count_by(wrong)


def test_a_count_of_very_many_jobs_says_how_far_it_looked(app, other, monkeypatch):
    """Numbers are those of the last jobs then, and end with a `+`."""
    jobs = [other.enqueue() for _ in range(8)]
    for module in (job_count, job_counting):
        monkeypatch.setattr(module, "MOST_COUNTED", 5)
    found = app.jobs.count_by("task")

    assert isinstance(found, JobCounts)
    assert ["5+"] == [str(one.count) for one in found]
    assert jobs[2].created_at == found.looked_to
    assert [] == app.jobs.count_by("task", until=timedelta(days=1))


def test_several_looks_are_one_count(app, mail, monkeypatch):
    """Where few of many jobs match: numbers, times and examples are those of all looks."""
    monkeypatch.setattr(searching, "_MOST_MISSES", 200)
    first = mail.enqueue("late")
    mail.using(queue="bulk").enqueue_many([("well",)] * 250)
    last = mail.enqueue("late")
    [found] = app.jobs.count_by("task", queue="mail", since=3600)

    assert (2, True) == (found.count, found.count.exact)
    assert (last, first.created_at) == (found.example, found.first_added)
    assert last.created_at == found.last_added


def test_an_example_that_is_deleted_meanwhile_takes_no_other_job_with_it(app, other, monkeypatch):
    """The jobs are counted once more."""
    jobs = [other.enqueue() for _ in range(3)]
    drain(app)
    alike = app.store.alike

    def counted(ids, by):
        found = alike(ids, by)
        app.jobs.delete(jobs[2].id)
        return found

    monkeypatch.setattr(app.store, "alike", counted)
    [found] = app.jobs.count_by("task")

    assert (2, jobs[1]) == (found.count, found.example)


def test_jobs_are_counted_from_a_coroutine(app, other):
    """In the same way."""
    other.enqueue()

    assert {"other": 1} == numbers(asyncio.run(app.jobs.acount_by("task")))
