"""Background jobs: coroutines that go on after the request, as jobs of ours in any store."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest

from rotulus import App, Cancel, Retry, Snooze, TaskRegistry, current_app
from rotulus.errors import (
    ArgumentsError,
    JobFailedError,
    JobNotFoundError,
    JobUnfinishedError,
    OptionError,
    ResultTimeoutError,
    RotulusError,
    SchedulerClosedError,
)
from rotulus.service import JobScheduler, JobStatus, SpawnedJob
from rotulus.service.records import STATUSES
from rotulus.service.spawned import KEPT
from service.test_database import fork, wait_for

OWNER = contextvars.ContextVar("OWNER", default="nobody")


@pytest.fixture
def app(jobs_url):
    """An app in each kind of store."""
    made = App(jobs_url, registry=TaskRegistry())
    made.store.migrate()
    yield made
    made.close()


def run(app, body, *, slots=None):
    """Run a coroutine function with a scheduler, which is closed at the end."""

    async def whole():
        scheduler = JobScheduler(slots, app=app)
        try:
            return await body(scheduler)
        finally:
            await scheduler.close(0)

    return asyncio.run(whole())


async def until(holds, seconds=30):
    """Wait for something that another thread brings about."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.005)


async def value(of, after=None):
    """Waits for something, and returns."""
    if after is not None:
        await after.wait()
    return of


def statuses(records):
    return [record.status.value for record in records]


@pytest.mark.requirement("C-44", "C-45", "C-46")
def test_C_44_a_coroutine_runs_in_the_background(app):
    """Spawning returns at once, with the id of a job that says how it stands."""

    async def body(scheduler):
        over = asyncio.Event()
        job_id = await scheduler.spawn(value({"n": 1}, over), description="count")
        assert job_id == str(job_id) and 36 == len(job_id)
        await until_status(scheduler, job_id, "running")
        before = await scheduler.get_record(job_id)
        with pytest.raises(JobUnfinishedError, match=r"Job not finished \(status=running\)"):
            await scheduler.get_result(job_id)
        over.set()
        assert await scheduler.wait(job_id) is None
        after = await scheduler.get_record(job_id)
        return job_id, before, after, await scheduler.get_result(job_id)

    job_id, before, after, result = run(app, body)
    assert {"n": 1} == result == app.get(job_id).result(0)
    assert isinstance(after, SpawnedJob)
    assert ("running", None) == (before.status, before.finished_at)
    assert ("completed", "count", None) == (after.status, after.description, after.error)
    assert after.submitted_at <= after.started_at <= after.finished_at
    assert [("spawned", "succeeded")] == [(job.task, str(job.state)) for job in app.jobs()]


async def until_status(scheduler, job_id, status):
    async with asyncio.timeout(30):
        while await scheduler.get_status(job_id) != status:  # noqa: ASYNC110 - of a store
            await asyncio.sleep(0.005)


@pytest.mark.requirement("C-47", "C-28")
def test_C_47_no_more_run_at_once_than_allowed(app):
    """Five, of a dozen; the number may be changed, and none stands for as many as there are."""

    async def body(scheduler):
        now, most, over = 0, [], asyncio.Semaphore(0)

        async def work():
            nonlocal now
            now += 1
            most.append(now)
            await over.acquire()
            now -= 1

        ids = [await scheduler.spawn(work()) for _ in range(20)]
        await until(lambda: now == 5)
        for _ in range(5):
            over.release()
        await until(lambda: len(most) == 10)
        assert 5 == max(most)
        await scheduler.set_max_concurrency(7)
        await until(lambda: now == 7)
        del most[:]
        await scheduler.set_max_concurrency(2)
        for _ in range(5):
            over.release()
        await until(lambda: now == 2)
        over.release()
        await until(lambda: len(most) == 1)
        assert [2] == most
        await scheduler.set_max_concurrency(None)
        await until(lambda: len(most) == 8)
        for _ in range(20):
            over.release()
        for job_id in ids:
            await scheduler.wait(job_id)

    run(app, body, slots=5)


