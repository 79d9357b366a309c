"""`app.audit`: verbs, their actors and counts, written before a verb and completed after it."""

import asyncio
import inspect
import os
import signal
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from interrupting import Interrupter
from rotulus import App, task
from rotulus.errors import ArgumentsError, JobNotFoundError, OptionError, StoreError
from rotulus.store import WorkerInfo
from rotulus.testing import drain
from rotulus.workflow import WorkflowBuilder

READS = {
    "audit": {"find"},
    "changes": {"stream", "close"},
    "failures": {"get", "groups", "latest"},
    "jobs": {"count", "count_by", "find", "get", "logs"},
    "push": {"deliveries", "plan", "process", "wanted"},
    "limits": {"get", "list"},
    "queues": {"demand", "get", "list"},
    "runs": {"find", "get", "graph", "latest", "parts", "step", "steps", "timeline"},
    "schedules": {"get", "instants", "list"},
    "stats": {"ages", "histogram", "lags", "series", "totals"},
    "tokens": {"find", "get", "list"},
    "webhooks": {"deliveries", "get", "list"},
    "workers": {"list", "running"},
}
"""What steers nothing."""

EXECUTES = {"jobs": {"run"}}
"""What runs a task, which is no steering."""

ADA = {"name": "ada", "door": "http", "role": "operator"}


class Shop:
    """Something to steer on an app: jobs that wait, failed and ran, a run, and schedules."""

    def __init__(self, app):
        self.app = app

        @task(registry=app.registry)
        def send(number: int = 0):
            if number < 0:
                raise ValueError("no")

        with WorkflowBuilder("flow", registry=app.registry) as builder:
            builder.add_task(send)
        self.send = send

    def waiting(self, count=1):
        """Ids of jobs that wait."""
        return [job.id for job in self.send.enqueue_many([{"number": n} for n in range(count)])]

    def failed(self):
        """A job that has failed."""
        job = self.send.enqueue(-1)
        drain(self.app)
        return job.refresh()

    def muted(self):
        """The fingerprint of a group that is muted."""
        self.app.failures.mute("0" * 12)
        return "0" * 12

    def ended(self):
        """The id of a job that has succeeded."""
        job = self.send.enqueue()
        drain(self.app)
        return job.id

    def run(self, *, ended=False):
        """The id of a run."""
        job = self.app.enqueue("flow", number=1)
        if ended:
            drain(self.app)
        return job.id

    def token(self, name="old"):
        """The name of a token."""
        self.app.tokens.add(name, "viewer")
        return name

    def schedule(self, name="nightly"):
        """The name of a schedule that was added."""
        self.app.schedules.add(name, task="send", cron="0 3 * * *")
        return name

    def worker(self, name="west"):
        """The name of a worker that is alive."""
        info = WorkerInfo(name, "here", 1, None, 1, datetime.now(UTC))
        self.app.store.extend([], 30.0, info)
        return name

    def webhook(self, name="ops"):
        """The name of a webhook."""
        self.app.webhooks.add(name, "https://example.com/", events="job.*")
        return name


@pytest.fixture
def shop(app):
    """Something to steer."""
    return Shop(app)


def since():
    """Three hours ago."""
    return datetime.now(UTC) - timedelta(hours=3)


