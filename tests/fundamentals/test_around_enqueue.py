"""`Middleware.around_enqueue`: code around every call that stores jobs."""

import asyncio
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import pytest

import rotulus.workflow as wf
from rotulus import App, Middleware, TaskRegistry, task
from rotulus.errors import ArgumentsError, OptionError, StoreClosedError
from rotulus.events import MiddlewareFailed
from rotulus.testing import drain

TENANT = ContextVar("tenant", default="nobody")


class Noting(Middleware):
    """Notes what it sees in a list, and adds a label and a header."""

    def __init__(self, name, notes):
        self.name, self.notes = name, notes

    @contextmanager
    def around_enqueue(self, call):
        self.notes.append((self.name, "enter", [job.task for job in call.jobs], list(call.added)))
        for job in call.jobs:
            job.add_labels({self.name: TENANT.get()})
            job.add_headers({self.name: "1", "last": self.name})
        yield
        self.notes.append((self.name, "leave", repr(call.exception), list(call.added)))


class NotingLater(Noting):
    """The same as an asynchronous context manager."""

    @asynccontextmanager
    async def around_enqueue(self, call):
        await asyncio.sleep(0)
        with super().around_enqueue(call):
            yield
            await asyncio.sleep(0)


def declare(app, name="t", **options):
    """A task that does nothing."""
    return task(name, registry=app.registry, **options)(lambda n=0: n)


def enqueue(app, awaited, task, *args):
    """Enqueue in one of the two ways."""
    return asyncio.run(task.aenqueue(*args)) if awaited else task.enqueue(*args)


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("make", [Noting, NotingLater])
def test_it_surrounds_calls_of_both_kinds_in_order(app, make, awaited):
    """The first one is the outermost; what it adds is stored beside what was given."""
    notes = []
    app.use(make("outer", notes), Noting("inner", notes))
    declared = declare(app, labels={"team": "x"}).using(headers={"id": "7"})
    token = TENANT.set("acme")
    job = enqueue(app, awaited, declared)
    TENANT.reset(token)

    assert {"team": "x", "outer": "acme", "inner": "acme"} == job.labels == job.refresh().labels
    assert {"id": "7", "outer": "1", "inner": "1", "last": "inner"} == job.refresh().headers
    assert [
        ("outer", "enter", ["t"], []),
        ("inner", "enter", ["t"], []),
        ("inner", "leave", "None", [job]),
        ("outer", "leave", "None", [job]),
    ] == notes


def test_many_jobs_are_one_call(app):
    """Each can have labels of its own; a call without a job is none."""

    class Numbering(Middleware):
        @contextmanager
        def around_enqueue(self, call):
            for number, job in enumerate(call.jobs):
                job.add_labels({"n": str(number)})
                seen.append(
                    (job.task, job.queue, job.key, job.arguments, job.size, dict(job.labels))
                )
            yield
            seen.append(len(call.added))

    seen = []
    app.use(Numbering())
    jobs = declare(app, queue="q", key="k:{n}").enqueue_many([1, 2])
    assert [] == declare(app, "other").enqueue_many([])

    assert [{"n": "0"}, {"n": "1"}] == [job.refresh().labels for job in jobs]
    assert ("t", "q", "k:2", {"n": 2}, 7, {"n": "1"}) == seen[1]
    assert [2] == seen[2:]


def test_every_way_to_enqueue_is_surrounded(app):
    """By name, also of a task that is not known here; and when a message has come."""
    notes = []
    app.use(Noting("it", notes))
    declare(app)
    app.enqueue("t")
    app.using(unchecked=True).enqueue("elsewhere")
    app.receive("t", [], {}, key="k")

    assert ["t", "elsewhere", "t"] == [what[0] for _, how, what, _ in notes if how == "enter"]
    assert [{"it": "nobody"}] * 3 == [job.labels for job in app.jobs.find()]


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("make", [Noting, NotingLater])
def test_the_callback_of_a_group_is_enqueued_where_the_group_is_opened(app, make, awaited):
    """Who goes on with a group that is open finds that job."""
    notes = []
    app.use(make("it", notes))
    count = task("count", registry=app.registry)(lambda outcomes: len(outcomes))
    first, again = (app.group("g", then=count) for _ in range(2))
    token = TENANT.set("acme")
    for group in (first, again):
        asyncio.run(group.aopen()) if awaited else group.open()
    TENANT.reset(token)

    assert first.job == again.job
    assert {"it": "acme"} == first.job.labels
    assert [["count"]] * 2 == [what for _, how, what, _ in notes if how == "enter"]
    assert [[first.job]] * 2 == [added for _, how, _, added in notes if how == "leave"]


def test_steps_have_what_was_added_to_their_run(app, build):
    """They are not enqueued themselves."""
    notes = []
    app.use(Noting("it", notes))
    with build("flow"):

        @wf.task(id="one")
        def one(context):
            return None

    run = app.enqueue("flow")
    drain(app)

    assert [{"it": "nobody"}] * 2 == [job.labels for job in app.jobs.find(run=run.id)]
    assert 1 == len([how for _, how, *_ in notes if how == "enter"])


