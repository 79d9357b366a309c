"""A step that waits for something outside gives its slot to others meanwhile."""

import asyncio
import threading

import pytest

import rotulus.workflow as wf
from rotulus import State, task
from rotulus.errors import HandleConsumedError
from rotulus.events import BodyStuck, ConditionFailed
from rotulus.testing import drain
from rotulus.workflow import Run

KINDS = pytest.mark.parametrize("kind", ["plain", "async"])


@pytest.fixture
def defer(app):
    """Declares a workflow of one step that defers until a condition holds; runs of it."""

    def declare(kind, condition, *, interval=20, seen=None, **options):
        note = [] if seen is None else seen

        def step(context, handle):
            note.append(handle)
            handle.defer_until(condition, poll_interval_ms=interval)
            note.append("goes on")
            context.set("held", handle.is_slot_held())

        async def astep(context, handle):
            note.append(handle)
            await handle.defer_until(condition, poll_interval_ms=interval)
            note.append("goes on")
            context.set("held", handle.is_slot_held())

        with wf.WorkflowBuilder("flow", registry=app.registry):
            wf.task(id="wait", **options)(step if kind == "plain" else astep)
        return lambda: Run(app, app.enqueue("flow").id)

    return declare


@pytest.fixture
def worker(app):
    """Starts a worker with one slot, in a thread; it is stopped at the end."""
    threads = []

    def start(**options):
        how = {"slots": 1, "drain": 0.2, **options}
        thread = threading.Thread(target=app.run_worker, kwargs=how)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        while thread.is_alive():
            app.stop()
            thread.join(1)


