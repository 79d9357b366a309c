"""What a callable says of itself: each annotation by itself, and the outermost callable is asked."""

import asyncio
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest

from rotulus import App, Job, task
from rotulus._tasks.annotations import materialised
from rotulus._tasks.arguments import Binder
from rotulus._tasks.signature import is_async, is_generator, resolved_signature
from rotulus.errors import ArgumentsError, InjectionError, OptionError, TaskRegistrationError
from rotulus.testing import drain

if TYPE_CHECKING:
    from reports import Report


async def coroutine(): ...


def generator():
    yield 1


def plain(number: "int", when: "str" = "now"): ...


@functools.wraps(coroutine)
def sync_over_async():
    return asyncio.run(coroutine())


@functools.wraps(plain)
async def async_over_sync(*args, **kwargs): ...


@functools.wraps(generator)
def list_of_generator():
    return list(generator())


class Caller:
    def __call__(self, number: "int") -> "int":
        return number


class AsyncCaller:
    async def __call__(self): ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (coroutine, True),
        (plain, False),
        (sync_over_async, False),
        (async_over_sync, True),
        (functools.partial(coroutine), True),
        (functools.partial(functools.partial(plain, 1)), False),
        (Caller(), False),
        (AsyncCaller(), True),
        (AsyncCaller, False),
        (AsyncCaller().__call__, True),
    ],
)
def test_the_outermost_callable_says_whether_it_is_awaited(function, expected):
    """Not what it wraps."""
    assert expected is is_async(function)


def test_the_outermost_callable_says_whether_it_yields(registry):
    """A function that makes a list of a generator is a task."""
    assert (True, False) == (is_generator(generator), is_generator(list_of_generator))
    task("listed", registry=registry)(list_of_generator)
    with pytest.raises(TaskRegistrationError, match="generator"):
        task(registry=registry)(generator)


def test_a_sync_wrapper_around_a_coroutine_function_is_run_as_it_is(app):
    """It is called in a thread, where it may run a loop of its own."""

    async def real():
        return 7

    @task(registry=app.registry)
    @functools.wraps(real)
    def wrapper():
        return asyncio.run(real())

    job = wrapper.enqueue()
    drain(app)

    assert 7 == job.result(0)


def test_each_annotation_is_resolved_by_itself(app):
    """A return type that only type checkers import turns nothing else off."""

    @task(registry=app.registry)
    def bill(number: "int", job: "Job") -> "Report":
        return {"attempt": job.attempt, "number": number}

    job = bill.enqueue("7")
    drain(app)

    assert {"attempt": 1, "number": 7} == job.result(0)
    assert "(number: int, job: rotulus.Job) -> Report" == bill.info.signature


@pytest.mark.parametrize("kind", ["Report", "list[Report]", "Report | None"])
def test_a_parameter_of_an_unknown_name_stops_the_boot(registry, kind):
    """The error has the name, and where the function stands."""

    def bill(order): ...

    bill.__annotations__["order"] = kind
    task(registry=registry)(bill)
    found = r"'order' .*the name 'Report' cannot be resolved.*test_introspection.py:"
    with pytest.raises(InjectionError, match=found), App("sqlite://", registry=registry):
        pass


@pytest.mark.parametrize(
    "function",
    [Caller(), functools.partial(plain, when="x"), async_over_sync, Caller().__call__],
)
def test_texts_are_resolved_whatever_can_be_called(function):
    """An object with `__call__`, a partial, a wrapper, a bound method."""
    assert int is resolved_signature(function).parameters["number"].annotation
    assert {"number": 7} == Binder(function).bind((), {"number": "7"}).values


def test_a_name_around_a_function_is_known():
    """As far as the function keeps it."""

    class Local: ...

    def body(value: "Local"):
        return Local

    assert Local is resolved_signature(body).parameters["value"].annotation


def _in_a_class(kind, registry):
    class Mailer:
        if kind == "method":

            @task(registry=registry)
            def work(self, number: int): ...

        elif kind == "classmethod inside":

            @task(registry=registry)
            @classmethod
            def work(cls, number: int): ...

        elif kind == "classmethod outside":

            @classmethod
            @task(registry=registry)
            def work(cls, number: int): ...

        elif kind == "property":

            @task("work", registry=registry)
            @property
            def work(self): ...

        elif kind == "bare":

            @task
            @classmethod
            def work(cls, number: int): ...

        elif kind == "partialmethod":
            work = task("work", registry=registry)(functools.partialmethod(plain))

    return Mailer


@pytest.mark.parametrize(
    "kind",
    ["method", "classmethod inside", "classmethod outside", "property", "bare", "partialmethod"],
)
def test_what_a_job_cannot_call_is_refused_where_it_is_declared(registry, kind):
    """It says what to do instead."""
    with pytest.raises(OptionError, match=r"@staticmethod"):
        _in_a_class(kind, registry)
    assert [] == registry.list_all()


def test_functions_that_stand_in_a_class_are_tasks(app):
    """Static ones, on either side of the decorator, and those that take no object."""

    class Mailer:
        @task("a", registry=app.registry)
        @staticmethod
        def inside(number: int) -> int:
            return number

        @staticmethod
        @task("b", registry=app.registry)
        def outside(number: int) -> int:
            return number

        @task("c", registry=app.registry)
        def grouped(number: int) -> int:
            return number

    jobs = [one.enqueue("7") for one in (Mailer.inside, Mailer.outside, Mailer().grouped)]
    drain(app)

    assert [7, 7, 7] == [job.result(0) for job in jobs]


def test_what_pydantic_says_of_a_type_is_told():
    """It knows best what is wrong with it."""

    class Database: ...

    def body(db: Database): ...

    with pytest.raises(InjectionError, match="pydantic says: Unable to generate"):
        Binder(body)


class Row:
    __tablename__ = "users"


def test_an_object_of_an_orm_is_refused_with_what_to_do():
    """As an annotation, and as a value."""

    def typed(user: Row): ...

    def untyped(user): ...

    with pytest.raises(InjectionError, match="pass its id"):
        Binder(typed)
    with pytest.raises(ArgumentsError, match="pass its id"):
        Binder(untyped).bind((Row(),), {})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Iterable[int], list[int]),
        (Iterable, list),
        (dict[str, Iterable[int]], dict[str, list[int]]),
        (Optional[Iterable[int]], list[int] | None),
        (Annotated[Iterable[int], "note"], Annotated[list[int], "note"]),
        (int | str, int | str),
        (Any, Any),
    ],
)
def test_an_iterable_is_a_list(kind, expected):
    """What pydantic makes of one can be read once."""
    assert expected == materialised(kind)


def test_the_order_of_a_union_is_that_of_its_own_annotation():
    """Not of one that another task used before, which typing has in its cache."""
    import datetime as dt

    def one(value: str | dt.datetime): ...

    def other(value: dt.datetime | str): ...

    moment = dt.datetime(2026, 1, 1)
    with pytest.raises(ArgumentsError, match="come back as a str"):
        Binder(one).bind((moment,), {})
    binder = Binder(other)
    assert {"value": moment} == binder.load(binder.bind((moment,), {}).payload).kwargs