@pytest.mark.requirement("C-50")
def test_C_50_a_job_may_spawn_others_and_go_on_after_its_request(app):
    """On the loop of the request, with the variables that it had."""

    async def body(scheduler):
        loops, ended = [], []

        async def inner(number):
            loops.append(asyncio.get_running_loop())
            ended.append((number, OWNER.get()))

        async def outer():
            ids = [await scheduler.spawn(inner(n)) for n in range(3)]
            for job_id in ids:
                await scheduler.wait(job_id)

        async def request():
            OWNER.set("ada")
            return await scheduler.spawn(outer())

        await scheduler.wait(await asyncio.create_task(request()))
        assert {asyncio.get_running_loop()} == set(loops)
        return sorted(ended)

    assert [(0, "ada"), (1, "ada"), (2, "ada")] == run(app, body)


@pytest.mark.requirement("C-43")
def test_C_43_a_scheduler_is_of_its_class_and_starts_nothing_by_itself():
    """A factory may ask, and a service may have one that it never uses."""
    before = threading.active_count()
    scheduler = JobScheduler(5)

    assert isinstance(scheduler, JobScheduler)
    assert before == threading.active_count()
    asyncio.run(scheduler.close())


def test_what_a_job_raises_is_raised_where_it_is_waited_for(app):
    """The error itself, with the frames of its own code; its record has the last line."""

    async def body(scheduler):
        mine = ValueError("no such file")

        async def fails():
            raise mine

        job_id = await scheduler.spawn(fails())
        with pytest.raises(ValueError) as caught:
            await scheduler.wait(job_id)
        assert mine is caught.value
        with pytest.raises(RuntimeError, match="^ValueError: no such file$") as told:
            await scheduler.get_result(job_id)
        assert isinstance(told.value, JobFailedError)
        record = await scheduler.get_record(job_id)
        assert ("failed", "ValueError: no such file") == (record.status, record.error)
        assert "in fails" in record.error_traceback
        assert "rotulus" not in record.error_traceback

    run(app, body)


@pytest.mark.parametrize("raised", [Snooze(1), Retry(), SystemExit(3), KeyboardInterrupt()])
def test_a_spawned_job_ends_whatever_it_raises(raised, tmp_path):
    """It runs once, and takes nothing down with it."""

    async def body(scheduler):
        async def odd():
            raise raised

        job_id = await scheduler.spawn(odd())
        with pytest.raises((JobFailedError, RotulusError)):
            await scheduler.wait(job_id)
        assert "failed" == await scheduler.get_status(job_id)
        after = await scheduler.spawn(value(1))
        await scheduler.wait(after)

    run(None, body)


@pytest.mark.parametrize("how", ["itself", "signal"])
def test_a_job_may_cancel_itself(how):
    """It ends cancelled, and whoever waits is told, and not cancelled."""

    async def body(scheduler):
        async def stops():
            raise asyncio.CancelledError if how == "itself" else Cancel("not today")

        job_id = await scheduler.spawn(stops())
        with pytest.raises(JobFailedError, match="was cancelled"):
            await scheduler.wait(job_id)
        assert "canceled" == await scheduler.get_status(job_id)

    run(None, body)


def test_a_job_that_waits_for_its_turn_is_really_cancelled(app):
    """Its record ends at once, and its coroutine is closed: nobody complains that it never ran."""

    async def body(scheduler):
        over, ran = asyncio.Event(), []

        async def work(name):
            ran.append(name)
            await over.wait()

        first = await scheduler.spawn(work("first"))
        await until(lambda: ran)
        waiting = work("second")
        second = await scheduler.spawn(waiting)
        assert "pending" == await scheduler.get_status(second)
        assert await scheduler.cancel(second)
        record = await scheduler.get_record(second)
        assert "canceled" == record.status and record.finished_at is not None
        assert waiting.cr_frame is None
        assert not await scheduler.cancel(second)
        over.set()
        await scheduler.wait(first)
        assert ["first"] == ran

    run(app, body, slots=1)


def test_a_job_that_runs_is_cancelled_where_it_waits(app):
    """At once, with its clean-up; it may have the last word."""

    async def body(scheduler):
        begun, cleaned = asyncio.Event(), []

        async def work(*, stubborn):
            try:
                begun.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cleaned.append(stubborn)
                if not stubborn:
                    raise
            return "done all the same"

        for stubborn in (False, True):
            begun.clear()
            job_id = await scheduler.spawn(work(stubborn=stubborn))
            await begun.wait()
            assert await scheduler.cancel(job_id)
            expected = "completed" if stubborn else "canceled"
            assert expected == await scheduler.get_status(job_id)
        assert [False, True] == cleaned
        with pytest.raises(JobUnfinishedError, match=r"status=canceled"):
            await scheduler.get_result((await scheduler.list_records())[1].id)

    run(app, body)


