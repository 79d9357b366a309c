"""Bodies that do their worst: one ended job each, and a worker that goes on."""

import asyncio
import gc
import sys
import threading

import pytest

from rotulus import State, task
from rotulus.testing import drain


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Secretive(Exception):
    @property
    def __notes__(self):
        raise RuntimeError("no notes")

    __cause__ = __notes__


class Unkind(BaseException):
    """Not an Exception."""


def circle():
    loop = []
    loop.append(loop)
    return loop


def deep():
    value = []
    for _ in range(5_000):
        value = [value]
    return value


class Evil:
    def __iter__(self):
        raise SystemExit(9)

    def __repr__(self):
        raise KeyboardInterrupt

    __str__ = __repr__


RAISED = {
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": lambda: KeyboardInterrupt(),
    "GeneratorExit": lambda: GeneratorExit(),
    "CancelledError": lambda: asyncio.CancelledError(),
    "TimeoutError": lambda: TimeoutError("mine"),
    "StopIteration": lambda: StopIteration(5),
    "StopAsyncIteration": lambda: StopAsyncIteration(),
    "Unkind": lambda: Unkind("x"),
    "Unprintable": lambda: Unprintable(),
    "Secretive": lambda: Secretive(),
    "ExceptionGroup": lambda: ExceptionGroup("many", [ValueError(1), KeyError(2)]),
    "MemoryError": lambda: MemoryError(),
    "RecursionError": lambda: RecursionError(),
    "long": lambda: ValueError("x" * 10_000_000),
    "surrogate": lambda: ValueError("\ud800\x00\x1b[31m"),
}

RESULTS = {
    "NaN": lambda: float("nan"),
    "inside": lambda: {"a": [1, float("inf")]},
    "surrogate": lambda: "\ud800",
    "surrogate key": lambda: {"\udfff": 1},
    "50 MB": lambda: "x" * 50_000_000,
    "circle": circle,
    "deep": deep,
    "object": lambda: object(),
    "function": lambda: len,
    "huge int": lambda: 10**5000,
    "tuple keys": lambda: {(1, 2): 3},
    "evil": Evil,
    "bytes": lambda: b"\xff\x00",
    "set": lambda: {5},
    "generator": lambda: (x for x in (1, 2)),
    "int keys": lambda: {1: 2},
    "tuple": lambda: (1, 2),
}

STORABLE = {
    "nul": (lambda: "\x00", "\x00"),
    "none": (lambda: None, None),
    "big int": (lambda: 2**200, 2**200),
    "text": (lambda: "NaN ü 🎉", "NaN ü 🎉"),
}


def bodies(app, function):
    """A plain task, a coroutine, and both with a timeout."""

    async def coroutine():
        await asyncio.sleep(0)
        return function()

    n = len(app.registry)
    return [
        task(f"p{n}", registry=app.registry)(lambda: function()),
        task(f"c{n}", registry=app.registry)(coroutine),
        task(f"tp{n}", timeout=30, registry=app.registry)(lambda: function()),
        task(f"tc{n}", timeout=30, registry=app.registry)(lambda: coroutine()),
    ]


def thrower(make):
    def body():
        raise make()

    return body


@pytest.mark.parametrize("name", RAISED)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whatever_a_body_raises_is_a_failure(app, name):
    """Recorded as one, with the worker alive and the next job run."""

    @task(registry=app.registry)
    def after():
        return "alive"

    jobs = [body.enqueue() for body in bodies(app, thrower(RAISED[name]))]
    last = after.enqueue()
    drain(app)

    assert {(State.FAILED, "error")} == {(j.refresh().state, j.refresh().reason) for j in jobs}
    for job in jobs:
        error = job.refresh().error
        assert len(error.message) < 3_000
        assert len(error.traceback) < 20_000
    assert "alive" == last.result(0)


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_result_that_cannot_be_stored_is_a_failure(app, name):
    """It says what is wrong with the result."""
    jobs = [body.enqueue() for body in bodies(app, RESULTS[name])]
    drain(app)

    assert {State.FAILED} == {job.refresh().state for job in jobs}
    reasons = {(job.refresh().reason, "the result" in str(job.refresh().error)) for job in jobs}
    assert {("result", True)} == reasons or name == "evil"


@pytest.mark.parametrize("name", STORABLE)
def test_a_result_that_can_be_stored_is(app, name):
    """As JSON has it."""
    make, expected = STORABLE[name]
    jobs = [body.enqueue() for body in bodies(app, make)]
    drain(app)

    assert [expected] * 4 == [job.result(0) for job in jobs]


def test_a_function_that_returns_a_coroutine_is_awaited(app):
    """What counts is what it comes to."""

    async def real():
        return 5

    job = task("t", registry=app.registry)(lambda: real()).enqueue()
    drain(app)

    assert 5 == job.result(0)


def test_a_background_task_that_exits_does_not_take_the_worker_along(app):
    """SystemExit in a task of a task would end any event loop."""

    @task(registry=app.registry)
    async def careless():
        async def background():
            raise SystemExit(5)

        asyncio.create_task(background())  # noqa: RUF006 - that is what careless bodies do
        await asyncio.sleep(0.01)
        return "done"

    @task(registry=app.registry)
    def after():
        return "alive"

    jobs = [careless.enqueue(), after.enqueue()]
    drain(app)

    assert ["done", "alive"] == [job.result(0) for job in jobs]


