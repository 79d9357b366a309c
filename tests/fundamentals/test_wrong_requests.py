"""What resources of an app are asked wrongly is refused, and nothing is done."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rotulus import task
from rotulus.errors import JobNotFoundError, OptionError
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

LATER, EARLIER = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def note(app):
    """A task."""

    @task(registry=app.registry)
    def note() -> None: ...

    return note


FILTERS = [
    {"key": ""},
    {"schedule": ""},
    {"run": ""},
    {"worker": ""},
    {"error": ""},
    {"fingerprint": ""},
    {"fingerprint": "xyz"},
    {"task": ""},
    {"task": "m*l"},
    {"task": "mail.**"},
    {"label": {}},
    {"args": {}},
    {"args": {"a\0": 1}},
    {"args": {"a" * 2_000: 1}},
    {"args": {"a": "x" * 60_000}},
    {"since": LATER, "until": EARLIER},
    {"since": 60, "until": timedelta(hours=1)},
    {"labels": {"a": "b"}},
]


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_a_filter_that_no_job_can_match_is_refused(app, where):
    """In the same words by all verbs, with their forms for coroutines."""
    jobs, words = app.jobs, []
    for verb in (jobs.find, jobs.count, jobs.cancel, jobs.retry, jobs.delete):
        with pytest.raises(OptionError) as refused:
            verb(**where)
        words.append(str(refused.value).split(" (")[0])
    for verb in (jobs.afind, jobs.acount, jobs.acancel, jobs.aretry, jobs.adelete):
        with pytest.raises(OptionError) as refused:
            asyncio.run(verb(**where))
        words.append(str(refused.value).split(" (")[0])
    assert 1 == len(set(words))


def test_no_state_is_the_state_of_no_job(app, note):
    """So what is left of two choices that exclude each other finds nothing, and never all."""
    note.enqueue()
    assert [] == app.jobs.find(state=[]) == app.jobs.cancel(state=[])


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"dry_run": "no"}, "dry_run='no' is not allowed: give True or False"),
        ({"dry_run": None}, "dry_run=None is not allowed"),
        ({"dryrun": True}, "'dryrun'; did you mean 'dry_run'"),
        ({"progress": 5}, "progress=5 is not allowed"),
        ({"limit": -1}, "limit=-1 is not allowed"),
        ({"state": "succeeded"}, "cancel changes no job that is succeeded, only: blocked"),
    ],
)
def test_a_wrong_option_of_a_verb_is_refused_before_it_begins(app, note, how, problem):
    """No job is changed."""
    job = note.enqueue()

    with pytest.raises(OptionError, match=problem):
        app.jobs.cancel(task="note", **how)
    assert "queued" == job.refresh().state


@pytest.mark.parametrize("dry_run", [None, 0, "no"])
def test_what_is_no_answer_to_whether_it_is_a_dry_run_is_refused(app, dry_run):
    """Everywhere: what was meant is not guessed."""

    @task(registry=app.registry)
    def sweep() -> None: ...

    app.schedules.add("hourly", task=sweep, every=3600)
    for ask in (
        lambda: app.failures.retry("0" * 12, dry_run=dry_run),
        lambda: app.failures.delete("0" * 12, dry_run=dry_run),
        lambda: app.schedules.backfill("hourly", EARLIER, LATER, dry_run=dry_run),
    ):
        with pytest.raises(OptionError, match="dry_run="):
            ask()


@pytest.mark.parametrize(
    "options",
    [
        {"task": ""},
        {"task": 5},
        {"task": "mail.*"},
        {"queue": ""},
        {"queue": 5},
        {"metric": 5},
        {"metric": ["failed"]},
        {"since": datetime(1, 1, 1, tzinfo=UTC)},
        {"since": 60, "until": 3600},
    ],
    ids=str,
)
def test_statistics_of_what_cannot_be_are_refused(app, options):
    """Of names that nothing can have, and of more points than anybody looks at."""
    with pytest.raises(OptionError):
        app.stats.series(**options)
    if "metric" not in options and options.get("since") != datetime(1, 1, 1, tzinfo=UTC):
        with pytest.raises(OptionError):
            app.stats.totals(**options)


def test_statistics_may_end_so_many_seconds_ago(still_app, clock):
    """As they may begin."""

    @task(registry=still_app.registry)
    def note() -> None: ...

    note.enqueue()
    clock.advance(7200)
    note.enqueue()

    assert 2 == still_app.stats.totals(since=10_000)[0].enqueued
    assert 1 == still_app.stats.totals(since=10_000, until=3600)[0].enqueued


@pytest.mark.parametrize("name", ["", "m*l", "a b"])
def test_failures_of_a_task_that_cannot_be_are_refused(app, name):
    """As a filter of jobs is."""
    with pytest.raises(OptionError, match="Task name"):
        app.failures.groups(task=name)


@pytest.mark.parametrize(
    "wanted",
    [
        {"after": "7"},
        {"after": 1.5},
        {"after": True},
        {"after": -5},
        {"after": 10**30},
        {"jobs": "0123"},
        {"jobs": []},
        {"jobs": 5},
        {"jobs": [5]},
        {"jobs": ["0123"]},
        {"queues": "default"},
        {"queues": ["a b"]},
        {"queues": []},
    ],
    ids=str,
)
def test_changes_of_nothing_are_refused(app, wanted):
    """A text in the place of a list of texts would be its letters, and nothing would be told."""
    with pytest.raises(OptionError):
        app.changes(**wanted)


def test_a_run_that_is_not_there_is_not_paused(app, note):
    """A job without parts is, as the run that it may become; and no run at all is a mistake."""
    runs, job = app.runs, note.enqueue()
    for verb in (runs.cancel, runs.retry, runs.pause, runs.resume):
        with pytest.raises(OptionError, match="which runs"):
            verb()
        with pytest.raises(OptionError):
            verb(5)
    for verb in (runs.pause, runs.resume):
        with pytest.raises(JobNotFoundError):
            verb("zz")
    runs.pause(job.id)
    assert "blocked" == job.refresh().state
    runs.resume(job.id)
    assert "queued" == job.refresh().state
    with pytest.raises(OptionError, match="Task name"):
        runs.latest(5)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "Nothing to change"),
        ({"cron": None}, "Nothing to change"),
        ({"cron": 5}, "cron=5 is not allowed"),
        ({"timezone": "Europe/London"}, "an interval has no time zone"),
        ({"every": 60, "arguments": None}, "arguments=None is not allowed"),
        ({"arguments": [1]}, "arguments=.1. is not allowed"),
    ],
)
def test_a_change_of_a_schedule_that_says_nothing_is_refused(app, note, changes, problem):
    """The version stays, so that nobody else's change is refused."""
    app.schedules.add("s", task=note, every=60)

    with pytest.raises(OptionError, match=problem):
        app.schedules.set("s", **changes)
    assert 1 == app.schedules.get("s").version