def test_what_somebody_else_cancels_ends_here(app, monkeypatch):
    """Through the store: what waits is let go, and what runs is told."""
    monkeypatch.setattr("rotulus.service.background_worker.LOOK_EVERY", 0.1)

    async def body(scheduler):
        begun = asyncio.Event()

        async def work():
            begun.set()
            await asyncio.sleep(60)

        waiting = work()
        ids = [await scheduler.spawn(one) for one in (work(), waiting)]
        await begun.wait()
        await app.acancel(*ids)
        await until(lambda: waiting.cr_frame is None)
        for job_id in ids:
            await until_status(scheduler, job_id, "canceled")

    run(app, body, slots=1)


@pytest.mark.parametrize("kind", ["coroutine function", "function", "coroutine", "future"])
def test_a_job_may_be_a_function_or_an_awaitable(kind):
    """A plain function is called in a thread."""

    async def twice(n=21):
        return 2 * n

    async def body(scheduler):
        if kind == "future":
            target = asyncio.get_running_loop().create_future()
            target.set_result(42)
        else:
            target = {
                "coroutine function": lambda: twice,
                "function": lambda: lambda n: (2 * n, threading.current_thread()),
                "coroutine": twice,
            }[kind]()
        args = (21,) if "function" in kind else ()
        job_id = await scheduler.add_job(target, *args)
        await scheduler.wait(job_id)
        return await scheduler.get_result(job_id)

    result = run(None, body)
    if kind == "function":
        assert 42 == result[0]
        assert threading.current_thread() is not result[1]
    else:
        assert 42 == result


def test_an_awaitable_takes_no_arguments():
    """That comes out when it is run, and it is closed."""

    async def body(scheduler):
        awaitable = value(1)
        job_id = await scheduler.add_job(awaitable, 5)
        with pytest.raises(TypeError):
            await scheduler.wait(job_id)
        assert awaitable.cr_frame is None
        assert "TypeError" in (await scheduler.get_record(job_id)).error

    run(None, body)


@pytest.mark.parametrize("what", [5, None, value])
def test_what_cannot_be_awaited_is_refused(what):
    """On the line that says so."""

    async def body(scheduler):
        with pytest.raises(ArgumentsError, match="spawn"):
            await scheduler.spawn(what)
        with pytest.raises(TypeError):
            await scheduler.add_job(5)

    run(None, body)


def test_a_result_that_is_not_json_is_kept_where_it_was_made(app):
    """The store has none, and the record says why."""

    async def body(scheduler):
        thing = object()
        job_id = await scheduler.spawn(value({"thing": thing}))
        await scheduler.wait(job_id)
        assert thing is (await scheduler.get_result(job_id))["thing"]
        record = await scheduler.get_record(job_id)
        assert "dict" in record.note and "JSON" in record.note
        elsewhere = JobScheduler(app=app)
        assert await elsewhere.get_result(job_id) is None
        assert record == await elsewhere.get_record(job_id)
        await elsewhere.close()

    run(app, body)


def test_the_memory_of_results_is_bounded(monkeypatch):
    """The last ones are kept; of the others, what the store has."""
    monkeypatch.setattr("rotulus.service.spawned.KEPT", 3)
    assert KEPT == 1000

    class Thing:
        pass

    async def body(scheduler):
        things = [Thing() for _ in range(6)]
        alive = [weakref.ref(thing) for thing in things]
        ids = [await scheduler.spawn(value(thing)) for thing in things]
        for job_id in ids:
            await scheduler.wait(job_id)
        del things
        gc.collect()
        assert 3 >= sum(one() is not None for one in alive)
        assert await scheduler.get_result(ids[0]) is None
        assert await scheduler.get_result(ids[-1]) is alive[-1]()

    run(None, body, slots=1)


@pytest.mark.parametrize("wrong", ["x", "01234567-89ab-cdef-0123-456789abcdef", "", 5, None])
def test_an_unknown_id_is_a_key_error(app, wrong):
    """For each verb; a beginning of an id will not do."""

    async def body(scheduler):
        job_id = await scheduler.spawn(value(1))
        verbs = (scheduler.get_record, scheduler.get_result, scheduler.wait, scheduler.cancel)
        for verb in (*verbs, scheduler.delete, scheduler.get_status):
            for missing in (wrong, job_id[:20]):
                with pytest.raises(KeyError) as caught:
                    await verb(missing)
                assert isinstance(caught.value, JobNotFoundError)

    run(app, body)