STEERS = {
    "jobs.cancel": lambda shop: (shop.app.jobs.cancel, shop.waiting(2), {}),
    "jobs.retry": lambda shop: (shop.app.jobs.retry, [shop.failed().id], {}),
    "jobs.delete": lambda shop: (shop.app.jobs.delete, [shop.ended()], {}),
    "jobs.reprioritise": lambda shop: (shop.app.jobs.reprioritise, shop.waiting(), {"priority": 3}),
    "jobs.edit": lambda shop: (shop.app.jobs.edit, shop.waiting(), {"priority": 3}),
    "queues.pause": lambda shop: (shop.app.queues.pause, ["mail", "bulk"], {}),
    "queues.resume": lambda shop: (shop.app.queues.resume, ["mail"], {}),
    "limits.set": lambda shop: (shop.app.limits.set, ["tenant:7"], {"limit": 0, "rate": 5}),
    "limits.unset": lambda shop: (shop.app.limits.unset, ["tenant:7"], {}),
    "workers.drain": lambda shop: (shop.app.workers.drain, [shop.worker()], {}),
    "schedules.add": lambda shop: (
        *(shop.app.schedules.add, ["hourly"]),
        {"task": shop.send, "every": 3600, "arguments": {"number": 7}},
    ),
    "schedules.set": lambda shop: (shop.app.schedules.set, [shop.schedule()], {"end": None}),
    "schedules.pause": lambda shop: (shop.app.schedules.pause, [shop.schedule()], {}),
    "schedules.resume": lambda shop: (shop.app.schedules.resume, [shop.schedule()], {}),
    "schedules.remove": lambda shop: (shop.app.schedules.remove, [shop.schedule()], {}),
    "schedules.run_now": lambda shop: (shop.app.schedules.run_now, [shop.schedule()], {}),
    "schedules.backfill": lambda shop: (
        *(shop.app.schedules.backfill, [shop.schedule(), datetime(2026, 1, 1, tzinfo=UTC)]),
        {"until": datetime(2026, 1, 3, tzinfo=UTC)},
    ),
    "runs.cancel": lambda shop: (shop.app.runs.cancel, [shop.run()], {}),
    "runs.retry": lambda shop: (shop.app.runs.retry, [shop.run()], {}),
    "runs.pause": lambda shop: (shop.app.runs.pause, [shop.run(), shop.run()], {}),
    "runs.resume": lambda shop: (shop.app.runs.resume, [shop.run()], {}),
    "runs.skip": lambda shop: (shop.app.runs.skip, [shop.run(), "send"], {}),
    "runs.replay": lambda shop: (shop.app.runs.replay, [shop.run(ended=True), "send"], {}),
    "tokens.add": lambda shop: (shop.app.tokens.add, ["ci", "viewer"], {"expires": 60}),
    "tokens.remove": lambda shop: (shop.app.tokens.remove, [shop.token()], {}),
    "failures.retry": lambda shop: (
        *(shop.app.failures.retry, [shop.failed().error.fingerprint], {}),
    ),
    "failures.mute": lambda shop: (
        *(shop.app.failures.mute, ["0" * 12]),
        {"until": timedelta(days=7), "note": "known"},
    ),
    "failures.unmute": lambda shop: (shop.app.failures.unmute, [shop.muted()], {}),
    "failures.delete": lambda shop: (
        *(shop.app.failures.delete, [shop.failed().error.fingerprint], {}),
    ),
    "webhooks.add": lambda shop: (
        *(shop.app.webhooks.add, ["ops", "https://example.com/"]),
        {"events": ["job.failed"], "label": {"a": "b"}},
    ),
    "webhooks.set": lambda shop: (shop.app.webhooks.set, [shop.webhook()], {"events": "run.*"}),
    "webhooks.pause": lambda shop: (shop.app.webhooks.pause, [shop.webhook()], {}),
    "webhooks.resume": lambda shop: (shop.app.webhooks.resume, [shop.webhook()], {}),
    "webhooks.rotate": lambda shop: (shop.app.webhooks.rotate, [shop.webhook()], {}),
    "webhooks.remove": lambda shop: (shop.app.webhooks.remove, [shop.webhook()], {}),
    "webhooks.test": lambda shop: (shop.app.webhooks.test, [shop.webhook()], {}),
    "webhooks.replay": lambda shop: (
        *(shop.app.webhooks.replay, [shop.app.webhooks.test(shop.webhook()).id], {}),
    ),
}
"""How each verb that steers is called."""

