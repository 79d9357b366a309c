"""Every verb that waits for the store has a form for coroutines, which leaves the event loop alone."""

import asyncio
import inspect
import sqlite3
import threading
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import pytest

from rotulus import App, Job, Task, TaskRegistry, task
from rotulus.errors import EventLoopError, RotulusError
from rotulus.testing import adrain, drain

WITHOUT = {
    App: {
        *("using", "provide", "reserve", "use", "carry", "lifespan", "set_slots", "stop"),
        *("group", "acting_as"),
        "supervise",
    },
    Job: {"progress", "raise_if_cancelled", "complete", "to_dict", "log"},
    Task: {"using"},
}
"""What waits for no store, or runs on the terms of its caller: a connection, a process."""


NO_SCHEDULE = ("get", "set", "pause", "resume", "remove", "run_now", "backfill", "instants")

NO_WEBHOOK = ("get", "set", "pause", "resume", "rotate", "remove", "test", "replay", "deliveries")

REFUSED = {
    *("Job.aresult", "Failures.aget", "Runs.aget", "Runs.astep", "Runs.agraph", "Runs.areplay"),
    *("Runs.aparts", "Runs.askip"),
    *("Jobs.aedit", "Workers.adrain"),
    *(f"Schedules.a{verb}" for verb in NO_SCHEDULE),
    *(f"Webhooks.a{verb}" for verb in NO_WEBHOOK),
    *("Tokens.aget", "Tokens.aremove", "Push.aplan"),
}
"""What raises here: the result comes too late, the job is no run, so it has no steps, and is
cancelled by another call or runs in one, so it is not edited; nothing failed, and there is no such
schedule, webhook or token, nor a route of pushes."""


def verbs(kind):
    """The public methods of a class and of those it is made of."""
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name for name, _ in found if not name.startswith("_")}


def resources(app):
    """The resources of an app, by name."""
    kinds = "rotulus._app.resources"
    return {n: v for n, v in vars(app).items() if type(v).__module__.startswith(kinds)}


def pairs(kind):
    """The verbs that have to have both forms."""
    found = verbs(kind) - WITHOUT.get(kind, set())
    return {name for name in found if not inspect.iscoroutinefunction(getattr(kind, name))}


def test_each_verb_has_a_form_for_coroutines(app):
    """With an `a` in front, and the same arguments."""
    kinds = [App, Job, Task, type(app.using()), *map(type, resources(app).values())]
    missing = [
        f"{kind.__name__}.a{name}"
        for kind in kinds
        for name in pairs(kind)
        if not inspect.iscoroutinefunction(getattr(kind, f"a{name}", None))
    ]
    different = [
        f"{kind.__name__}.a{name}"
        for kind in kinds
        for name in pairs(kind) - {"run_worker"}
        if inspect.signature(getattr(kind, name)).parameters
        != inspect.signature(getattr(kind, f"a{name}")).parameters
    ]

    assert {
        "jobs",
        "queues",
        "schedules",
        "workers",
        "runs",
        "stats",
        "failures",
        "changes",
        "audit",
        "tokens",
        "webhooks",
        "push",
        "limits",
    } == set(resources(app))
    assert ([], []) == (missing, different)


@asynccontextmanager
async def ticking(longest=0.5):
    """An event loop that goes on: no pause of it is longer than so many seconds."""
    pauses = []

    async def tick():
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            pauses.append(time.monotonic() - began)

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        ticker.cancel()
    assert len(pauses) > 20
    assert max(pauses) < longest