def test_records_are_listed_the_last_first(app):
    """All of them, or those with a status; the first ones first, if that is asked for."""

    async def fails():
        raise ValueError

    async def body(scheduler):
        good, bad = await scheduler.spawn(value(1)), await scheduler.spawn(fails())
        await scheduler.wait(good)
        with pytest.raises(ValueError):
            await scheduler.wait(bad)
        everything = await scheduler.get_all_records()
        assert [bad, good] == [record.id for record in everything]
        assert everything[::-1] == await scheduler.list_records(reverse=True)
        for status, expected in (("failed", [bad]), (JobStatus.COMPLETED, [good]), ("pending", [])):
            found = await scheduler.list_records(status_filter=status)
            assert expected == [record.id for record in found]
        with pytest.raises(ValueError):
            await scheduler.list_records("nonsense")

    run(app, body)


def test_a_job_that_is_deleted_is_gone(app):
    """Also one that runs, which is cancelled first."""

    async def body(scheduler):
        begun = asyncio.Event()

        async def work():
            begun.set()
            await asyncio.sleep(60)

        for coroutine in (value(1), work()):
            job_id = await scheduler.spawn(coroutine)
            await (begun.wait() if coroutine.__name__ == "work" else scheduler.wait(job_id))
            await scheduler.delete(job_id)
            with pytest.raises(KeyError):
                await scheduler.get_record(job_id)
        assert [] == await scheduler.get_all_records() == app.jobs()

    run(app, body)


def test_a_wait_that_takes_too_long_ends_and_the_job_goes_on():
    """It is a `TimeoutError`."""

    async def body(scheduler):
        over = asyncio.Event()
        job_id = await scheduler.spawn(value(1, over))
        with pytest.raises(TimeoutError) as caught:
            await scheduler.wait(job_id, 0.05)
        assert isinstance(caught.value, ResultTimeoutError)
        over.set()
        await scheduler.wait(job_id)

    run(None, body)


def test_every_state_of_a_job_has_a_status():
    """And every status is one of a state."""
    from rotulus import State

    assert set(State) == set(STATUSES)
    assert set(JobStatus) == set(STATUSES.values())


@pytest.mark.parametrize("number", [0, -1, 2.5, "many"])
def test_a_number_that_cannot_be_is_refused(number):
    """Where it is given."""
    with pytest.raises(OptionError, match="slots"):
        JobScheduler(number)


def test_a_closed_scheduler_takes_nothing_and_leaves_nothing(app):
    """What waits and what runs is cancelled, and the coroutine that came too late is closed."""

    async def body():
        scheduler = JobScheduler(1, app=app)
        begun, ended = asyncio.Event(), []

        async def work():
            try:
                begun.set()
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        ids = [await scheduler.spawn(work()) for _ in range(3)]
        await begun.wait()
        await scheduler.close(0)
        late = value(1)
        with pytest.raises(SchedulerClosedError):
            await scheduler.spawn(late)
        assert late.cr_frame is None
        assert [True] == ended
        assert ["cancelled"] * 3 == [str(app.get(job_id).state) for job_id in ids]
        await scheduler.close()

    asyncio.run(body())
    names = {thread.name for thread in threading.enumerate()}
    assert not {"rotulus-spawned", "rotulus-lost"} & names
    assert [] == [worker.name for worker in app.workers.list()]


def test_a_scheduler_gives_what_runs_some_time_to_end(app):
    """Then its result stands."""

    async def body():
        scheduler = JobScheduler(app=app)
        begun = asyncio.Event()

        async def work():
            begun.set()
            await asyncio.sleep(0.2)
            return "in time"

        job_id = await scheduler.spawn(work())
        await begun.wait()
        await scheduler.close(30)
        return job_id

    assert "in time" == app.get(asyncio.run(body())).result(0)