class Failing(Middleware):
    """Raises where it is told to."""

    def __init__(self, where, error):
        self.where, self.error = where, error

    def around_enqueue(self, call):
        if self.where == "called":
            raise self.error
        return self._around()

    @contextmanager
    def _around(self):
        if self.where == "entered":
            raise self.error
        yield
        raise self.error


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("where", ["called", "entered", "left"])
def test_one_that_raises_is_told_of_and_disturbs_nothing(app, where, awaited):
    """Neither the enqueue nor other middleware."""
    notes, told, error = [], [], ValueError("no")
    app.events.subscribe(told.append, MiddlewareFailed)
    app.use(Noting("outer", notes), Failing(where, error), Noting("inner", notes))
    job = enqueue(app, awaited, declare(app))

    assert {"outer": "nobody", "inner": "nobody"} == job.labels
    assert ["enter", "enter", "leave", "leave"] == [how for _, how, *_ in notes]
    assert [(None, error, error)] == [(one.job, one.error, one.raised) for one in told]
    assert "Failing raised ValueError('no') around an enqueue of t" == told[0].line()
    assert {"middleware": "Failing", "task": "t"} == told[0].data()


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("where", ["called", "entered", "left"])
def test_a_cancellation_of_its_own_is_one_of_its_errors(app, where, awaited):
    """As of a connection that it has waited for, and that somebody else has closed."""
    told, error = [], asyncio.CancelledError("closed")
    app.events.subscribe(told.append, MiddlewareFailed)
    app.use(Failing(where, error))
    job = enqueue(app, awaited, declare(app))

    assert job == job.refresh()
    assert [error] == [one.error for one in told]


@pytest.mark.parametrize("where", ["entered", "stored", "left"])
def test_all_are_left_when_the_caller_is_interrupted(app, where):
    """Those that were entered, whoever waits then; the caller is told of the interruption."""
    notes = []

    class Slow(Middleware):
        @asynccontextmanager
        async def around_enqueue(self, call):
            await pass_by("entered")
            yield
            await pass_by("left")

    async def pass_by(place):
        if place == where:
            asyncio.current_task().cancel()
        await asyncio.sleep(0)

    class Last(Middleware):
        @contextmanager
        def around_enqueue(self, call):
            if where == "stored":
                asyncio.current_task().cancel()
            yield

    app.use(Noting("outer", notes), Slow(), Last())
    declared = declare(app)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(declared.aenqueue())
    assert ["enter", "leave"] == [how for _, how, *_ in notes]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_all_are_left_when_one_of_them_is_interrupted(app, interruption):
    """Also those around it."""
    notes = []
    app.use(Noting("outer", notes), Failing("left", interruption()))

    with pytest.raises(interruption):
        declare(app).enqueue()
    assert ["enter", "leave"] == [how for _, how, *_ in notes]


@pytest.mark.parametrize("awaited", [False, True])
def test_a_method_without_its_decorator_is_told_of(app, awaited):
    """With what is missing."""
    told = []
    app.events.subscribe(told.append, MiddlewareFailed)

    class Bare(Middleware):
        def around_enqueue(self, call):
            yield

    class BareLater(Middleware):
        async def around_enqueue(self, call):
            pass

    app.use(Bare(), BareLater())
    job = enqueue(app, awaited, declare(app))

    assert job == job.refresh()
    assert ["returned a generator", "returned a coroutine"] == [
        str(one.error)[3 : 3 + len("returned a generator")] for one in told
    ]
    assert all("put @contextmanager over" in str(one.error) for one in told)


def test_what_it_may_not_add_is_left_out(app):
    """The job is stored without it, and with what it has."""
    told = []
    app.events.subscribe(told.append, MiddlewareFailed)

    class Greedy(Middleware):
        @contextmanager
        def around_enqueue(self, call):
            for texts in (call.jobs[0].labels, call.jobs[0].headers):
                with pytest.raises(TypeError):
                    texts["no name"] = ""
            call.jobs[0].add_labels({f"n{n}": "1" for n in range(16)})
            yield

    app.use(Greedy())
    job = declare(app, labels={"team": "x"}).enqueue()

    assert {"team": "x"} == job.labels
    assert ["labels would be 17 labels"] == [str(one.error)[:25] for one in told]


def test_it_sees_why_a_call_has_stored_nothing(app):
    """The exception is not thrown into it; a call that does not fit is not surrounded."""
    notes = []
    app.use(Noting("it", notes))
    declared = declare(app)
    with pytest.raises(ArgumentsError):
        declared.enqueue(1, 2)
    assert [] == notes

    store = app.store
    store.close()
    with pytest.raises(StoreClosedError):
        declared.enqueue()
    assert "StoreClosedError" in notes[-1][2]


def test_it_sees_which_job_held_the_key(app):
    """What it has added to the other one is not stored."""
    notes = []
    keyed = declare(app, key="k")
    first = keyed.enqueue()
    app.use(Noting("it", notes))
    again = keyed.enqueue()

    assert again == first
    assert {} == again.labels
    [held] = notes[-1][3]
    assert held.existed


def test_an_asynchronous_one_is_left_out_where_nobody_awaits(app):
    """An `enqueue` on an event loop; that is told."""
    told, notes = [], []
    app.events.subscribe(told.append, MiddlewareFailed)
    app.use(NotingLater("later", notes), Noting("it", notes))
    declared = declare(app)

    async def main():
        return declared.enqueue()

    assert {"it": "nobody"} == asyncio.run(main()).labels
    assert ["enqueue() cannot await"] == [str(one.error)[:22] for one in told]


@pytest.mark.anywhere
def test_an_asynchronous_one_leaves_the_loop_of_the_thread(registry):
    """That somebody has set, and runs later."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = App("sqlite://", registry=registry)
    app.use(NotingLater("later", []))
    job = declare(app).enqueue()
    app.close()

    assert asyncio.get_event_loop_policy().get_event_loop() is loop
    loop.close()
    asyncio.set_event_loop(None)
    assert {"later": "nobody"} == job.labels


@pytest.mark.anywhere
def test_one_that_overrides_nothing_is_refused():
    """On the line that hands it in; one of the two is enough."""
    app = App("sqlite://", registry=TaskRegistry())
    with pytest.raises(OptionError, match="neither around_attempt nor around_enqueue"):
        app.use(Middleware())
    app.use(Noting("it", []))
    app.close()