DONE = {
    "jobs.cancel": 2,
    "queues.pause": 2,
    "runs.pause": 2,
    "runs.retry": 0,
    "schedules.backfill": 2,
}
"""To how many it was done then, if not to one."""


def resources(app):
    """The resources of an app, by name."""
    kinds = "rotulus._app.resources"
    return {n: v for n, v in vars(app).items() if type(v).__module__.startswith(kinds)}


def verbs(app):
    """The verbs of each resource, without their forms for coroutines."""
    for noun, resource in resources(app).items():
        for name, method in inspect.getmembers(type(resource), inspect.isfunction):
            twin = name.startswith("a") and hasattr(type(resource), name[1:])
            if not name.startswith("_") and not twin:
                yield noun, name, method


def test_each_verb_of_each_resource_is_written_down_or_steers_nothing(app):
    """A verb that is added is marked with `@steers`, and has a case here; or it is one of those."""
    marked = {f"{noun}.{name}": m.__dict__.get("steers") for noun, name, m in verbs(app)}
    free = {f"{noun}.{name}" for noun, names in READS.items() for name in names}
    free |= {f"{noun}.{name}" for noun, names in EXECUTES.items() for name in names}

    assert {verb for verb, mark in marked.items() if mark is None} <= free
    assert {} == {verb: mark for verb, mark in marked.items() if mark and mark != verb}
    assert {verb for verb, mark in marked.items() if mark} == set(STEERS)


@pytest.mark.parametrize("verb", STEERS)
def test_a_verb_stands_in_the_audit(shop, verb):
    """With who has called it, how, and what came of it; without an actor nothing does."""
    method, args, options = STEERS[verb](shop)
    assert [] == shop.app.audit.find()
    with shop.app.acting_as(**ADA):
        method(*args, **options)
    [entry] = shop.app.audit.find()

    assert (verb, "ada", "http", "operator") == (entry.verb, entry.actor, entry.door, entry.role)
    assert DONE.get(verb, 1) == entry.count
    assert entry.error is None
    assert entry.at <= entry.ended_at
    several = DONE.get(verb, 1) > 1 and verb.endswith(("cancel", "pause"))
    assert (None if several else args[0]) == entry.target
    assert several == ("of" in entry.detail)
    assert set(entry.to_dict()) == set(entry.__slots__)

    with shop.app.acting_as("bob"):  # inside of another one the inner one counts
        pass
    with pytest.raises(OptionError):
        shop.app.queues.pause()
    assert 1 == len(shop.app.audit.find())


def test_filters_and_options_are_told_and_arguments_only_by_name(shop):
    """They may be secrets. Nothing is told of a progress."""
    shop.waiting(3)
    with shop.app.acting_as("ada"):
        shop.app.jobs.cancel(task="send", since=60, limit=2, progress=print)
        shop.app.schedules.add("n", task=shop.send, every=60, arguments={"number": 7})
        shop.app.schedules.set("n", end=None, cron="0 3 * * *")
        shop.app.jobs.cancel(*map(str, range(200)))
    many, changed, added, cancelled = shop.app.audit.find()

    assert {"task": "send", "since": 60, "limit": 2} == cancelled.detail
    assert (2, None) == (cancelled.count, cancelled.target)
    assert {"task": "send", "every": 60, "arguments": ["number"]} == added.detail
    assert {"end": None, "cron": "0 3 * * *"} == changed.detail
    assert (100, 200, 0) == (len(many.detail["of"]), many.detail["named"], many.count)


def test_a_dry_run_changes_nothing_and_is_not_written_down(shop):
    """By ids, by filters and for instants."""
    shop.waiting()
    fingerprint = shop.failed().error.fingerprint
    with shop.app.acting_as("ada"):
        shop.app.jobs.cancel(task="send", dry_run=True)
        shop.app.failures.retry(fingerprint, dry_run=True)
        name = shop.schedule()
        shop.app.schedules.backfill(name, since(), dry_run=True)

    assert ["schedules.add"] == [entry.verb for entry in shop.app.audit.find()]