def test_a_scheduler_serves_several_loops(app):
    """Each job runs on the loop that it was spawned on; one whose loop has ended is lost."""
    scheduler = JobScheduler(1, app=app)

    async def spawn(after=None):
        return await scheduler.spawn(value(1, after))

    async def first():
        blocker = asyncio.Event()
        await spawn(blocker)
        return await spawn(asyncio.Event())

    async def second():
        job_id = await spawn()
        await scheduler.wait(job_id)
        with pytest.raises(JobFailedError, match="event loop"):
            await scheduler.get_result(orphan)
        await scheduler.close()

    orphan = asyncio.run(first())
    asyncio.run(second())


def test_a_job_is_found_by_the_code_that_it_runs():
    """Its log lines carry its id, and not that of the job that spawned it."""
    from rotulus._jobs.current import CURRENT

    async def body(scheduler):
        async def who():
            return CURRENT.get().job.id

        async def outer():
            inner = await scheduler.spawn(who())
            await scheduler.wait(inner)
            return [await who(), inner, await scheduler.get_result(inner)]

        job_id = await scheduler.spawn(outer())
        await scheduler.wait(job_id)
        mine, inner, seen = await scheduler.get_result(job_id)
        assert (job_id, inner) == (mine, seen)

    run(None, body)


EXITS = {
    "unused": "scheduler = JobScheduler()",
    "idle": "await scheduler.wait(await scheduler.spawn(work(0)))",
    "running": "await scheduler.spawn(work(60)); await asyncio.sleep(0.2)",
    "waiting": "[await scheduler.spawn(work(60)) for _ in range(3)]; await asyncio.sleep(0.2)",
    "in a thread": "await scheduler.add_job(time.sleep, 60); await asyncio.sleep(0.2)",
    "just spawned": "await scheduler.spawn(work(60))",
}


@pytest.mark.parametrize("stores", ["memory", "file"])
@pytest.mark.parametrize("how", EXITS)
def test_a_program_ends_though_nobody_closed_its_scheduler(tmp_path, how, stores):
    """At once, and without a word; of a job that had just begun it may say that it is lost."""
    url = "sqlite://" if stores == "memory" else f"sqlite:///{tmp_path}/jobs.db"
    program = f"""
        import asyncio, time
        from rotulus import App, TaskRegistry
        from rotulus.service import JobScheduler

        async def work(seconds):
            await asyncio.sleep(seconds)

        app = App({url!r}, registry=TaskRegistry())
        scheduler = JobScheduler(1, app=app)

        async def main():
            {EXITS[how]}

        asyncio.run(main())
        print("over", flush=True)
    """
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ("over\n", 0) == (done.stdout, done.returncode)
    # On a busy machine asyncio tells in its debug mode how long something took.
    # There, 0.2 seconds may be too short for a job to be more than just begun.
    said = [line for line in done.stderr.splitlines() if line and not line.startswith("Executing")]
    assert [] == [line for line in said if "JobLostError" not in line]
    assert time.monotonic() - began < 30


def test_the_tasks_of_an_app_are_not_disturbed(app):
    """The scheduler has a registry of its own: an app lists, and a worker knows, what it did."""

    async def body(scheduler):
        await scheduler.wait(await scheduler.spawn(value(1)))
        assert [] == app.registry.list_all()
        assert app is current_app(app.registry)

    run(app, body)


@pytest.mark.anywhere
@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_forked_child_has_a_scheduler_that_begins_anew(place, tmp_path):
    """What its parent has spawned goes on there; in a store that they share both can see it."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    shared = App(url, registry=TaskRegistry()) if place == "file" else None
    scheduler = JobScheduler(app=shared)

    async def double(number):
        return 2 * number

    async def go_on(started, going):
        started.set()
        await going.wait()
        return 6

    async def in_child(job_id):
        mine = await scheduler.spawn(double(4))
        await scheduler.wait(mine, 30)
        assert 8 == await scheduler.get_result(mine)
        if shared is None:
            with pytest.raises(JobNotFoundError):
                await scheduler.get_record(job_id)
        else:
            assert JobStatus.RUNNING == await scheduler.get_status(job_id)
        await scheduler.close(0)

    async def main():
        started, going = asyncio.Event(), asyncio.Event()
        job_id = await scheduler.spawn(go_on(started, going))
        await started.wait()
        child = fork(lambda: asyncio.run(in_child(job_id)))
        assert 0 == await asyncio.to_thread(wait_for, child)
        going.set()
        await scheduler.wait(job_id, 30)
        assert 6 == await scheduler.get_result(job_id)
        await scheduler.close(0)

    asyncio.run(main())
    if shared is not None:
        shared.close()
