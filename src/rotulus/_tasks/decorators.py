"""`@task` and `@scheduled`: the two ways to declare a task."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, tzinfo
from types import FunctionType
from typing import Any, Protocol, Unpack, cast, overload

from rotulus._tasks.annotations import raw_signature
from rotulus._tasks.checks import check_options
from rotulus._tasks.injected import INJECTED
from rotulus._tasks.merging import merge
from rotulus._tasks.options import TASK_CHECKS, JobOptions, TaskOptions
from rotulus._tasks.problems import a_type
from rotulus._tasks.registry import AnyTask, TaskRegistry, registered_tasks
from rotulus._tasks.registry import registry as global_registry
from rotulus._tasks.signature import site_of
from rotulus._tasks.task import P, R, Task, V
from rotulus._tasks.template import KeyTemplate
from rotulus._text.names import check_task_name
from rotulus._time.lengths import Seconds, check_seconds
from rotulus._time.schedule import Schedule, write_interval
from rotulus.errors import OptionError


class Declare(Protocol):
    """A decorator that makes a task of a function."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, V]], /
    ) -> Task[P, Coroutine[Any, Any, V], V]: ...

    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R, R]: ...


@overload
def task(name: Callable[P, Coroutine[Any, Any, V]], /) -> Task[P, Coroutine[Any, Any, V], V]: ...


@overload
def task(name: Callable[P, R], /) -> Task[P, R, R]: ...


@overload
def task(
    name: str | None = None,
    *,
    registry: TaskRegistry = ...,
    **options: Unpack[TaskOptions],
) -> Declare: ...


def task(
    name: str | Callable[..., Any] | None = None,
    *,
    registry: TaskRegistry = global_registry,
    **options: Unpack[TaskOptions],
) -> Any:
    """Declare a task: `@task`, `@task("emails.send")` or `@task(name=..., queue=..., ...)`.

    The function stays callable as it is; it also gets `enqueue`, `aenqueue`, `enqueue_many` and
    `using`. A task is not scheduled by this; see `scheduled`.

    Args:
        name: its name: segments of letters, digits, `_` and `-`, joined by dots. The function's
            name unless given.
        registry: where it is registered; the global registry unless given.
        options: see `TaskOptions`.

    Raises:
        OptionError: the name or an option is not allowed.
        DuplicateTaskError: another function has the name.
        RegistryFrozenError: an app serves the registry already.
    """
    if name is not None and not isinstance(name, str):
        return _declare(name, None, registry, None, options)

    def declare(function: Callable[..., Any]) -> AnyTask:
        return _declare(function, name, registry, None, options)

    return declare


def scheduled(
    cron: str | None = None,
    name: str | None = None,
    *,
    every: Seconds | None = None,
    timezone: str | tzinfo = "UTC",
    missed: str = "latest",
    overlap: str = "allow",
    start: datetime | None = None,
    end: datetime | None = None,
    spread: Seconds = 0.0,
    arguments: Mapping[str, Any] | None = None,
    registry: TaskRegistry = global_registry,
    **options: Unpack[TaskOptions],
) -> Declare:
    """Declare a task that is also run by a schedule.

    Each instant of the schedule becomes exactly one job, however many processes schedule.

    Args:
        cron: five fields (minute, hour, day of month, month, day of week), or an alias such as
            `@daily`.
        name: its name; the function's name unless given.
        every: an interval instead: whole seconds, or a timedelta. Its instants are the multiples
            of it since 1970 (UTC).
        timezone: an IANA zone name, such as `"Europe/London"`, in which the fields are read.
        missed: what happens to instants at which nothing was running: `"latest"` fires the
            latest of them, `"skip"` none, `"all(N)"` the latest N.
        overlap: `"skip"` leaves instants out while an earlier job of the schedule has not ended;
            `"allow"`, the default, does not.
        start: no instant is before; an interval is counted from it. An aware datetime.
        end: no instant is after it.
        spread: each job is due at some moment within that time after its instant: seconds, or a
            timedelta, a day at most. Default 0.
        arguments: what the function is called with, by name.
        registry: where it is registered; the global registry unless given.
        options: see `TaskOptions`.

    Raises:
        OptionError: the expression, the zone, the name or an option is not allowed, or the
            expression never matches a day.
        DuplicateTaskError: another function has the name.
        RegistryFrozenError: an app serves the registry already.
    """
    schedule = Schedule(
        _times(cron, every, timezone),
        str(timezone),
        missed,
        overlap=overlap,
        start=start,
        end=end,
        spread=check_seconds(spread, "spread"),
        arguments=arguments or {},
    )
    _refuse_keys(options)

    def declare(function: Callable[..., Any]) -> Any:
        return _declare(function, name, registry, schedule, options)

    return declare


