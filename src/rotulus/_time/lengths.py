"""Lengths of time as people give them: seconds or a timedelta, and never more than a century.

A longer time is a mistake, such as a moment in milliseconds, and would reach moments that no
calendar has. So it is refused where it is given.
"""

from datetime import UTC, datetime, timedelta

from rotulus.errors import OptionError

LONGEST = 100 * 365.25 * 86_400
"""The longest length of time, in seconds: a hundred years."""

SHORTEST = 1e-6
"""The shortest length of time but none, in seconds: a microsecond."""

Seconds = float | timedelta
"""A length of time: a number of seconds, or a timedelta."""

_LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(seconds=LONGEST)
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
"""A year after the first moment there is: so it is one in each zone, and a day before it, too."""


def check_seconds(value: object, option: str) -> float:
    """Returns a length of time in seconds, from 0 to `LONGEST`.

    Args:
        value: a number of seconds, or a timedelta.
        option: the name of the option, such as `"delay"`.

    Raises:
        OptionError: the value is no length of time, or a longer one.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        if 0 <= seconds <= LONGEST:
            return float(seconds)
        if LONGEST < seconds < float("inf"):
            raise OptionError(
                f"{option}={value!r} is not allowed: that is more than a hundred years; give "
                f"seconds, not milliseconds"
            )
    raise OptionError(f"{option}={value!r} is not allowed: give seconds, 0 or more, or a timedelta")


def check_moment(value: object, option: str) -> datetime:
    """Returns an aware datetime with room for `LONGEST` after it, and for a year before it.

    Raises `OptionError` for anything else.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        shown = value.isoformat() if isinstance(value, datetime) else f"{value!r}"
        raise OptionError(
            f"{option}={shown} is not allowed: give a datetime with a time zone, such as "
            f"datetime.now(UTC) + timedelta(hours=1)"
        )
    if value > _LATEST:
        raise OptionError(
            f"{option}={value.isoformat()} is not allowed: the latest moment is {_LATEST:%Y-%m-%d}"
        )
    if value < _EARLIEST:
        raise OptionError(f"{option}={value!r} is not allowed: the earliest moment is 0002-01-01")
    return value
