"""The options of a task and of one enqueue of it, each value checked where it is given."""

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, ParamSpec, Self, TypedDict, TypeVar, cast

from rotulus._jobs.retry import Retry
from rotulus._text.names import check_key, check_queue_name, did_you_mean
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import OptionError

DEFAULT_PER = 1.0
"""Seconds: a rate is so many a second, unless it says otherwise."""

Isolation = Literal["process"]
"""Where attempts run, if not in the worker itself."""

ResultCheck = Literal["check", "trust"]
"""Whether results have to fit the return annotation, or are stored as they come."""

P = ParamSpec("P")
R = TypeVar("R")

_MEANT = {
    "countdown": ("delay",),
    "depends_on": ("dependencies",),
    "eta": ("at",),
    "max_retries": ("retry", "retry_attempts"),
    "name": ("id",),
    "needs": ("dependencies",),
    "retries": ("retry", "retry_attempts"),
    "retry": ("retry_attempts",),
    "time_limit": ("timeout",),
    "unique": ("key",),
}
"""Our options by words that others have for them."""

_MOST_MEMORY = 1024 * 1024


class TaskOptions(TypedDict, total=False):
    """The options of a task, beside its name.

    Attributes:
        tags: words to find it by.
        retry: which failures get another attempt; without one, the app's policy.
        timeout: seconds after which an attempt is stopped and counts as a failure.
        isolation: `"process"` runs attempts in processes of their own, which can be killed and
            may die; None, the default, in the worker itself.
        memory: MiB that an isolated attempt may allocate on top of what the app takes.
        result: `"check"`, the default: a result has to fit the return annotation, or the attempt
            fails; `"trust"`: everything that JSON can hold is stored.
        queue: the queue its jobs wait under; `"default"`.
        priority: higher is sooner; 0.
        key: while a job with the same key is live, enqueuing adds none and gives that one.
            It may name parameters: `key="welcome:{user_id}"`.
        window: seconds for which the key is held at least, counted from the enqueue.
        limit: how many jobs with the same `limit_key` run at once, in all workers together.
        rate: how many jobs with the same `limit_key` are started within any `per` seconds, in all
            workers together.
        per: the length of that window, in seconds; 1.
        limit_key: what those jobs share; it may name parameters. The task's name unless given.
        expires: seconds after which a job that was not started is given up as `dead(expired)`.
    """

    tags: Sequence[str]
    retry: Retry | None
    timeout: Seconds | None
    isolation: Isolation | None
    memory: int | None
    result: ResultCheck
    queue: str
    priority: int
    key: str
    window: Seconds
    limit: int
    rate: int
    per: Seconds
    limit_key: str
    expires: Seconds


class UsingOptions(TypedDict, total=False):
    """The options of one enqueue.

    Attributes:
        queue: another queue than the task's.
        priority: another priority.
        delay: seconds to wait before the job is due.
        at: the moment it is due, as an aware datetime, instead of a delay.
        expires: seconds after which, not started, it is given up as `dead(expired)`.
        key: a unique key, taken as it is.
        window: seconds for which the key is held at least.
        limit: how many jobs with the same `limit_key` run at once.
        rate: how many jobs with the same `limit_key` are started within any `per` seconds.
        per: the length of that window, in seconds.
        limit_key: what those jobs share, taken as it is.
        connection: a connection of yours to the same database, whose transaction the job joins.
    """

    queue: str
    priority: int
    delay: Seconds
    at: datetime | None
    expires: Seconds | None
    key: str | None
    window: Seconds | None
    limit: int | None
    rate: int | None
    per: Seconds | None
    limit_key: str | None
    connection: Any


@dataclass(frozen=True, slots=True)
class Delivery:
    """How jobs are delivered; the fields are those of `UsingOptions`, with times in seconds."""

    queue: str = "default"
    priority: int = 0
    delay: float = 0.0
    at: datetime | None = None
    expires: float | None = None
    key: str | None = None
    window: float | None = None
    limit: int | None = None
    rate: int | None = None
    per: float | None = None
    limit_key: str | None = None
    connection: Any = None

    @property
    def is_limited(self) -> bool:
        """Whether its jobs share something with others: they need a `limit_key`."""
        return self.limit is not None or self.rate is not None

    def using(self, options: Mapping[str, Any]) -> Self:
        """This delivery with some options changed. Raises `OptionError`."""
        known = [field.name for field in fields(self)]
        check_options(options, known)
        checked = {name: _check(name, value) for name, value in options.items()}
        changed = replace(self, **checked)
        if options.get("per") is not None and changed.rate is None:
            raise OptionError(f"per={options['per']!r} is the window of a rate: give rate= as well")
        return changed