def test_what_is_refused_stands_there_with_its_error(shop):
    """An error of a program, too, and what was done until then."""

    def stop(progress):
        raise ZeroDivisionError

    shop.waiting(3)
    with shop.app.acting_as("ada"):
        with pytest.raises(JobNotFoundError):
            shop.app.runs.pause("nothing\0")
        with pytest.raises(ZeroDivisionError):
            shop.app.jobs.cancel(task="send", progress=stop)
        with pytest.raises(ArgumentsError):
            shop.app.schedules.add("n", task=shop.send, every=60, arguments={"n": "x" * 9999})
        with pytest.raises(TypeError):
            shop.app.queues.pause(name="mail")
    wrong, refused, stopped, missing = shop.app.audit.find()

    assert ("JobNotFoundError", None, "nothing\\x00") == (
        *(missing.error.partition(":")[0], missing.count, missing.target),
    )
    assert ("ZeroDivisionError", 3) == (stopped.error, stopped.count)
    assert refused.error.startswith("ArgumentsError: ")
    assert ("TypeError", {}) == (wrong.error, wrong.detail)


def test_a_job_that_is_steered_by_itself_stands_there(shop):
    """`job.cancel()` and `job.retry()` are the verbs of jobs."""
    with shop.app.acting_as("ada"):
        job = shop.send.enqueue()
        job.cancel()
        job.retry()

    found = [(entry.verb, entry.target, entry.count) for entry in shop.app.audit.find()]
    assert [("jobs.retry", job.id, 1), ("jobs.cancel", job.id, 1)] == found


def test_coroutines_act_as_who_has_called_them(shop):
    """Each has its own actor, though their calls share threads."""

    async def pause(name):
        with shop.app.acting_as(name):
            await shop.app.queues.apause(f"of-{name}")

    async def pause_all():
        await asyncio.gather(*map(pause, names))
        return await shop.app.audit.afind(), await shop.app.audit.afind(actor="a")

    names = [f"a{number}" for number in range(40)]
    page, none = asyncio.run(pause_all())

    assert {(name, f"of-{name}") for name in names} == {(e.actor, e.target) for e in page}
    assert [] == none


def test_entries_are_found_page_by_page(shop):
    """By actor, verb, noun and moment; a page says how it goes on."""
    for name in ("ada", "bob", "ada"):
        with shop.app.acting_as(name):
            shop.app.queues.pause("mail")
            shop.app.queues.resume("mail")
    first = shop.app.audit.find(actor="ada", limit=3)
    rest = shop.app.audit.find(actor="ada", limit=3, after=first.next)

    assert ["resume", "pause", "resume"] == [entry.verb.partition(".")[2] for entry in first]
    assert (["queues.pause"], None) == ([entry.verb for entry in rest], rest.next)
    assert 6 == len(shop.app.audit.find(verb="queues.*", since=3600))
    assert 3 == len(shop.app.audit.find(verb="queues.pause", since=since()))
    assert [] == shop.app.audit.find(verb="jobs.*")
    assert None is shop.app.audit.find(limit=6).next
    assert [] == shop.app.audit.find(limit=0)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"verb": "jobs"}, {"verb": "*.cancel"}, {"verb": "jobs.c*"}, {"verb": 3}),
        *({"actor": 3}, {"actor": "\0"}, {"after": "x"}, {"after": "0"}, {"after": "9" * 30}),
        *({"limit": -1}, {"since": "1d"}, {"after": 7}),
    ],
)
def test_a_wrong_question_is_refused(app, wrong):
    """In place of an answer to another one."""
    with pytest.raises(OptionError):
        app.audit.find(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "a" * 201}, {"name": "a\n"}, {"name": 7}, {"door": "window"}]
    + [{"role": "king"}, {"name": "\ud800"}],
)
def test_a_wrong_actor_is_refused(app, wrong):
    """Before anything is done."""
    with pytest.raises(OptionError):
        app.acting_as(**{"name": "ada"} | wrong)


