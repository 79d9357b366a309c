"""Injection: which parameters are filled, with what, for how long, and what is refused."""

from typing import Annotated, Optional

import pytest

from rotulus import App, Job, TaskRegistry, task
from rotulus.errors import InjectionError, OptionError
from rotulus.testing import drain


class Session:
    def __init__(self, name="plain"):
        self.name = name


class Special(Session): ...


class Report:
    def __init__(self, session: Session):
        self.session = session


def result(app, body, *args):
    """What a task comes to when a worker runs it."""
    declared = task(f"t{len(app.registry)}", registry=app.registry)(body)
    job = declared.enqueue(*args)
    drain(app)
    return job.result(0)


def both(sync):
    """A body as a plain function and as a coroutine function."""

    async def coroutine(*args, **kwargs):
        return sync(*args, **kwargs)

    coroutine.__signature__ = __import__("inspect").signature(sync)
    coroutine.__annotations__ = sync.__annotations__
    return [sync, coroutine]


@pytest.mark.parametrize(
    "kind", [Session, Session | None, Optional[Session], Annotated[Session, "db"]]
)
def test_a_type_is_filled_whatever_wraps_it(app, kind):
    """By type, not by name."""

    def body(x: int, whatever):
        return [x, whatever.name]

    body.__annotations__["whatever"] = kind
    app.provide(Session, lambda: Session("made"))

    for function in both(body):
        assert [5, "made"] == result(app, function, 5)


def test_a_subclass_is_not_its_base(app):
    """Exactly the type that was provided."""
    app.provide(Session, Session)

    with pytest.raises(InjectionError, match="Special"):
        result(app, _needs_special)


def _needs_special(special: Special): ...


def test_the_running_job_is_always_there(app):
    """It knows its attempt and takes progress."""

    def body(job: Job):
        job.progress(1, 2, "half")
        return [job.id, job.attempt, job.state, job.cancel_requested]

    job_id, attempt, state, flagged = result(app, body)
    job = app.get(job_id)

    assert (1, "running", False) == (attempt, state, flagged)
    assert (1, 2, "half") == job.reached


def test_factories_are_filled_themselves(app):
    """In order, once for each job."""
    made = []
    app.provide(Session, lambda: made.append(1) or Session(f"s{len(made)}"))
    app.provide(Report, Report)

    def body(report: Report, session: Session):
        return report.session is session

    assert [True, True] == [result(app, function) for function in both(body)]
    assert 2 == len(made)


def sync_generator(events):
    def factory():
        events.append("open")
        yield Session("generated")
        events.append("close")

    return factory


def async_generator(events):
    async def factory():
        events.append("open")
        yield Session("generated")
        events.append("close")

    return factory


def coroutine(events):
    async def factory():
        events.append("open")
        return Session("generated")

    return factory


@pytest.mark.parametrize("kind", [sync_generator, async_generator, coroutine])
def test_every_kind_of_factory_serves_every_kind_of_body(app, kind):
    """Generators are torn down after the body."""
    events = []
    app.provide(Session, kind(events))

    def body(session: Session):
        events.append("body")
        return session.name

    for function in both(body):
        events.clear()
        assert "generated" == result(app, function)
        assert ["open", "body", "close"][: 3 if kind is not coroutine else 2] == events


@pytest.mark.parametrize("kind", [sync_generator, async_generator])
def test_a_body_that_raises_is_torn_down_too(app, kind):
    """With the exception thrown into the generator, as usual."""
    events = []

    def closing():
        try:
            events.append("open")
            yield Session()
        finally:
            events.append("close")

    async def aclosing():
        try:
            events.append("open")
            yield Session()
        finally:
            events.append("close")

    app.provide(Session, closing if kind is sync_generator else aclosing)

    @task(registry=app.registry)
    def body(session: Session):
        raise ValueError("no")

    job = body.enqueue()
    drain(app)

    assert ["open", "close"] == events
    assert "ValueError: no" == str(job.refresh().error)


def test_a_value_of_the_app_is_made_once_and_torn_down_at_the_end(app):
    """For as long as the worker runs."""
    events = []

    def factory():
        events.append("open")
        yield Session(f"s{len(events)}")
        events.append("close")

    app.provide(Session, factory, scope="app")

    @task(registry=app.registry)
    def body(session: Session):
        events.append(session.name)

    body.enqueue_many([(), (), ()])
    drain(app)

    assert ["open", "s1", "s1", "s1", "close"] == events


def test_a_connection_is_made_in_the_thread_that_uses_it(app):
    """As sqlite3 insists on."""
    import sqlite3

    def connect():
        connection = sqlite3.connect(":memory:")
        yield connection
        connection.close()

    app.provide(sqlite3.Connection, connect)

    def body(connection: sqlite3.Connection):
        return connection.execute("SELECT 5").fetchone()[0]

    assert 5 == result(app, body)


def test_a_factory_that_raises_fails_the_attempt(app):
    """It is an error of the job, not of the worker."""

    def factory():
        raise ConnectionError("no database")

    app.provide(Session, factory)

    @task(registry=app.registry)
    async def body(session: Session): ...

    job = body.enqueue()
    drain(app)

    assert ("failed", "ConnectionError: no database") == (
        job.refresh().state,
        str(job.refresh().error),
    )


def test_what_needs_itself_is_refused(app):
    """The circle is shown."""

    class A: ...

    class B: ...

    def make_a(b: B): ...

    def make_b(a: A): ...

    make_a.__annotations__["b"], make_b.__annotations__["a"] = B, A
    app.provide(A, make_a)
    app.provide(B, make_b)

    def body(a: A): ...

    body.__annotations__["a"] = A
    task("body", registry=app.registry)(body)
    with pytest.raises(InjectionError, match=r"A → .*B → .*A"):
        app.check()


def test_what_outlives_its_needs_is_refused(app):
    """A value of the app cannot hold one of a job."""
    app.provide(Session, Session)
    app.provide(Report, Report, scope="app")

    @task(registry=app.registry)
    def body(report: Report): ...

    with pytest.raises(InjectionError, match="made for each job"):
        app.check()


def test_a_factory_that_needs_what_nobody_provides_is_refused(app):
    """Before anything runs."""
    app.provide(Report, Report)

    @task(registry=app.registry)
    def body(report: Report): ...

    with pytest.raises(InjectionError, match="needs 'session', which nobody provides"):
        app.run_worker(burst=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Session, Session, "request"), "scope"),
        ((Job, lambda: None, "job"), "framework"),
        ((Session, 5, "job"), "factory"),
    ],
)
def test_a_provision_that_makes_no_sense_is_refused(app, arguments, message):
    """Where it is given."""
    kind, factory, scope = arguments
    with pytest.raises(OptionError, match=message):
        app.provide(kind, factory, scope=scope)


def test_what_is_provided_later_counts():
    """Wiring may come after the tasks."""
    registry = TaskRegistry()
    app = App("sqlite://", registry=registry)

    @task(registry=registry)
    def body(session: Session):
        return session.name

    with pytest.raises(InjectionError):
        body.enqueue()
    app.provide(Session, lambda: Session("late"))
    job = body.enqueue()
    drain(app)

    assert "late" == job.result(0)
    app.close()
