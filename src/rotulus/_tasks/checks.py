"""Checks of options: their names, and the values of those that say how a task is run."""

import functools
import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Literal, ParamSpec, TypeVar, cast, get_args

from rotulus._jobs.log_line import LogLevel
from rotulus._jobs.retry import Retry
from rotulus._text.names import did_you_mean
from rotulus._time.lengths import SHORTEST, check_seconds
from rotulus.errors import OptionError

Isolation = Literal["process"]
"""Where attempts run, if not in the worker itself."""

ResultCheck = Literal["check", "trust"]
"""Whether results have to fit the return annotation, or are stored as they come."""

KeepLogs = bool | LogLevel
"""The least level of the log lines that are kept; True: that of the app; False: none are kept."""

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
    """A timeout in seconds, a microsecond at least; None for none. Raises `OptionError`."""
    return None if value is None else check_some_seconds(value, "timeout")


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


def check_logs(value: object) -> KeepLogs:
    """The least level of lines that are kept, False for none, True for the app's.

    Raises:
        OptionError: it is none of these.
    """
    if isinstance(value, bool):
        return value
    levels = get_args(LogLevel)
    if value in levels:
        return cast("LogLevel", value)
    raise OptionError(
        f"logs={value!r} is not allowed: choose the least level that is kept ("
        f"{', '.join(levels)}), or False"
    )


def check_memory(value: object) -> int | None:
    """How many MiB an isolated attempt may allocate, or None for no limit. Raises `OptionError`."""
    return None if value is None else _mebibytes(value, "memory")


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


def check_some_seconds(value: object, option: str) -> float:
    """A length of time in seconds, a microsecond at least. Raises `OptionError`.

    Stores keep whole microseconds: less would be none.
    """
    seconds = check_seconds(value, option)
    if seconds == 0:
        raise OptionError(f"{option}={value!r} is not allowed: give more than 0, or None")
    if seconds < SHORTEST:
        raise OptionError(
            f"{option}={value!r} is not allowed: the shortest is a microsecond, {SHORTEST!r}"
        )
    return seconds


def whole_number(least: int, most: int, unit: str = "") -> Callable[[object, str], int]:
    """The check of an option that is a whole number; `unit` is for its message."""

    def check(value: object, option: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise OptionError(
            f"{option}={value!r} is not allowed: give a whole number{unit} from {least:,} to "
            f"{most:,}"
        )

    return check


check_priority = whole_number(-1_000_000, 1_000_000)
"""The check of a priority."""

_mebibytes = whole_number(1, 1024 * 1024, " of MiB")
