"""A task: a named function, how it is run, and how its jobs are queued."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, Unpack, cast

from rotulus._jobs.job import Job
from rotulus._jobs.labels import Attached
from rotulus._jobs.record import Terms
from rotulus._jobs.retry import Retry
from rotulus._tasks.arguments import Call
from rotulus._tasks.checks import Isolation, KeepLogs, ResultCheck
from rotulus._tasks.options import JobOptions, UsingOptions
from rotulus._tasks.signature import TaskInfo, describe, is_async, site_of
from rotulus._time.schedule import Schedule
from rotulus._warnings import warn_caller
from rotulus.errors import ArgumentsError

_ELSEWHERE = {
    "apply_async": ".using(delay=..., queue=...).enqueue(...)",
    "configure": ".using(...)",
    "defer": ".enqueue(...)",
    "defer_async": ".aenqueue(...)",
    "delay": ".enqueue(...)",
    "kiq": ".aenqueue(...)",
    "send": ".enqueue(...)",
    "send_with_options": ".using(delay=..., queue=...).enqueue(...)",
}
"""Our verbs of a task by words that others have for them."""

_RENAMED = {"delivery": "options", "key": "options.key", "limit_key": "options.limit_key"}
"""Attributes of a task by the names that they had."""

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")
K = TypeVar("K")

AnyTask = "Task[..., Any, Any]"


class TaskPort(Protocol):
    """Where a task hands in its jobs: an app."""

    def submit(self, task: "Task[..., Any, Any]", calls: Sequence[Call]) -> list[Job[Any]]:
        """Store a job for each call, all or none."""
        ...

    async def asubmit(self, task: "Task[..., Any, Any]", calls: Sequence[Call]) -> list[Job[Any]]:
        """The same, without blocking the event loop."""
        ...


class PortOwner(Protocol):
    """Where a task is registered."""

    def port(self) -> TaskPort:
        """The app that is open for it. Raises `NoAppError`."""
        ...


def patchable(kind: type[K]) -> type[K]:
    """Let a test put something in the place of a method of a frozen value; its fields stay."""
    refuse_set, refuse_delete = kind.__setattr__, kind.__delattr__
    fields = vars(kind)["__dataclass_fields__"]

    def put(self: Any, name: str, value: object) -> None:
        if name in fields:
            refuse_set(self, name, value)
        vars(self)[name] = value

    def take_back(self: Any, name: str) -> None:
        if name in fields or name not in vars(self):
            refuse_delete(self, name)
        del vars(self)[name]

    for name, function in (("__setattr__", put), ("__delattr__", take_back)):
        setattr(kind, name, function)
    return kind


@patchable
@dataclass(frozen=True, eq=False)
class Task(Generic[P, R, V]):
    """A named function that can be called, queued and scheduled.

    Made by `@task` and `@scheduled`. `P` are its parameters, `R` is what a call returns, and `V`
    what a job of it ends with: the same, or for an `async def` what it returns when awaited.
    """

    function: Callable[P, R]
    name: str
    _home: PortOwner = field(repr=False)
    tags: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout: float | None = None
    isolation: Isolation | None = None
    memory: int | None = None
    result: ResultCheck = "check"
    logs: KeepLogs = True
    schedule: Schedule | None = None
    options: JobOptions = field(default_factory=JobOptions)

    __test__ = False  # a task called test_something is not a test

    def __post_init__(self) -> None:
        shown = {name: getattr(self.function, name, None) for name in functools.WRAPPER_ASSIGNMENTS}
        vars(self).update(shown, __wrapped__=self.function)

    if not TYPE_CHECKING:  # to a type checker, an attribute that is not there stays an error

        def __getattr__(self, name: str) -> Any:
            """Say what we call a verb of another library, or an attribute of an older release."""
            if name in _RENAMED:
                warn_caller(f"task.{name} is called task.{_RENAMED[name]} now", DeprecationWarning)
                return attrgetter(_RENAMED[name])(self)
            if name in _ELSEWHERE:
                raise AttributeError(
                    f"task {self.name!r} has no {name}(): write {self.function.__name__}"
                    f"{_ELSEWHERE[name]}"
                )
            return object.__getattribute__(self, name)  # which raises as it would have

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function, here and now: a call is a call."""
        return self.function(*args, **kwargs)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[V]:
        """Store a job that calls the function with these arguments.

        The call is checked here: it is not stored unless it fits the signature and its types,
        and can be written as JSON.

        Raises:
            ArgumentsError: with every problem of the call.
            NoAppError: no app is open.
            StoreError: the job could not be stored.
        """
        return self._home.port().submit(self, [Call(args, kwargs)])[0]

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[V]:
        """`enqueue`, without blocking the event loop."""
        return (await self._home.port().asubmit(self, [Call(args, kwargs)]))[0]

    def enqueue_many(self, calls: Iterable[Any]) -> list[Job[V]]:
        """Store a job for each call, in one transaction: all of them or none.

        Args:
            calls: a tuple holds positional arguments, a dict named ones; anything else is the
                only argument.

        Raises:
            ArgumentsError: a call does not fit, and which one; none is stored.
            NoAppError: no app is open.
            StoreError: the jobs could not be stored.
        """
        return self._home.port().submit(self, _calls(self.name, calls))

    async def aenqueue_many(self, calls: Iterable[Any]) -> list[Job[V]]:
        """`enqueue_many`, without blocking the event loop."""
        return await self._home.port().asubmit(self, _calls(self.name, calls))

    def using(self, **options: Unpack[UsingOptions]) -> "Task[P, R, V]":
        """This task with other options for its next enqueue: a copy; the task stays as it is.

        Raises:
            OptionError: an option is not known, or its value is not allowed.
        """
        return replace(self, options=self.options.using(options))

    @functools.cached_property
    def terms(self) -> Terms:
        """What is stored with each of its jobs."""
        return self.options.terms(self.name)

    @functools.cached_property
    def attached(self) -> Attached:
        """The labels and headers of each of its jobs."""
        return self.options.attached

    @functools.cached_property
    def is_async(self) -> bool:
        """Whether a call has to be awaited."""
        return is_async(self.function)

    @functools.cached_property
    def site(self) -> str:
        """Where the function is defined: `path:line`."""
        return site_of(self.function)

    @functools.cached_property
    def info(self) -> TaskInfo:
        """The description of the task."""
        return describe(self.name, self.function, self.tags)

    @property
    def filled(self) -> tuple[str, ...]:
        """The parameters that are filled neither by a call nor by their type."""
        return ()

    @property
    def _task_name(self) -> str:
        return self.name

    @property
    def _cron(self) -> str:
        if self.schedule is None:
            raise AttributeError(f"task {self.name!r} has no schedule")
        return self.schedule.cron


def _calls(task: str, values: object) -> list[Call]:
    """The calls of an `enqueue_many`. Raises `ArgumentsError` for what holds none."""
    kind = type(values).__name__
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        return [_call(call) for call in cast("Iterable[object]", values)]
    problem = f"takes a list of calls, and not a single {kind}"
    raise ArgumentsError(
        f"{task}.enqueue_many() {problem}: write enqueue_many([7, 8]), with a tuple or a dict for "
        f"a call of several arguments",
        [problem],
    )


def _call(value: object) -> Call:
    if isinstance(value, tuple):
        return Call(cast("tuple[Any, ...]", value), {})
    if type(value) in _SCALARS or not isinstance(value, Mapping):
        return Call((value,), {})
    return Call((), dict(cast("Mapping[str, Any]", value)))


_SCALARS = frozenset({int, str, float, bool})
"""Types of most single arguments: checking for a mapping takes longer than the call."""