def calls(app, job, work):
    """A call of each verb's form for coroutines, by the name of the verb."""
    arguments = {
        "App.aenqueue": ("work", 1),
        "App.arun": ("work", 1),
        "App.aget": (job.id,),
        "App.acancel": (job.id,),
        "App.aretry": (job.id,),
        "App.apause": ("other",),
        "App.aresume": ("other",),
        "App.areceive": ("work", [1], {}),
        "Job.aresult": (0.3,),
        "Task.aenqueue": (1,),
        "Task.aenqueue_many": ([1, 2],),
        "Sender.aenqueue": ("work", 1),
        "Jobs.aget": (job.id,),
        "Jobs.acount_by": ("task",),
        "Jobs.alogs": (job.id,),
        "Jobs.acancel": (job.id,),
        "Jobs.aretry": (job.id,),
        "Jobs.arun": (job.id,),
        "Jobs.aedit": (job.id,),
        "Jobs.adelete": ("of another job",),
        "Jobs.areprioritise": (job.id,),
        "Queues.apause": ("other",),
        "Workers.adrain": ("nobody",),
        "Schedules.aadd": ("hourly",),
        "Schedules.aget": ("nightly",),
        "Schedules.apause": ("nightly",),
        "Schedules.aresume": ("nightly",),
        "Schedules.aremove": ("nightly",),
        "Schedules.aset": ("nightly",),
        "Schedules.ainstants": ("nightly",),
        "Schedules.arun_now": ("nightly",),
        "Schedules.abackfill": ("nightly", datetime(2026, 1, 1, tzinfo=UTC)),
        "Queues.aresume": ("other",),
        "Runs.aget": (job.id,),
        "Runs.acancel": (job.id,),
        "Runs.aretry": (job.id,),
        "Runs.apause": (job.id,),
        "Runs.aresume": (job.id,),
        "Runs.asteps": (job.id,),
        "Runs.agraph": (job.id,),
        "Runs.aparts": (job.id,),
        "Runs.atimeline": (job.id,),
        "Failures.aget": ("0" * 12,),
        "Failures.aretry": ("0" * 12,),
        "Failures.adelete": ("0" * 12,),
        "Failures.amute": ("0" * 12,),
        "Failures.aunmute": ("0" * 12,),
        "Limits.aget": ("customer:7",),
        "Limits.aset": ("customer:7",),
        "Limits.aunset": ("customer:7",),
        "Runs.astep": (job.id, "none"),
        "Tokens.aadd": ("ci", "viewer"),
        "Tokens.afind": ("rot_x",),
        "Tokens.aget": ("none",),
        "Tokens.aremove": ("none",),
        "Runs.areplay": (job.id, "none"),
        "Runs.askip": (job.id, "none"),
        "Queues.aget": ("other",),
        "Webhooks.aadd": ("new", "https://hooks.example/hook"),
        "Webhooks.areplay": (job.id,),
        **{f"Webhooks.a{verb}": ("none",) for verb in NO_WEBHOOK if verb != "replay"},
    }
    held = [app, job, work, app.using(priority=1), *resources(app).values()]
    found = {}
    for value in held:
        for name in pairs(type(value)) - {"run_worker", "close"}:
            known = f"{type(value).__name__}.a{name}"
            method = getattr(value, f"a{name}")
            found[known] = (method, arguments.get(known, ()))
    assert set(arguments) <= set(found)
    named = {
        "App.areceive": {"key": "m1"},
        "Jobs.areprioritise": {"priority": 1},
        "Limits.aset": {"limit": 2},
        "Webhooks.aadd": {"events": "job.failed"},
        "Webhooks.aset": {"events": "job.died"},
        "Jobs.aedit": {"priority": 1},
        "Schedules.aadd": {"task": "work", "every": 3600, "arguments": {"number": 1}},
    }
    for name, more in named.items():
        method, given = found[name]
        found[name] = partial(method, **more), given
    return found


async def call_all(app, job, work):
    """Call them all at once; what they say that is no answer."""
    asked = calls(app, job, work)
    assert len(asked) > 30
    answers = await asyncio.gather(
        *(method(*given) for method, given in asked.values()), return_exceptions=True
    )
    told = dict(zip(asked, answers, strict=True))
    return {name: one for name, one in told.items() if isinstance(one, BaseException)}


@pytest.fixture
def work(registry):
    """A task."""

    @task(registry=registry)
    def work(number: int) -> int:
        return number

    return work


@pytest.mark.anywhere
def test_no_verb_holds_up_the_loop_while_a_server_is_frozen(server, registry, work):
    """All of them together, while nobody answers; when somebody does, they go on."""
    with server.database() as url:
        app = App(url, registry=registry)
        app.store.migrate()
        job = work.enqueue(0)

        async def main():
            server.freeze()
            try:
                calling = asyncio.create_task(call_all(app, job, work))
                async with ticking():
                    await asyncio.wait({calling}, timeout=1.5)
            finally:
                server.thaw()
            return await calling

        failed = asyncio.run(main())
        app.close()
    assert REFUSED >= {n for n, one in failed.items() if isinstance(one, RotulusError)}
    assert [] == [one for one in failed.values() if not isinstance(one, RotulusError)]


