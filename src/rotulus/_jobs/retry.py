"""Retry policy: which failures deserve another attempt, and how long to wait for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from rotulus._text.names import refuse_unknown
from rotulus._time.lengths import LONGEST, check_seconds
from rotulus.errors import OptionError

Backoff = Literal["fixed", "linear", "exponential"]
Errors = type[BaseException] | tuple[type[BaseException], ...] | Callable[[BaseException], bool]
"""Which errors: by type, or as a function says that looks at one."""

JITTER = 0.25
"""With jitter, a delay is spread evenly over this share of itself, both ways."""


@refuse_unknown
@dataclass(kw_only=True, unsafe_hash=True)
class Retry(Exception):  # noqa: N818 - it is a policy first; raising it applies it
    """How often and how soon a failing task is tried again.

    As a task's option, `retry=Retry(attempts=5)`, it is the standing policy. Raised inside a
    task, `raise Retry(after=60)`, it asks for another attempt now: under the task's own policy,
    or under this one when the task has none. Either way the attempt counts as a failure, so a
    task that keeps raising it ends `failed` when its attempts are spent.

    Args:
        attempts: attempts in all, the first one included. At least 1.
        backoff: how the delay grows with each failure: `"fixed"` not at all, `"linear"`
            by `delay` each time, `"exponential"` by doubling.
        delay: seconds before the second attempt. Several: those before the second, the third and
            so on, of which the last one repeats; `backoff` and `cap` say nothing then.
        cap: the longest delay, in seconds, with jitter; a hundred years if that is shorter.
        jitter: spread each delay over ±25 %, so that jobs that failed together do not return
            together; never beyond the cap.
        on: exception type or types to retry, or a function that is given the error and says
            whether to. Default: every `Exception`.
        not_on: exception type or types never to retry, or a function that says so; it wins over
            `on`. An error that makes either function raise is not retried.
        after: only when raised: seconds to wait this time, exactly.

    Raises:
        OptionError: a value is out of range, or `backoff` is none of the three.
    """

    attempts: int = 3
    backoff: Backoff = "exponential"
    delay: float | Sequence[float] = 1.0
    cap: float = 60.0
    jitter: bool = True
    on: Errors = Exception
    not_on: Errors = ()
    after: float | None = None

    def __post_init__(self) -> None:
        if self.backoff not in get_args(Backoff):
            raise OptionError(
                f"Retry(backoff={self.backoff!r}) is not allowed: "
                f"choose one of {', '.join(map(repr, get_args(Backoff)))}"
            )
        if type(self.attempts) is not int or self.attempts < 1:
            raise OptionError(
                f"Retry(attempts={self.attempts!r}) is not allowed: it is the number of "
                f"attempts in all, at least 1"
            )
        if isinstance(self.delay, Sequence):
            self.delay = _checked_delays(self.delay, self.attempts)
        else:
            _check_seconds("delay", self.delay)
        _check_seconds("cap", self.cap)
        if self.after is not None:
            check_seconds(self.after, "Retry(after)")
        for name in ("on", "not_on"):
            _check_errors(name, getattr(self, name))

    def __str__(self) -> str:
        return f"Retry(after={self.after})"

    def wants(self, error: BaseException) -> bool:
        """Returns whether this error is retried at all."""
        try:
            return _is_of(error, self.on) and not _is_of(error, self.not_on)
        except Exception:  # noqa: BLE001 - a function of the user's was asked; the error stands
            return False

    def seconds(self, failures: int, chance: float) -> float:
        """Seconds to wait after the given number of failures, counting the last one.

        Args:
            failures: 1 after the first failure.
            chance: a random number from 0 to 1, used when there is jitter.
        """
        if isinstance(self.delay, Sequence):
            wait, cap = self.delay[min(failures, len(self.delay)) - 1], LONGEST
        else:
            factor = {"fixed": 1, "linear": failures, "exponential": 2 ** min(failures - 1, 64)}
            cap = min(self.cap, LONGEST)
            wait = min(self.delay * factor[self.backoff], cap)
        if not self.jitter:
            return wait
        shortest, longest = wait * (1 - JITTER), min(wait * (1 + JITTER), cap)
        return min(shortest + (longest - shortest) * chance, cap)


def _checked_delays(delays: Sequence[float], attempts: int) -> tuple[float, ...]:
    """Returns delays that were given one by one. Raises `OptionError`."""
    if isinstance(delays, str | bytes) or not 0 < len(delays) < max(attempts, 2):
        raise OptionError(
            f"Retry(delay={delays!r}) is not allowed: give seconds, or those before the second "
            f"attempt, the third and so on, which are {attempts - 1} with attempts={attempts}"
        )
    return tuple(check_seconds(one, "Retry(delay)") for one in delays)


def _check_seconds(name: str, value: object) -> None:
    """A bound may lie beyond the calendar; the delay itself does not."""
    if isinstance(value, int | float) and 0 <= value < float("inf"):
        return
    raise OptionError(
        f"Retry({name}={value!r}) is not allowed: it is a number of seconds, 0 or more"
    )


def _is_of(error: BaseException, errors: Errors) -> bool:
    if isinstance(errors, type | tuple):
        return isinstance(error, errors)
    return bool(errors(error))


def _check_errors(name: str, value: object) -> None:
    if callable(value) and not isinstance(value, type):
        return
    kinds = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    if all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        return
    raise OptionError(
        f"Retry({name}={value!r}) is not allowed: give exception types, or a function that "
        f"says of an error whether it is one of them"
    )


NO_RETRY = Retry(attempts=1)
"""The policy of a task that has none, in an app that has none: one attempt."""