def test_nothing_is_done_that_cannot_be_written_down(registry, tmp_path):
    """And what was done stays done when its end cannot be."""
    import sqlite3

    path = tmp_path / "jobs.db"
    with closing(App(f"sqlite:///{path}", registry=registry)) as app:
        app.queues.resume("mail")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE rotulus_audit RENAME TO elsewhere")
            with app.acting_as("ada"), pytest.raises(StoreError):
                app.queues.pause("mail")
            assert [] == app.queues.list()
            connection.execute("ALTER TABLE elsewhere RENAME TO rotulus_audit")
            connection.execute(
                "CREATE TRIGGER refuse BEFORE UPDATE ON rotulus_audit "
                "BEGIN SELECT raise(ABORT, 'no'); END"
            )
            connection.commit()
        with app.acting_as("ada"):
            app.queues.pause("mail")
        [entry] = app.audit.find()

        assert [True] == [queue.paused for queue in app.queues.list()]
        assert (None, None) == (entry.ended_at, entry.count)


def test_the_audit_is_kept_as_long_as_statistics(still_app, clock):
    """Then a duty deletes it."""
    with still_app.acting_as("ada"):
        still_app.queues.pause("mail")
    clock.advance(89 * 86_400)
    still_app.tick()
    assert 1 == len(still_app.audit.find())
    clock.advance(2 * 86_400)
    still_app.tick()

    assert [] == still_app.audit.find()


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.anywhere)])
def shared(request, tmp_path):
    """Where jobs live that several processes see."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    url = request.getfixturevalue("database")
    with closing(App(url)) as made:
        made.store.migrate()
    return url


def killed_at(app, number):
    """Pause a queue in a forked process that is killed before a bytecode; whether it was."""
    pid = os.fork()
    if pid == 0:
        kill = Interrupter(
            number,
            ["_app/auditing.py"],
            handler=lambda: os.kill(os.getpid(), signal.SIGKILL),
        )
        with app.acting_as("ada"), kill.armed():
            app.queues.pause("mail")
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


@pytest.mark.anywhere
def test_a_kill_leaves_no_change_without_its_entry(shared, registry):
    """Before each bytecode from the beginning of an entry to its end: begun, or done as well."""
    seen, number = set(), 0
    with closing(App(shared, registry=registry)) as app:
        known = 0
        while killed_at(app, number):
            number += 1
            entries = app.audit.find()
            [new] = entries[: len(entries) - known] or [None]
            known = len(entries)
            paused = bool(app.queues.list())
            ended = new is not None and new.ended_at is not None
            seen.add((new is not None, paused, ended))
            app.queues.resume("mail")

    assert {
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (True, True, True),
    } == seen
    assert number > 50


PROGRAM = """
import os, signal, sys
from rotulus import App, TaskRegistry
app = App(sys.argv[1], registry=TaskRegistry())
with app.acting_as("ada"):
    app.jobs.cancel(
        state="queued", progress=lambda told: os.kill(os.getpid(), signal.SIGKILL)
    )
"""


@pytest.mark.anywhere
def test_a_process_that_dies_in_the_middle_leaves_what_it_had_begun(shared, registry, python):
    """Of 700 jobs 500 are cancelled; nobody can tell, so the entry has no end."""
    import subprocess

    with closing(App(shared, registry=registry)) as app:
        Shop(app).waiting(700)
        told = subprocess.run([*python, "-c", PROGRAM, shared], check=False, timeout=60)
        [entry] = app.audit.find()

        assert -signal.SIGKILL == told.returncode
        assert 200 == app.jobs.count(state="queued")
        assert ("jobs.cancel", {"state": "queued"}) == (entry.verb, entry.detail)
        assert (None, None, None) == (entry.count, entry.error, entry.ended_at)