def _times(cron: str | None, every: Seconds | None, timezone: str | tzinfo) -> str:
    if every is None:
        if isinstance(cron, str):
            return cron
        raise OptionError(
            f"@scheduled({cron!r}) is not allowed: give a cron expression, such as '30 9 * * 1-5', "
            f"or an interval in seconds, such as every=90"
        )
    if cron is not None:
        raise OptionError(f"@scheduled({cron!r}, every={every!r}): give one of the two")
    if str(timezone) != "UTC":
        raise OptionError(
            f"@scheduled(every={every!r}, timezone={str(timezone)!r}): an interval has no time "
            f"zone; leave timezone= out"
        )
    return write_interval(every)


def _refuse_keys(options: TaskOptions) -> None:
    """Each firing has a key of its own already, so that it fires once."""
    for option in ("key", "window"):
        value = options.get(option)
        if value is not None:
            raise OptionError(
                f"@scheduled(..., {option}={value!r}) is not allowed: the key of a "
                f"firing is its task and its instant. To let one firing wait for the other give "
                f"limit=1; for jobs of your own write using({option}=...)"
            )


def _declare(
    function: Callable[..., Any],
    name: str | None,
    registry: TaskRegistry,
    schedule: Schedule | None,
    options: TaskOptions,
) -> AnyTask:
    inner = cast("AnyTask", function) if isinstance(function, Task) else None
    body = cast("Callable[..., Any]", function) if inner is None else inner.function
    _check_function(body)
    given = dict(cast("dict[str, Any]", options))
    check_options(given, TaskOptions.__annotations__)
    own = {name: check(given.pop(name)) for name, check in TASK_CHECKS.items() if name in given}
    _refuse_vain_memory(own)
    tasks = registered_tasks(registry)
    declared: AnyTask = Task(
        body,
        check_task_name(name or _name_of(inner, body, schedule)),
        tasks,
        schedule=schedule,
        options=JobOptions.of(given | _templates(body, given)),
        **own,
    )
    if inner is None or inner.name != declared.name:
        return tasks.add(declared)
    return tasks.add(merge(inner, declared), replace=True)


def _name_of(
    inner: AnyTask | None, body: Callable[..., Any], schedule: Schedule | None
) -> str | None:
    """The name of a task that is given none: the one it has already, or that of its function."""
    if inner is not None:
        return inner.name
    own = getattr(body, "__name__", None)
    if own == "<lambda>" and schedule is not None and schedule.is_interval:
        return schedule.cron.strip("@").replace(" ", "-")  # every-90s: as good a name as any
    return own


def _check_function(function: object) -> None:
    """Raise `OptionError` for what is no function, and for a method: a job has no object for it."""
    if not callable(function):
        inner = getattr(function, "__func__", None) or getattr(function, "fget", None)
        where = f"  ({site_of(inner)})" if inner else ""
        raise OptionError(
            f"A task over {a_type(function)} is not allowed: put the decorator on a function, or "
            f"on a @staticmethod where it stands in a class{where}"
        )
    if isinstance(function, FunctionType) and _is_method(function):
        raise OptionError(
            f"{function.__qualname__}() is a method, and a job has no object to call it on: make "
            f"it a function, or a @staticmethod, that is given what it needs  ({site_of(function)})"
        )


def _is_method(function: FunctionType) -> bool:
    """Whether a function stands in the body of a class, and takes its object or class first."""
    around = function.__qualname__.rpartition(".")[0]
    first = next(iter(raw_signature(function).parameters), "")
    return bool(around) and not around.endswith("<locals>") and first in ("self", "cls")


def _refuse_vain_memory(own: Mapping[str, Any]) -> None:
    if own.get("memory") is not None and own.get("isolation") is None:
        raise OptionError(
            f"memory={own['memory']!r} needs isolation='process': the memory of a worker is shared "
            f"by all that it runs"
        )


def _templates(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, KeyTemplate]:
    """The keys of a declaration, which may name parameters of its function."""
    texts = {name: options[name] for name in ("key", "limit_key") if options.get(name) is not None}
    return {name: _template(function, text, name) for name, text in texts.items()}


def _template(function: Callable[..., Any], text: str, option: str) -> KeyTemplate:
    template = KeyTemplate(text, option)
    asked = raw_signature(function).parameters
    template.check([name for name, p in asked.items() if p.default is not INJECTED])
    return template