def until(holds, seconds=20):
    """Wait for something that a worker brings about."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come about")


@KINDS
@pytest.mark.parametrize("other", ["plain", "async"])
def test_another_job_runs_in_the_only_slot(app, defer, kind, other):
    """The condition is made true by that job; the step goes on when the slot is its own again."""
    ready, held, handles = threading.Event(), [], []

    def condition():
        held.append(handles[0].is_slot_held())
        return ready.is_set()

    begin = defer(kind, condition, seen=handles)

    def unlock():
        ready.set()

    async def aunlock():
        ready.set()

    key = task("unlock", registry=app.registry)(unlock if other == "plain" else aunlock)
    run = begin()
    job = key.using(delay=0).enqueue()
    app.run_worker(burst=True, slots=1)

    assert State.SUCCEEDED == job.refresh().state
    assert {"held": True} == run.wait(0).final_context
    assert {False} == set(held)


@KINDS
def test_a_step_takes_its_slot_before_it_goes_on(app, defer, kind):
    """While another job has the only one, it waits, though its condition holds."""
    order, ready, asked = [], threading.Event(), threading.Event()

    def condition():
        if ready.is_set():
            asked.set()
        return ready.is_set()

    @task(registry=app.registry)
    def busy():
        ready.set()
        asked.wait(20)
        threading.Event().wait(0.1)
        order.append("busy is done")

    run = defer(kind, condition, seen=order)()
    busy.enqueue()
    app.run_worker(burst=True, slots=1)

    assert "Completed" == run.status
    assert ["busy is done", "goes on"] == order[1:]


@KINDS
def test_the_job_shows_that_it_is_deferred(app, defer, worker, kind):
    """As long as it waits, and not afterwards; the lease is kept."""
    ready = threading.Event()
    run = defer(kind, ready.is_set)()
    worker(lease=1)
    until(lambda: run.job.state == "blocked" and run.step("wait").reason == "deferred")
    assert State.RUNNING == run.step("wait").state
    threading.Event().wait(1.2)  # the lease would be over by now
    assert [] == app.store.rescue(10)
    ready.set()
    run.wait(20)

    assert (State.SUCCEEDED, None, 1) == (
        run.step("wait").state,
        run.step("wait").reason,
        run.step("wait").attempt,
    )


def test_the_reason_goes_while_the_step_runs_on(app, worker):
    """It has its slot again."""
    ready, done = threading.Event(), threading.Event()
    with wf.WorkflowBuilder("flow", registry=app.registry):

        @wf.task(id="wait")
        def wait(context, handle):
            handle.defer_until(ready.is_set, poll_interval_ms=20)
            done.wait(20)

    run = Run(app, app.enqueue("flow").id)
    worker()
    until(lambda: run.step("wait").reason == "deferred")
    ready.set()
    until(lambda: run.step("wait").reason is None)
    assert State.RUNNING == run.step("wait").state
    done.set()
    assert "Completed" == run.wait(20).status


@KINDS
def test_a_deferred_step_is_cancelled(app, defer, worker, kind):
    """Whatever its interval."""
    run = defer(kind, lambda: False, interval=600_000)()
    worker()
    until(lambda: run.step("wait").reason == "deferred")
    run.cancel()
    assert "Cancelled" == run.wait(20).status
    until(lambda: run.step("wait").state == "cancelled")


@KINDS
def test_a_worker_that_stops_gives_a_deferred_step_back(app, defer, worker, kind):
    """It begins anew elsewhere, and nothing is counted against it."""
    ready = threading.Event()
    run = defer(kind, ready.is_set, interval=600_000)()
    first = worker()
    until(lambda: run.step("wait").reason == "deferred")
    app.stop()
    first.join(20)
    assert not first.is_alive()
    step = run.step("wait")
    assert (State.QUEUED, "shutdown") == (step.state, step.reason)
    ready.set()
    drain(app)

    assert "Completed" == run.status
    assert (2, 0, 0) == (
        run.step("wait").attempt,
        run.step("wait").record.failures,
        run.step("wait").record.losses,
    )


@KINDS
def test_a_condition_that_raises_does_not_hold(app, defer, caplog, kind):
    """Which is told; nor does one that returns anything but True."""
    told, answers = [], [ValueError("not yet"), 1, "yes", None, True]
    app.events.subscribe(told.append, ConditionFailed)

    def condition():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    run = defer(kind, condition, interval=1)()
    drain(app)

    assert "Completed" == run.status
    assert [] == answers
    assert ["ValueError: not yet"] == [str(event.error) for event in told]
    assert "not yet" in caplog.text


def test_a_condition_may_be_a_coroutine(app, defer):
    """For a step that is one."""
    asked = []

    async def condition():
        await asyncio.sleep(0)
        asked.append(1)
        return len(asked) > 2

    run = defer("async", condition, interval=1)()
    drain(app)
    assert ("Completed", 3) == (run.status, len(asked))


@KINDS
def test_a_handle_is_of_no_use_once_its_step_has_returned(app, defer, kind):
    """Nor after a failure."""
    kept = []
    defer(kind, lambda: True, seen=kept)()
    drain(app)
    for use in (
        lambda: kept[0].is_slot_held(),
        lambda: kept[0].defer_until(lambda: True),
        lambda: kept[0].defer(5),
    ):
        with pytest.raises(HandleConsumedError, match="consumed") as caught:
            use()
        assert isinstance(caught.value, ValueError)


@KINDS
def test_a_deferred_step_has_its_timeout(app, defer, kind):
    """It failed, its thread comes back, and the slot is there for the next."""
    stuck, asked = [], []
    app.events.subscribe(stuck.append, BodyStuck)

    def condition():
        asked.append(1)
        return False

    run = defer(kind, condition, interval=10, timeout=0.2)()
    later = [task(f"later{n}", registry=app.registry)(lambda: None) for n in range(3)]
    jobs = [one.enqueue() for one in later]
    app.run_worker(burst=True, slots=1)

    assert ("failed", "timeout") == (run.step("wait").state, run.step("wait").reason)
    assert {State.SUCCEEDED} == {job.refresh().state for job in jobs}
    threading.Event().wait(0.3)  # it may have been asking
    before = len(asked)
    threading.Event().wait(0.1)
    assert before == len(asked), "nobody asks any more"


def test_many_deferred_steps_share_one_slot(app):
    """More than the worker has slots; all of them go on, one after the other."""
    ready, together, most = threading.Event(), [], []
    with wf.WorkflowBuilder("flow", registry=app.registry):

        @wf.task(id="each", for_each="items")
        def each(context, handle):
            handle.defer_until(ready.is_set, poll_interval_ms=10)
            together.append(1)
            most.append(len(together))
            together.pop()
            return context["item"]

        @wf.task(id="unlock")
        def unlock(context):
            ready.set()

    run = Run(app, app.enqueue("flow", items=list(range(20))).id)
    app.run_worker(burst=True, slots=1)

    assert list(range(20)) == run.wait(0).final_context["each"]
    assert 1 == max(most)


@KINDS
def test_a_step_may_defer_more_than_once(app, kind):
    """And hold its slot in between."""
    held = []
    with wf.WorkflowBuilder("flow", registry=app.registry):

        def step(context, handle):
            for _ in range(3):
                handle.defer_until(lambda: True)
                held.append(handle.is_slot_held())

        async def astep(context, handle):
            for _ in range(3):
                await handle.defer_until(lambda: True)
                held.append(handle.is_slot_held())

        wf.task(id="wait")(step if kind == "plain" else astep)

    app.enqueue("flow")
    app.run_worker(burst=True, slots=1)
    assert [True, True, True] == held


@pytest.mark.parametrize("slots", [1, 2])
def test_a_step_may_wait_for_several_things_at_once(app, slots):
    """Each comes about in another job, in the slot that the step has left."""
    ready = {name: threading.Event() for name in "ab"}
    with wf.WorkflowBuilder("flow", registry=app.registry):

        @wf.task(id="wait")
        async def wait(context, handle):
            waits = (handle.defer_until(ready[name].is_set, poll_interval_ms=10) for name in "ab")
            await asyncio.gather(*waits)
            context.set("held", handle.is_slot_held())

    run = Run(app, app.enqueue("flow").id)
    later = [task(f"set{n}", registry=app.registry)(event.set) for n, event in ready.items()]
    jobs = [one.enqueue() for one in later]
    app.run_worker(burst=True, slots=slots)

    assert "Completed" == run.status
    assert {"held": True} == run.wait(0).final_context
    assert {State.SUCCEEDED} == {job.refresh().state for job in jobs}


def test_a_step_may_wait_with_a_timeout_of_its_own(app, worker):
    """Its slot is its own again afterwards, and no slot of the worker is lost or won by that."""
    most, running, lock = [0], [0], threading.Lock()
    with wf.WorkflowBuilder("flow", registry=app.registry):

        @wf.task(id="wait", for_each="items")
        async def wait(context, handle):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await handle.defer_until(lambda: False, poll_interval_ms=10)
            await asyncio.sleep(0)
            return handle.is_slot_held()

    @task("busy", registry=app.registry)
    def busy():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.05)
        with lock:
            running[0] -= 1

    run = Run(app, app.enqueue("flow", items=list(range(8))).id)
    app.run_worker(burst=True, slots=2)
    for _ in range(8):
        busy.enqueue()
    begun = app.enqueue("flow", items=[1, 2, 3])
    app.run_worker(burst=True, slots=2)

    assert [True] * 8 == run.wait(0).final_context["wait"]
    assert [True] * 3 == begun.result(0)["wait"]
    assert 2 == most[0]


def test_a_coroutine_that_does_not_await_is_told_so(app, go, recwarn):
    """It has not waited, and that is a failure."""
    with wf.WorkflowBuilder("flow", registry=app.registry):

        @wf.task(id="hasty")
        async def hasty(context, handle):
            handle.defer_until(lambda: False)

    run = go()

    assert State.FAILED == run.step("hasty").state
    assert "await handle.defer_until(...)" in run.step("hasty").error.message
    assert [] == [warning for warning in recwarn if "never awaited" in str(warning.message)]
