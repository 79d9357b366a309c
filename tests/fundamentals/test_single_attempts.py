"""`app.jobs.run`: one attempt of one job, where its caller is."""

import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import rotulus.workflow as wf
from rotulus import App, Cancel, Job, Retry, Snooze, State, task
from rotulus.errors import (
    EventLoopError,
    StoreError,
    StoreUnavailableError,
    ThreadNotStartedError,
)
from rotulus.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BodyStuck,
    JobsRescued,
    OutcomeRefused,
)
from rotulus.store import ClaimFilter

PAUSE = threading.Event()


def until(holds, seconds=30):
    """Wait for something that another thread brings about."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        PAUSE.wait(0.01)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def url(request, tmp_path):
    """Where jobs live, of either kind."""
    if request.param == "postgres":
        return request.getfixturevalue("database")
    return f"sqlite:///{tmp_path}/jobs.db"


@pytest.fixture
def app(url, registry):
    """An app on that store."""
    made = App(url, registry=registry, lease=2.0)
    made.store.migrate()
    yield made
    made.close()


def test_a_plain_function_runs_in_the_thread_of_its_caller(app, registry):
    """So what is bound to that thread, as its database connection is, can be used."""
    local, variable = threading.local(), contextvars.ContextVar("v")
    local.value = "mine"
    variable.set("also")

    @task(registry=registry, timeout=30)
    def where():
        return [threading.get_ident(), local.value, variable.get()]

    job = where.enqueue()

    assert [threading.get_ident(), "mine", "also"] == app.jobs.run(job.id).job.result()


def test_a_coroutine_runs_in_it_as_well(app, registry):
    """On an event loop of its own; also one that a plain function hands back."""

    @task(registry=registry, timeout=30)
    async def where():
        await asyncio.sleep(0)
        return threading.get_ident()

    @task(registry=registry)
    def handed_back():
        return where.function()

    for one in (where, handed_back):
        assert threading.get_ident() == app.jobs.run(one.enqueue().id).job.result()


def test_a_coroutine_runs_on_the_loop_of_its_caller(app, registry):
    """And a plain function in a thread."""
    loops = []

    @task(registry=registry, timeout=30)
    async def on_loop():
        loops.append(asyncio.get_running_loop())

    @task(registry=registry)
    def in_thread():
        return threading.get_ident()

    async def main():
        first, second = on_loop.enqueue(), in_thread.enqueue()
        tried = await app.jobs.arun(first.id)
        assert [asyncio.get_running_loop()] == loops
        assert (True, State.SUCCEEDED) == (tried.ran, tried.job.state)
        tried = await app.jobs.arun(second.id)
        assert State.SUCCEEDED == tried.job.state
        return second.id

    ident = app.jobs.get(asyncio.run(main())).result()
    assert threading.get_ident() != ident


def test_on_an_event_loop_it_has_to_be_awaited(app, registry):
    """As a coroutine would need a loop of its own."""

    async def main():
        app.jobs.run("x")

    with pytest.raises(EventLoopError, match="arun"):
        asyncio.run(main())


def test_what_the_body_raises_is_an_outcome(app, registry):
    """It is handed back, and not raised; the policy decides what becomes of the job."""
    raised = []

    @task(registry=registry, retry=Retry(attempts=2, delay=500.0, jitter=False))
    def fails():
        error = ValueError(f"no {len(raised)}")
        raised.append(error)
        raise error

    job = fails.enqueue()
    first, second, third = (app.jobs.run(job.id) for _ in range(3))

    assert (True, State.DELAYED, raised[0]) == (first.ran, first.job.state, first.error)
    assert (True, State.FAILED, raised[1]) == (second.ran, second.job.state, second.error)
    assert (False, State.FAILED, None) == (third.ran, third.job.state, third.error)
    assert 2 == second.job.attempt


def test_a_task_that_exits_does_not_end_its_caller(app, registry):
    """Also from a coroutine."""

    @task(registry=registry)
    def leaves():
        sys.exit(3)

    @task(registry=registry)
    async def leaves_too():
        sys.exit(3)

    @task(registry=registry)
    async def leaves_something_that_does():
        async def exits():
            sys.exit(3)

        asyncio.create_task(exits())  # noqa: RUF006 - it is left behind
        await asyncio.sleep(60)

    for one in (leaves, leaves_too, leaves_something_that_does):
        tried = app.jobs.run(one.enqueue().id)
        assert (State.FAILED, SystemExit) == (tried.job.state, type(tried.error))


def test_a_task_that_cancels_everything_on_its_loop_has_failed(app, registry):
    """Its caller has not been cancelled."""

    @task(registry=registry)
    async def cancels():
        for one in asyncio.all_tasks():
            one.cancel()
        await asyncio.sleep(60)

    assert State.FAILED == app.jobs.run(cancels.enqueue().id).job.state


def test_a_job_that_asks_for_later_is_not_due_before(app, registry):
    """It waits; one that cancels itself has ended."""

    @task(registry=registry)
    def later():
        raise Snooze(60)

    @task(registry=registry)
    def never():
        raise Cancel("not wanted")

    job = later.enqueue()
    assert State.DELAYED == app.jobs.run(job.id).job.state
    assert (False, State.DELAYED) == (app.jobs.run(job.id)[1], app.get(job.id).state)
    assert State.CANCELLED == app.jobs.run(never.enqueue().id).job.state


def test_it_is_told_like_any_attempt(app, registry):
    """The same events, in the same order."""
    told = []

    @task(registry=registry)
    def works(well=True):
        assert well

    app.events.subscribe(told.append, AttemptStarted, AttemptSucceeded, AttemptFailed)
    app.jobs.run(works.enqueue().id)
    app.jobs.run(works.enqueue(well=False).id)

    kinds = [type(event) for event in told]
    assert [AttemptStarted, AttemptSucceeded, AttemptStarted, AttemptFailed] == kinds
    assert isinstance(told[-1].error, AssertionError)


@pytest.mark.parametrize("limit", [None, 1])
def test_of_many_who_ask_one_makes_the_attempt(app, registry, limit):
    """Eight threads at once: the body runs once for each attempt that is allowed."""
    ran, lock = [], threading.Lock()

    @task(registry=registry, retry=Retry(attempts=3, delay=0.0), limit=limit)
    def fails(number):
        with lock:
            ran.append(number)
        raise ValueError

    def ask(job):
        while not app.jobs.run(job.id).job.state.ended:
            pass

    for number in range(5):
        job = fails.enqueue(number)
        threads = [threading.Thread(target=ask, args=(job,)) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join(60) for thread in threads]
        assert (State.FAILED, 3) == (app.get(job.id).state, app.get(job.id).attempt)
        assert 3 == ran.count(number)


def test_its_lease_is_renewed_while_it_runs(app, registry):
    """Nobody takes it meanwhile, however long it takes; and its progress is stored."""
    go, began, progress = threading.Event(), threading.Event(), []

    @task(registry=registry)
    def long(job: Job):
        job.progress(1, 2)
        began.set()
        assert go.wait(60)
        return "done"

    job = long.enqueue()
    thread = threading.Thread(target=app.jobs.run, args=(job.id,))
    thread.start()
    until(began.is_set)
    end = time.monotonic() + 3.0  # longer than its lease
    while time.monotonic() < end:
        held = app.jobs.run(job.id)
        assert (False, State.RUNNING) == (held.ran, held.job.state)
        progress.append(held.job.reached)
        PAUSE.wait(0.1)
    go.set()
    thread.join(60)

    assert ("done", 1) == (app.get(job.id).result(), app.get(job.id).attempt)
    assert 1 == progress[-1].done


def test_a_cancelled_job_is_told(app, registry):
    """A coroutine is interrupted, a plain function looks."""
    began = threading.Event()

    @task(registry=registry)
    async def waits():
        began.set()
        await asyncio.sleep(60)

    @task(registry=registry)
    def looks(job: Job):
        began.set()
        while not job.cancel_requested:
            PAUSE.wait(0.01)
        raise Cancel("as asked")

    for one in (waits, looks):
        began.clear()
        job, found = one.enqueue(), []
        thread = threading.Thread(
            target=lambda job=job, found=found: found.append(app.jobs.run(job.id))
        )
        thread.start()
        assert began.wait(30)
        app.cancel(job.id)
        thread.join(30)
        assert [State.CANCELLED] == [tried.job.state for tried in found]


def test_a_coroutine_has_as_long_as_its_timeout(app, registry):
    """Then it is interrupted."""

    @task(registry=registry, timeout=0.1)
    async def waits():
        await asyncio.sleep(60)

    tried = app.jobs.run(waits.enqueue().id)
    assert (State.FAILED, "timeout", TimeoutError) == (
        tried.job.state,
        tried.job.reason,
        type(tried.error),
    )


def test_a_plain_function_that_takes_too_long_has_failed_before_it_returns(app, registry):
    """It cannot be interrupted: its attempt is settled, and it goes on; what it returns is nothing."""
    told, ended_at_return = [], []

    @task(registry=registry, timeout=0.2)
    def slow(job: Job):
        end = time.monotonic() + 30
        while app.get(job.id).state == State.RUNNING and time.monotonic() < end:
            PAUSE.wait(0.02)
        ended_at_return.append(app.get(job.id).state)
        return "late"

    app.events.subscribe(told.append, BodyStuck, AttemptFailed, AttemptSucceeded, OutcomeRefused)
    tried = app.jobs.run(slow.enqueue().id)

    assert [State.FAILED] == ended_at_return
    assert (True, State.FAILED, "timeout") == (tried.ran, tried.job.state, tried.job.reason)
    assert isinstance(tried.error, TimeoutError)
    assert [AttemptFailed, BodyStuck] == [type(event) for event in told]


def test_a_job_of_a_dead_process_is_taken_back_and_run(app, registry, url):
    """When its lease is over, by who asks for it; a file knows at once."""
    told = []

    @task(registry=registry)
    def works():
        return 1

    job = works.enqueue()
    [held] = app.store.claim(ClaimFilter("dead", ids=[job.id]), 1, 0.3)
    app.events.subscribe(told.append, JobsRescued)
    first = app.jobs.run(job.id)
    assert first.ran or State.RUNNING == first.job.state
    end = time.monotonic() + 30
    while app.get(job.id).state != State.SUCCEEDED and time.monotonic() < end:
        app.jobs.run(job.id)
        PAUSE.wait(0.05)

    assert (State.SUCCEEDED, 2) == (app.get(job.id).state, app.get(job.id).attempt)
    assert [job.id] == [one.id for event in told for one in event.jobs]
    assert [held] and 1 == len(told)


def test_a_task_that_is_not_known_here(app, registry):
    """It is given up, unless it is left for others for a while."""
    job = app.using(unchecked=True).enqueue("elsewhere")
    tried = app.jobs.run(job.id)
    patient = App(app.url, registry=registry, like=None, unknown_grace=60.0)
    other = patient.using(unchecked=True).enqueue("elsewhere")
    left = patient.jobs.run(other.id)

    assert (False, State.QUEUED) == (left.ran, left.job.state)
    if app.url.startswith("sqlite"):
        assert (True, State.DEAD, "unknown_task") == (tried.ran, tried.job.state, tried.job.reason)
    else:
        assert (False, State.QUEUED) == (tried.ran, tried.job.state)
    patient.close()


def test_an_attempt_within_an_attempt(app, registry):
    """Each knows its own job."""

    @task(registry=registry)
    def inner(job: Job):
        return job.id

    @task(registry=registry)
    def outer(job: Job):
        one = inner.enqueue()
        inside = app.jobs.run(one.id).job.result()
        return [inside == one.id, job.id]

    job = outer.enqueue()

    assert [True, job.id] == app.jobs.run(job.id).job.result()


def test_an_isolated_task_runs_in_a_process_of_its_own(app, registry):
    """Which is forked for it."""

    @task(registry=registry, isolation="process", timeout=30)
    def where():
        return os.getpid()

    assert os.getpid() != app.jobs.run(where.enqueue().id).job.result()


def test_an_interrupt_gives_the_job_back(app, registry):
    """And is raised, as it was meant for the caller."""

    @task(registry=registry)
    def interrupted():
        signal.raise_signal(signal.SIGINT)
        PAUSE.wait(60)

    @task(registry=registry)
    async def interrupted_too():
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    for one in (interrupted, interrupted_too):
        job = one.enqueue()
        with pytest.raises(KeyboardInterrupt):
            app.jobs.run(job.id)
        found = app.get(job.id)
        assert (State.QUEUED, None, "shutdown") == (found.state, found.error, found.reason)


def test_a_caller_that_is_cancelled_gives_the_job_back(app, registry):
    """The coroutine is interrupted with it."""
    stopped, began = [], asyncio.Event()

    @task(registry=registry)
    async def waits():
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(1)
            raise

    async def main():
        job = await waits.aenqueue()
        running = asyncio.create_task(app.jobs.arun(job.id))
        await began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return job.id

    found = app.get(asyncio.run(main()))
    assert [1] == stopped
    assert (State.QUEUED, "shutdown") == (found.state, found.reason)


def test_a_pause_holds_and_a_limit_has_no_room(app, registry):
    """The job says so."""

    @task(registry=registry, limit=1, limit_key="k")
    def works():
        return None

    first, second = works.enqueue(), works.enqueue()
    app.pause("default")
    assert not app.jobs.run(first.id).ran
    app.resume("default")
    app.store.claim(ClaimFilter("other", ids=[first.id]), 1, 30.0)
    tried = app.jobs.run(second.id)

    assert (False, State.QUEUED) == (tried.ran, tried.job.state)
    assert any("limit_key 'k'" in reason for reason in tried.job.why())


def test_a_beginning_of_the_id_will_do(app, registry):
    """As everywhere, if no other job begins so."""

    @task(registry=registry)
    def works():
        return None

    assert app.jobs.run(works.enqueue().id[:30]).ran


PROGRAM = """
import sys, time, os
from rotulus import App, task
@task
def dies(): os.kill(os.getpid(), 9)
app = App(sys.argv[1], lease=1.0)
app.jobs.run(sys.argv[2])
"""


def test_a_process_that_is_killed_in_an_attempt_loses_nothing(app, registry, python, url):
    """The next one who asks, when the lease is over, makes the next attempt."""

    @task(registry=registry)
    def dies():
        return "lived"

    job = dies.enqueue()
    ended = subprocess.run([*python, "-c", PROGRAM, url, job.id], capture_output=True, timeout=60)
    assert -signal.SIGKILL == ended.returncode, ended.stderr.decode()
    end = time.monotonic() + 30
    while not app.jobs.run(job.id).ran and time.monotonic() < end:
        PAUSE.wait(0.05)

    found = app.get(job.id)
    assert ("lived", 2, "lost") == (found.result(), found.attempt, found.attempts[0].reason)


def test_a_store_that_is_gone_is_an_error(app, registry):
    """The only thing that is raised."""

    @task(registry=registry)
    def works():
        return None

    job = works.enqueue()
    app.close()
    with pytest.raises(StoreError):
        app.jobs.run(job.id)
    assert issubclass(StoreUnavailableError, StoreError)


def test_a_caller_that_is_cancelled_at_any_moment_leaves_no_job_held(app, registry):
    """Neither while its job is claimed, nor while it is settled."""

    @task(registry=registry)
    async def works():
        await asyncio.sleep(0)

    async def main():
        for turns in range(40):
            job = await works.aenqueue()
            running = asyncio.create_task(app.jobs.arun(job.id))
            for _ in range(turns):
                await asyncio.sleep(turns / 20_000)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            yield job.id

    async def every():
        return [job_id async for job_id in main()]

    jobs = asyncio.run(every())
    until(lambda: not app.jobs.find(state="running"))
    assert {"queued", "succeeded"} >= {str(app.get(job).state) for job in jobs}
    assert all(app.jobs.run(job).job.state == State.SUCCEEDED for job in jobs)


def test_a_job_that_could_not_even_begin_is_given_back(app, registry, monkeypatch):
    """Here, as the system refuses the thread that would keep its lease."""

    @task(registry=registry)
    def works():
        return "done"

    job = works.enqueue()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refused)
        with pytest.raises(ThreadNotStartedError):
            app.jobs.run(job.id)
    assert State.QUEUED == app.get(job.id).state
    assert "done" == app.jobs.run(job.id).job.result()


def _refused(_thread):
    raise RuntimeError("can't start new thread")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_attempts_of_its_own(app, registry):
    """As a worker of its own, with a thread of its own, though its parent has made some."""

    @task(registry=registry, timeout=30)
    def works():
        return os.getpid()

    first, second = works.enqueue(), works.enqueue()
    app.jobs.run(first.id)
    child = os.fork()
    if child == 0:
        os._exit(0 if app.jobs.run(second.id).ran else 1)
    _, status = os.waitpid(child, 0)
    found = [app.get(job.id) for job in (first, second)]

    assert 0 == status
    assert [os.getpid(), child] == [job.result() for job in found]
    assert 2 == len({job.worker for job in found})


def test_a_step_of_a_run_can_be_asked_for(app, registry):
    """What waits for it is due then."""
    with wf.WorkflowBuilder("flow", registry=registry):

        @wf.task(id="one")
        def one(context):
            context.set("said", "hello")
            return context

        @wf.task(id="two", dependencies=["one"])
        def two(context):
            return context

    run = app.enqueue("flow")
    steps = {job.step: job.id for job in app.jobs.find(run=run.id)}
    assert not app.jobs.run(steps["two"]).ran
    for name in ("one", "two", ""):
        assert State.SUCCEEDED == app.jobs.run(steps[name]).job.state