def test_an_expression_that_becomes_an_interval_loses_its_zone(app, note):
    """An interval is counted in UTC, whichever way it is written."""
    app.schedules.add("s", task=note, cron="0 3 * * *", timezone="Europe/London")

    assert "UTC" == app.schedules.set("s", cron="@every 90s").schedule.timezone
    with pytest.raises(OptionError, match="an interval has no time zone"):
        app.schedules.add("t", task=note, cron="@every 90s", timezone="Europe/London")


def test_a_wrong_name_of_a_schedule_is_refused(app, note):
    """In words that are about schedules."""
    with pytest.raises(OptionError, match="Schedule name 'a b' is not allowed"):
        app.schedules.add("a b", task=note, every=60)
    with pytest.raises(OptionError, match="needs cron="):
        app.schedules.add("s", task=note, cron=None)
    for verb in ("get", "pause", "resume", "remove", "run_now"):
        with pytest.raises(OptionError, match="schedule name=5 is not allowed"):
            getattr(app.schedules, verb)(5)


def test_attempts_are_numbered_from_one(app, note):
    """So there are no lines of attempt 0."""
    job = note.enqueue()
    drain(app)
    with pytest.raises(OptionError, match="attempt=0 is not allowed: give a whole number, 1 or"):
        job.logs(attempt=0)