def test_a_coroutine_that_swallows_its_cancellation_loses_its_slot(app, monkeypatch):
    """After some patience; it is told, and left to itself."""
    from rotulus._engine import body
    from rotulus.events import BodyStuck

    monkeypatch.setattr(body, "STOP_TIMEOUT", 0.05)
    stuck = []
    app.events.subscribe(stuck.append, BodyStuck)
    release = []

    @task(timeout=0.05, registry=app.registry)
    async def stubborn():
        while not release:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    @task(registry=app.registry)
    async def after():
        release.append(1)
        return "alive"

    job, last = stubborn.enqueue(), after.enqueue()
    app.run_worker(burst=True, slots=1)

    assert (State.FAILED, "timeout") == (job.refresh().state, job.refresh().reason)
    assert "alive" == last.result(0)
    assert ["stubborn"] == [event.job.task for event in stuck]


def test_a_worker_with_too_many_stuck_bodies_retires(app, monkeypatch):
    """It fails those, gives up, and says what to do; another worker runs the rest."""
    from rotulus._engine import body, worker
    from rotulus.errors import WorkerStuckError
    from rotulus.events import WorkerRetiring

    monkeypatch.setattr(body, "STOP_TIMEOUT", 0.05)
    monkeypatch.setattr(worker, "_MOST_STUCK", 3)
    retiring = []
    app.events.subscribe(retiring.append, WorkerRetiring)
    release = threading.Event()

    @task(timeout=0.05, registry=app.registry)
    def stubborn():
        release.wait(60)

    @task(registry=app.registry)
    def after():
        return "alive"

    jobs = stubborn.enqueue_many([()] * 3)
    try:
        with pytest.raises(WorkerStuckError, match="3 bodies did not stop.*isolation='process'"):
            app.run_worker(slots=3)
    finally:
        release.set()
    last = after.enqueue()
    drain(app)

    assert {(State.FAILED, "timeout")} == {(j.refresh().state, j.refresh().reason) for j in jobs}
    assert ["3 bodies do not stop, and hold a thread each"] == [e.reason for e in retiring]
    assert "alive" == last.result(0)


def test_a_coroutine_that_finishes_in_spite_of_its_timeout_has_failed(app):
    """Its time was over."""

    @task(timeout=0.02, registry=app.registry)
    async def late():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return "too late"

    job = late.enqueue()
    drain(app)

    assert State.FAILED == job.refresh().state


def test_a_body_that_blocks_the_loop_does_not_lose_its_lease(app):
    """Leases are renewed by a thread of their own."""
    import time

    @task(registry=app.registry)
    async def blocking():
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            sum(range(1000))
        return "done"

    job = blocking.enqueue()
    app.run_worker(burst=True, lease=0.4)

    assert ("done", 1) == (job.result(0), job.refresh().attempt)


def test_what_a_body_leaves_behind_does_not_reach_the_next(app):
    """Context variables, above all."""
    import contextvars

    variable = contextvars.ContextVar("variable", default="clean")

    def body():
        before = variable.get()
        variable.set("dirty")
        return before

    jobs = [each.enqueue() for each in bodies(app, body) for _ in range(3)]
    app.run_worker(burst=True, slots=1)

    assert {"clean"} == {job.result(0) for job in jobs}


def test_a_body_that_changes_its_arguments_changes_nothing_else(app):
    """Each attempt has its own."""

    @task(registry=app.registry)
    def body(values: list[int]):
        values.append(1)
        return values

    job = body.enqueue([5])
    drain(app)

    assert ([5, 1], {"values": [5]}) == (job.result(0), job.refresh().arguments)


def test_a_body_cannot_register_tasks(app):
    """The registry is frozen while it runs."""

    @task(registry=app.registry)
    def body():
        task("sneaky", registry=app.registry)(lambda: None)

    job = body.enqueue()
    drain(app)

    assert "RegistryFrozenError" == job.refresh().error.type
    assert not app.registry.frozen


def test_a_traceback_shows_the_tasks_own_frames(app):
    """Not those of the framework."""

    @task(registry=app.registry)
    def body():
        inner()

    def inner():
        raise ValueError("no")

    job = body.enqueue()
    drain(app)
    shown = job.refresh().error.traceback

    assert shown.startswith("Traceback (most recent call last)")
    assert "in inner" in shown
    assert "rotulus/_" not in shown


def test_a_stack_overflow_is_a_failure(app):
    """In a thread, where the stack is smaller."""

    @task(registry=app.registry)
    def body():
        def recurse(n):
            return recurse(n + 1) + 1

        # Python 3.11 may collect right at the limit: what others have left could not be finalized.
        gc.disable()
        try:
            return recurse(0)
        finally:
            gc.enable()

    before = sys.getrecursionlimit()
    job = body.enqueue()
    drain(app)

    assert "RecursionError" == job.refresh().error.type
    assert before == sys.getrecursionlimit()


def test_a_job_whose_outcome_breaks_the_store_does_not_hold_up_others(app):
    """A cancellation may carry any text."""
    from rotulus import Cancel

    @task(registry=app.registry)
    def odd():
        raise Cancel("\ud800" + "x" * 100_000)

    @task(registry=app.registry)
    def even():
        return threading.current_thread().name

    jobs = [odd.enqueue(), even.enqueue()]
    drain(app)

    assert State.CANCELLED == jobs[0].refresh().state
    assert jobs[1].result(0).startswith("rotulus-task")