def check_options(given: Iterable[str], known: Collection[str]) -> None:
    """Raise `OptionError` for a name that is not one of the options there are."""
    for name in given:
        if name not in known:
            meant = next((word for word in _MEANT.get(name, ()) if word in known), None)
            hint = f"; did you mean {meant!r}?" if meant else did_you_mean(name, known) or "."
            there = ", ".join(sorted(known))
            raise OptionError(f"There is no option {name!r}{hint} There are: {there}")


def refuse_unknown_options(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function of named options raise `OptionError` for those that it does not have."""
    known = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if args:
            raise OptionError(
                f"@{function.__name__} takes named options only: write @{function.__name__}(), or "
                f"@{function.__name__}({known[0]}=...)"
            )
        check_options(kwargs, known)
        return function(*args, **kwargs)

    return checked


def check_timeout(value: object) -> float | None:
    """A timeout in seconds, more than 0; None for none. Raises `OptionError`."""
    return None if value is None else _some_seconds(value, "timeout")


def check_isolation(value: object) -> Isolation | None:
    """Where attempts run: `"process"`, or None for the worker itself. Raises `OptionError`."""
    if value is None:
        return None
    if value == "process":
        return "process"
    raise OptionError(
        f"isolation={value!r} is not allowed: choose 'process', or None for the worker itself"
    )


def check_result(value: object) -> ResultCheck:
    """Whether results have to fit: `"check"` or `"trust"`. Raises `OptionError`."""
    if value == "check":
        return "check"
    if value == "trust":
        return "trust"
    raise OptionError(
        f"result={value!r} is not allowed: choose 'check', so that results have to fit the return "
        f"annotation, or 'trust', so that they are stored as they come"
    )


def check_memory(value: object, isolation: Isolation | None) -> int | None:
    """How many MiB an isolated attempt may allocate, or None for no limit. Raises `OptionError`."""
    if value is None:
        return None
    if isolation is None:
        raise OptionError(
            f"memory={value!r} needs isolation='process': the memory of a worker is shared by "
            f"all that it runs"
        )
    return _integer(value, "memory", least=1, most=_MOST_MEMORY, unit=" of MiB")


def check_retry(value: object) -> Retry | None:
    """A retry policy, or None. Raises `OptionError`."""
    if value is None or isinstance(value, Retry):
        return value
    raise OptionError(f"retry={value!r} is not allowed: write retry=Retry(attempts=...)")


def check_tags(value: object) -> tuple[str, ...]:
    """Tags, in their order. Raises `OptionError`."""
    if isinstance(value, Collection) and not isinstance(value, str):
        tags = tuple(cast("Collection[object]", value))
        if all(isinstance(tag, str) and tag for tag in tags):
            return cast("tuple[str, ...]", tags)
    raise OptionError(f"tags={value!r} is not allowed: give a list of words")


def _check(name: str, value: object) -> object:
    if value is None and name not in ("queue", "priority", "delay"):
        return None
    match name:
        case "queue":
            return check_queue_name(value)
        case "priority":
            return _integer(value, name, least=-1_000_000, most=1_000_000)
        case "limit" | "rate":
            return _integer(value, name, least=1, most=1_000_000)
        case "delay" | "expires" | "window":
            return check_seconds(value, name)
        case "per":
            return _some_seconds(value, name)
        case "key" | "limit_key":
            return check_key(value, name)
        case "at":
            return check_moment(value, name)
        case _:
            return value


def _some_seconds(value: object, option: str) -> float:
    seconds = check_seconds(value, option)
    if seconds == 0:
        raise OptionError(f"{option}={value!r} is not allowed: give more than 0, or None")
    return seconds


def _integer(value: object, option: str, *, least: int, most: int, unit: str = "") -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise OptionError(
        f"{option}={value!r} is not allowed: give a whole number{unit} from {least:,} to {most:,}"
    )