def test_no_verb_holds_up_the_loop_while_a_file_is_locked(registry, work):
    """Another process is writing."""
    app = App("sqlite:///jobs.db", registry=registry)
    job = work.enqueue(0)
    other = sqlite3.connect("jobs.db", isolation_level=None, check_same_thread=False)

    async def main():
        other.execute("BEGIN IMMEDIATE")
        try:
            calling = asyncio.create_task(call_all(app, job, work))
            async with ticking():
                await asyncio.wait({calling}, timeout=1.5)
        finally:
            other.rollback()
        return await calling

    failed = asyncio.run(main())
    other.close()
    app.close()
    assert REFUSED >= set(failed)


def test_an_app_is_opened_and_closed_beside_the_loop(registry, work):
    """Though its file is being written, and has to be brought up to date."""
    other = sqlite3.connect("jobs.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")

    async def use():
        async with App("sqlite:///jobs.db", registry=registry) as app:
            return await app.aenqueue("work", 1)

    async def main():
        using = asyncio.create_task(use())
        async with ticking():
            await asyncio.wait({using}, timeout=1)
        other.rollback()
        return await using

    assert 1 == asyncio.run(main()).arguments["number"]
    other.close()


def test_calls_beside_the_loop_leave_its_threads_to_the_application(app, work):
    """More of its functions may wait for an enqueue than it has threads."""

    async def main():
        loop = asyncio.get_running_loop()

        def legacy(number):
            return asyncio.run_coroutine_threadsafe(app.aenqueue("work", number), loop).result(20)

        return await asyncio.gather(*(asyncio.to_thread(legacy, n) for n in range(60)))

    assert 60 == len(asyncio.run(main()))


def test_a_worker_runs_beside_an_event_loop(app, work):
    """Until the coroutine that awaits it is cancelled: then it finishes what it has."""

    async def main():
        worker = asyncio.create_task(app.arun_worker(slots=2))
        job = await work.aenqueue(7)
        value = await job.aresult(30)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker
        return value

    assert 7 == asyncio.run(main())
    assert [] == app.workers.list()


def test_a_loop_is_not_begun_on_a_loop(app, work):
    """The error names what to await; no coroutine is left behind."""

    async def begin(what):
        what()

    for what, instead in (
        (lambda: drain(app), "await adrain"),
        (app.run_worker, "await app.arun_worker"),
        (lambda: app.run("work", 1), "await app.arun"),
        (lambda: app.supervise(["true"]), "asyncio.to_thread"),
    ):
        with pytest.raises(EventLoopError, match=instead):
            asyncio.run(begin(what))


def test_a_test_on_an_event_loop_drains_with_adrain(app, work):
    """As drain does."""

    async def main():
        jobs = await work.aenqueue_many([1, 2, 3])
        return jobs, await adrain(app, slots=1)

    jobs, ended = asyncio.run(main())
    assert jobs == ended
    assert ["succeeded"] * 3 == [job.state for job in ended]
    assert 5 == asyncio.run(app.arun("work", 5))


def test_a_drain_with_one_slot_keeps_the_order(still_app):
    """Of priorities, say."""
    ran = []

    @task(registry=still_app.registry)
    async def note(number: int) -> None:
        ran.append(number)

    for number in range(5):
        note.using(priority=number).enqueue(number)
    drain(still_app, slots=1)

    assert [4, 3, 2, 1, 0] == ran


def test_a_call_that_is_given_up_runs_on(app, work):
    """Its answer is dropped, and nothing else is disturbed."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(TaskRegistry):
        """Waits when it is looked at."""

        def __iter__(self):
            begun.set()
            go_on.wait(20)
            return super().__iter__()

    slow = App("sqlite://", registry=Slow())

    async def main():
        listing = asyncio.create_task(slow.schedules.alist())
        await asyncio.to_thread(begun.wait, 20)
        listing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listing
        go_on.set()
        return await slow.schedules.alist()

    assert [] == asyncio.run(main())
    slow.close()
