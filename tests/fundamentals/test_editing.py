"""A job that waits is edited: by its arguments, its priority, and the moment at which it is due."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

import rotulus.workflow as wf
from fundamentals.flows import put
from rotulus import ArgumentsError, Retry, State, TaskNotFoundError, task
from rotulus.errors import JobConflictError, JobNotFoundError, OptionError
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere


@pytest.fixture
def seen():
    """What the task was called with."""
    return []


@pytest.fixture
def mail(app, seen):
    """A task with arguments of several types."""

    @task("mail", registry=app.registry)
    def mail(user: int, body: bytes = b"", when: datetime | None = None, *more: int, **rest: str):
        seen.append((user, body, when, more, rest))

    return mail


def test_the_task_is_called_with_the_new_arguments(app, mail, seen):
    """They take the place of all that it had; they are JSON data, or as the function takes them."""
    at = datetime(2026, 11, 20, tzinfo=UTC)
    first, second, third = mail.enqueue_many([{"user": n, "body": b"\xff"} for n in range(3)])
    assert {"user": 7} == app.jobs.edit(first.id, arguments={"user": 7}).arguments
    app.jobs.edit(second.id, arguments={**second.arguments, "user": 8, "more": "x"})
    app.jobs.edit(third.id, arguments={"user": 9, "body": b"\xfe", "when": at})
    drain(app, slots=1)

    assert [
        (7, b"", None, (), {}),
        (8, b"\xff", None, (), {"more": "x"}),
        (9, b"\xfe", at, (), {}),
    ] == seen


def test_priority_and_moment_are_changed(app, mail):
    """By themselves or together; what is not given stays."""
    job = mail.enqueue(1)
    edited = app.jobs.edit(job.id[:20], priority=5, delay=60)

    assert (5, State.DELAYED, {"user": 1}) == (edited.priority, edited.state, edited.arguments)
    assert timedelta(seconds=59) < edited.run_at - job.run_at < timedelta(seconds=120)
    at = datetime.now(UTC) + timedelta(days=1)
    assert at == app.jobs.edit(job.id, at=at).run_at
    assert State.QUEUED == app.jobs.edit(job.id, delay=0).state
    assert 5 == app.get(job.id).priority
    [ran] = drain(app)
    assert job.id == ran.id


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({}, OptionError, "Nothing to change: give arguments="),
        ({"priority": None}, OptionError, "Nothing to change"),
        ({"priority": None, "delay": 1}, OptionError, "priority=None is not allowed: leave it out"),
        ({"priority": "high"}, OptionError, "priority='high' is not allowed"),
        ({"priority": 10**7}, OptionError, "priority=10000000 is not allowed"),
        ({"queue": "mail"}, OptionError, "There is no option 'queue'"),
        ({"eta": 1}, OptionError, "did you mean 'at'"),
        ({"delay": -1}, OptionError, "delay=-1 is not allowed"),
        ({"at": "tomorrow"}, OptionError, "at='tomorrow' is not allowed"),
        ({"at": datetime(2026, 1, 1)}, OptionError, "give a datetime with a time zone"),
        ({"at": datetime.now(UTC), "delay": 1}, OptionError, "Give at= or delay=, and not both"),
        ({"arguments": [1]}, OptionError, "give them by name"),
        ({"arguments": {}}, ArgumentsError, "'user'"),
        ({"arguments": {"user": "x"}}, ArgumentsError, "argument 'user': Input should be a valid"),
        ({"arguments": {"user": 1, "when": object()}}, ArgumentsError, "argument 'when'"),
        ({"arguments": {"user": 1, "body": "x" * 2_000_000}}, ArgumentsError, "large|base64"),
        ({"priority": 1, "unchecked": "no"}, OptionError, "give True or False"),
        ({"priority": 1, "version": 5}, OptionError, "version=5 is not allowed"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_written(app, mail, changes, error, words):
    """The job is as it was."""
    job = mail.enqueue(1)

    with pytest.raises(error, match=words):
        app.jobs.edit(job.id, **{"priority": 3, **changes} if error is ArgumentsError else changes)
    assert job.record == app.get(job.id).record._replace(history=None)


def test_what_has_begun_is_not_edited(app, mail):
    """The error says what else there is to do."""
    edit, running, ended = app.jobs.edit, [], mail.enqueue(1)
    drain(app)

    @task("slow", registry=app.registry)
    def slow(job_id: str) -> None:
        with pytest.raises(JobConflictError, match="is running: only a job that waits is edited"):
            edit(job_id, priority=5)
        running.append(job_id)

    job = slow.enqueue("")
    app.jobs.edit(job.id, arguments={"job_id": job.id})
    drain(app)
    assert [job.id] == running
    with pytest.raises(
        JobConflictError, match="succeeded: only a job that waits is edited; .*retry"
    ):
        edit(ended.id, priority=5)
    with pytest.raises(JobNotFoundError, match="No job"):
        edit("nobody", priority=5)


def test_a_job_that_waits_for_its_retry_goes_on_with_other_arguments(app):
    """So a mistake in an argument is mended before the last attempt."""

    @task("parse", retry=Retry(attempts=2, delay=3600), registry=app.registry)
    def parse(text: str) -> int:
        return int(text)

    job = parse.enqueue("seven")
    drain(app)
    assert State.DELAYED == job.refresh().state
    app.jobs.edit(job.id, arguments={"text": "7"}, delay=0)
    drain(app)

    assert 7 == job.refresh().result(0)


def test_two_editors_do_not_lose_each_others_change(app, mail):
    """Who gives the version that was seen is told; who gives none changes what is there."""
    job = mail.enqueue(1)
    first = app.jobs.edit(job.id, arguments={"user": 2}, version=job.version)

    with pytest.raises(JobConflictError, match=f"is not of version '{job.version}' any more"):
        app.jobs.edit(job.id, priority=5, version=job.version)
    assert 0 == app.get(job.id).priority
    assert first.version == app.get(job.id).version != job.version
    third = app.jobs.edit(job.id, priority=5, version=first.version)
    assert ({"user": 2}, 5) == (third.arguments, third.priority)


def test_editors_at_the_same_time_all_change_it(app, mail):
    """Each of what the others have left: no change is lost."""
    job = mail.enqueue(0)
    begin = threading.Barrier(3)

    def edit(changes):
        begin.wait()
        for _ in range(5):
            app.jobs.edit(job.id, **changes)

    every = [{"priority": 7}, {"arguments": {"user": 8}}, {"delay": 600}]
    threads = [threading.Thread(target=edit, args=[changes]) for changes in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    edited = app.get(job.id)
    assert (7, {"user": 8}, State.DELAYED) == (edited.priority, edited.arguments, edited.state)


def test_keys_that_are_made_of_arguments_stay(app):
    """Others wait behind them; a key that was chosen at the enqueue has nothing to do with these."""

    @task("build", key="page:{page}", limit=1, limit_key="site:{site}", registry=app.registry)
    def build(page: int, site: int, fast: bool = False) -> None: ...

    job, own = build.enqueue(1, 2), build.using(key="mine").enqueue(1, 2)
    for changed, name in (
        ({"page": 3, "site": 2}, "key='page:1'"),
        ({"page": 1, "site": 3}, "limit_key='site:2'"),
    ):
        with pytest.raises(OptionError, match=f"has {name}, made of its arguments"):
            app.jobs.edit(job.id, arguments=changed)
    edited = app.jobs.edit(job.id, arguments={"page": 1, "site": 2, "fast": True})
    assert ("page:1", True) == (edited.key, edited.arguments["fast"])
    assert "mine" == app.jobs.edit(own.id, arguments={"page": 9, "site": 2}).key


def test_arguments_that_no_longer_fit_are_mended(app):
    """Those that are stored need not be valid."""
    task("report", registry=app.registry)(lambda day: None)
    job = app.using(delay=60).enqueue("report", day="x")
    app.registry.clear()

    @task("report", key="{week}", registry=app.registry)
    def report(week: int) -> None: ...

    assert {"week": 7} == app.jobs.edit(job.id, arguments={"week": 7}, delay=0).arguments
    [ran] = drain(app)
    assert State.SUCCEEDED == ran.state


def test_the_task_of_other_workers_is_edited_on_demand(app):
    """Its arguments cannot be checked here; its priority need not be."""
    job = app.using(unchecked=True).enqueue("elsewhere", a=1)

    with pytest.raises(TaskNotFoundError, match="unchecked=True"):
        app.jobs.edit(job.id, arguments={"a": 2})
    assert {"a": 2} == app.jobs.edit(job.id, arguments={"a": 2}, unchecked=True).arguments
    assert 5 == app.jobs.edit(job.id, priority=5).priority
    with pytest.raises(ArgumentsError, match="cannot be stored"):
        app.jobs.edit(job.id, arguments={"a": object()}, unchecked=True)


def test_a_step_is_given_what_others_hand_on(app, build):
    """Its arguments are not edited, and a run that has begun is edited by its steps."""
    with build():
        wf.task(id="a")(put())
        wf.task(id="b", dependencies=["a"])(put())
    run, later = app.enqueue("flow"), app.using(delay=60).enqueue("flow", day=1)
    step = app.runs.step(run.id, "b").job

    with pytest.raises(OptionError, match=r"is step 'b' of a run.*app\.runs\.replay"):
        app.jobs.edit(step.id, arguments={"a": 1})
    assert 5 == app.jobs.edit(step.id, priority=5).priority
    with pytest.raises(JobConflictError, match="has begun its steps"):
        app.jobs.edit(run.id, priority=5)
    app.jobs.edit(later.id, arguments={"day": 2}, delay=0)
    drain(app)
    assert {"day": 2} == later.refresh().result(0)


def test_a_job_of_a_group_is_edited_and_its_callback_is_not(app, mail, seen):
    """The callback is given the outcomes of the jobs."""
    done = task("done", registry=app.registry)(lambda outcomes: None)
    with app.group("import", then=done) as group:
        job = mail.using(group=group).enqueue(1)
        app.jobs.edit(job.id, arguments={"user": 2})
        with pytest.raises(JobConflictError, match="is the callback of a group"):
            app.jobs.edit(group.id, priority=5)
    drain(app)

    assert [2] == [user for user, *_ in seen]


def test_coroutines_have_the_same(app, mail):
    """As of every verb."""
    job = mail.enqueue(1)

    assert 5 == asyncio.run(app.jobs.aedit(job.id, priority=5)).priority


def test_an_app_without_tasks_edits_what_it_need_not_know(app, mail):
    """As the command line does with a URL alone."""
    job = mail.enqueue(1)
    app.registry.clear()

    assert 5 == app.jobs.edit(job.id, priority=5).priority
    with pytest.raises(TaskNotFoundError, match="'mail' not found"):
        app.jobs.edit(job.id, arguments={"user": 2})
