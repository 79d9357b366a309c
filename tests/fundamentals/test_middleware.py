"""`app.use(middleware)`: code around every attempt, whatever runs it."""

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import pytest

import rotulus.workflow as wf
from rotulus import App, Cancel, Middleware, Retry, Snooze, TaskRegistry, task
from rotulus.errors import OptionError
from rotulus.events import MiddlewareFailed
from rotulus.testing import drain

SEEN = ContextVar("seen", default="nothing")


class Noting(Middleware):
    """Notes what it sees, in a list."""

    def __init__(self, name, notes):
        self.name, self.notes = name, notes

    @contextmanager
    def around_attempt(self, attempt):
        self.notes.append((self.name, "enter", attempt.job.task, attempt.outcome))
        SEEN.set(self.name)
        yield
        self.notes.append((self.name, "leave", attempt.job.task, attempt.outcome))


class NotingLater(Noting):
    """The same as an asynchronous context manager."""

    @asynccontextmanager
    async def around_attempt(self, attempt):
        await asyncio.sleep(0)
        with super().around_attempt(attempt):
            yield
            await asyncio.sleep(0)


def declare(app, kind):
    """A task of a kind, which gives the context variable as its body sees that."""
    options = {"registry": app.registry, "name": kind}
    if kind == "isolated":
        return task(isolation="process", **options)(lambda: SEEN.get())
    if kind == "timed":
        return task(timeout=60, **options)(lambda: SEEN.get())
    if kind == "function":
        return task(**options)(lambda: SEEN.get())

    @task(**options)
    async def coroutine() -> str:
        return SEEN.get()

    return coroutine


@pytest.mark.parametrize("kind", ["function", "timed", "coroutine"])
@pytest.mark.parametrize("make", [Noting, NotingLater])
def test_it_surrounds_attempts_of_every_kind_in_order(app, kind, make):
    """The first one is the outermost."""
    notes = []
    app.use(make("outer", notes), Noting("inner", notes))
    job = declare(app, kind).enqueue()
    drain(app)

    assert "inner" == job.result(0)
    assert [
        ("outer", "enter", kind, "running"),
        ("inner", "enter", kind, "running"),
        ("inner", "leave", kind, "succeeded"),
        ("outer", "leave", kind, "succeeded"),
    ] == notes


@pytest.mark.parametrize("make", [Noting, NotingLater])
def test_an_isolated_attempt_is_surrounded_in_its_own_process(app, make):
    """The body is there, so what it sees has to be set there, and nothing happens here."""
    notes = []
    app.use(make("there", notes))
    job = declare(app, "isolated").enqueue()
    drain(app)

    assert "there" == job.result(0)
    assert [] == notes


ENDS = {
    "failed": ValueError("no"),
    "retried": Retry(attempts=3, delay=60),
    "snoozed": Snooze(60),
    "cancelled": Cancel(),
}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("outcome", ENDS)
def test_it_sees_the_outcome_and_the_exception(app, outcome, is_async):
    """An exception is not thrown into it."""
    seen = []

    class Watching(Middleware):
        @contextmanager
        def around_attempt(self, attempt):
            seen.append((attempt.number, attempt.state, attempt.reason))
            try:
                yield
            finally:
                raised = type(attempt.exception).__name__
                seen.append((attempt.outcome, str(attempt.state), attempt.reason, raised))

    def fails():
        raise ENDS[outcome]

    async def fails_later():
        raise ENDS[outcome]

    app.use(Watching())
    body = fails_later if is_async else fails
    task(registry=app.registry, name="fails")(body).enqueue()
    drain(app)

    state, reason, raised = {
        "failed": ("failed", "error", "ValueError"),
        "retried": ("queued", "retry", "Retry"),
        "snoozed": ("queued", "snooze", "NoneType"),
        "cancelled": ("cancelled", "cancelled by the task", "NoneType"),
    }[outcome]
    assert [(1, "running", None), (outcome, state, reason, raised)] == seen


class Failing(Middleware):
    """Raises where it is told to."""

    def __init__(self, where, error, make):
        self.where, self.error, self.make = where, error, make

    def around_attempt(self, attempt):
        if self.where == "called":
            raise self.error
        return self.make(self._around)()

    def _around(self):
        if self.where == "entered":
            raise self.error
        yield
        raise self.error


async def _awaiting(generator):
    for value in generator:
        yield value


