"""The retry options of a step, in milliseconds and words, as a retry policy."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import get_args

from rotulus import Retry
from rotulus._jobs.retry import Backoff
from rotulus.errors import OptionError

CONDITIONS = ("never", "transient", "all")

_PASSING = (
    "timeout",
    "connection",
    "network",
    "temporary",
    "unavailable",
    "busy",
    "overloaded",
    "rate limit",
)
"""Words of messages about what is likely to be over soon."""


@dataclass(frozen=True, kw_only=True)
class RetryOptions:
    """The retry options of a step, checked; `@task` says what they mean.

    Raises:
        OptionError: a value is not allowed.
    """

    attempts: int | None
    backoff: Backoff
    delay_ms: float
    max_delay_ms: float
    condition: str
    jitter: bool

    def __post_init__(self) -> None:
        _check_attempts(self.attempts)
        _check_choice("retry_backoff", self.backoff, get_args(Backoff))
        _check_choice("retry_condition", self.condition, CONDITIONS)
        _check_milliseconds("retry_delay_ms", self.delay_ms)
        _check_milliseconds("retry_max_delay_ms", self.max_delay_ms)
        _check_choice("retry_jitter", self.jitter, (True, False))

    def policy(self) -> Retry | None:
        """Returns the policy; None when nothing was asked for, which leaves it to the app."""
        if self.condition == "never":
            return Retry(attempts=1)
        if self.attempts is None:
            return None
        return Retry(
            attempts=self.attempts + 1,
            backoff=self.backoff,
            delay=self.delay_ms / 1000,
            cap=self.max_delay_ms / 1000,
            jitter=self.jitter,
            on=is_transient if self.condition == "transient" else Exception,
        )


def is_transient(error: BaseException) -> bool:
    """Whether an error is likely to be over soon: by its type, or by what its message says."""
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    text = str(error).lower()
    return isinstance(error, Exception) and any(word in text for word in _PASSING)


def _check_attempts(value: object) -> None:
    if value is None or (type(value) is int and value >= 0):
        return
    raise OptionError(
        f"retry_attempts={value!r} is not allowed: give the number of further attempts, 0 or "
        f"more, or None"
    )


def _check_choice(option: str, value: object, allowed: Collection[object]) -> None:
    if not any(value is choice or value == choice for choice in allowed):
        raise OptionError(
            f"{option}={value!r} is not allowed: choose one of {', '.join(map(repr, allowed))}"
        )


def _check_milliseconds(option: str, value: object) -> None:
    if type(value) in (int, float) and isinstance(value, int | float) and 0 <= value < float("inf"):
        return
    raise OptionError(f"{option}={value!r} is not allowed: give milliseconds, 0 or more")