@pytest.mark.parametrize("kind", ["function", "coroutine"])
@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(3), asyncio.CancelledError("closed")]
)
@pytest.mark.parametrize("where", ["called", "entered", "left"])
def test_one_that_raises_is_told_of_and_disturbs_nothing(app, where, error, kind):
    """Neither the attempt nor other middleware."""
    notes, told = [], []
    app.events.subscribe(told.append, MiddlewareFailed)
    app.use(Noting("outer", notes), Failing(where, error, contextmanager), Noting("inner", notes))
    job = declare(app, kind).enqueue()
    drain(app)

    assert "inner" == job.result(0)
    assert ["running", "running", "succeeded", "succeeded"] == [outcome for *_, outcome in notes]
    assert [(Failing, error)] == [(type(event.middleware), event.error) for event in told]
    assert f"Failing raised {error!r} around {kind} {job.id}" == told[0].line()
    assert {"middleware": "Failing"}.items() <= told[0].data().items()


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_a_method_without_its_decorator_is_told_of(app, kind):
    """With what is missing."""
    told = []
    app.events.subscribe(told.append, MiddlewareFailed)

    class Bare(Middleware):
        def around_attempt(self, attempt):
            yield

    class BareLater(Middleware):
        async def around_attempt(self, attempt):
            pass

    app.use(Bare(), BareLater())
    job = declare(app, kind).enqueue()
    drain(app)

    assert "nothing" == job.result(0)
    assert ["generator", "coroutine"] == [str(one.error).split()[3][:9] for one in told]
    assert all("put @contextmanager over" in str(one.error) for one in told)


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_an_asynchronous_one_that_raises_is_told_of(app, kind):
    """As any other."""
    told = []
    app.events.subscribe(told.append, MiddlewareFailed)

    class FailingLater(Middleware):
        @asynccontextmanager
        async def around_attempt(self, attempt):
            yield
            raise ValueError(attempt.outcome)

    app.use(FailingLater())
    job = declare(app, kind).enqueue()
    drain(app)

    assert "nothing" == job.result(0)
    assert ["ValueError('succeeded')"] == [repr(event.error) for event in told]


def test_an_attempt_that_is_stopped_while_it_is_entered_does_not_begin(app):
    """It is given back, as if the body had begun."""
    entered, begun, seen = threading.Event(), [], []

    class Waiting(Middleware):
        @asynccontextmanager
        async def around_attempt(self, attempt):
            entered.set()
            await asyncio.sleep(60)
            yield

    class Last(Middleware):
        @contextmanager
        def around_attempt(self, attempt):
            yield
            seen.append(attempt.outcome)

    @task(registry=app.registry)
    async def body():
        begun.append(1)

    app.use(Last(), Waiting())
    job = body.enqueue()
    worker = threading.Thread(target=app.run_worker, kwargs={"drain": 0.0})
    worker.start()
    assert entered.wait(30)
    app.stop()
    worker.join(30)

    assert ([], ["released"]) == (begun, seen)
    assert ("queued", "shutdown") == (job.refresh().state, job.refresh().reason)


def test_steps_are_surrounded(app):
    """And so is their run, which a worker ends with an attempt."""
    notes = []
    app.use(Noting("it", notes))
    with wf.WorkflowBuilder("flow", registry=app.registry):

        @wf.task(id="only")
        def only(context):
            context.set("seen", SEEN.get())
            return context

    run = app.enqueue("flow")
    drain(app)

    assert "it" == run.result(0)["seen"]
    left = [(name, outcome) for _, what, name, outcome in notes if what == "leave"]
    assert [("flow.only", "succeeded"), ("flow", "succeeded")] == left


def test_a_call_through_a_door_is_surrounded(app):
    """A single attempt of a job by its id goes through the same door."""
    notes = []
    app.use(Noting("it", notes))
    job = declare(app, "function").enqueue()
    app.jobs.run(job.id)

    assert "it" == job.result(0)
    assert ["running", "succeeded"] == [outcome for *_, outcome in notes]


def test_an_app_that_is_like_another_shares_it_and_one_in_its_place_has_a_copy(registry):
    """As with what is provided."""
    notes = []
    first = App("sqlite://", registry=registry)
    like = App("sqlite://", like=first)
    first.use(Noting("first", notes))
    declare(like, "function").enqueue()
    drain(like)
    like.close()
    instead = App("sqlite://", replaces=first)
    instead.use(Noting("second", notes))
    registry.get("function").enqueue()
    drain(instead)
    instead.close()
    registry.get("function").enqueue()
    drain(first)
    first.close()

    assert ["first", "first", "second", "first"] == [n for n, what, *_ in notes if what == "enter"]


def test_what_is_no_middleware_is_refused():
    """On the line that hands it in."""
    app = App("sqlite://", registry=TaskRegistry())
    with pytest.raises(OptionError, match=r"is no rotulus.Middleware: use\(MyMiddleware\(\)\)"):
        app.use(Noting)
    with pytest.raises(OptionError, match="Middleware overrides neither around_attempt nor"):
        app.use(Middleware())
