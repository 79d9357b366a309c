"""A schedule of equal intervals: `@every 90s`, as a sequence of instants.

The instants are the multiples of the interval since 1970 (UTC), so that all processes mean the same
ones, whenever each of them began.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from rotulus._time.lengths import check_seconds
from rotulus.errors import OptionError

PREFIX = "@every"

_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Interval:
    """An interval of so many whole seconds, at least one."""

    seconds: int

    def explain(self) -> str:
        """Returns the interval in English, such as 'Every 90 seconds'."""
        unit, size = next(pair for pair in _UNITS if self.seconds % pair[1] == 0)
        count = self.seconds // size
        return f"Every {unit[:-1]}" if count == 1 else f"Every {count} {unit}"

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:  # noqa: ARG002 - as Cron
        """The instants later than `after`, in order, as UTC datetimes, without end."""
        step = timedelta(seconds=self.seconds)
        number = (after - _EPOCH) // step + 1
        while True:
            yield _EPOCH + number * step
            number += 1


def read_interval(expression: str) -> Interval:
    """The interval of a text such as `@every 90s` or `@every 1h30m`. Raises `OptionError`."""
    length = expression.strip()[len(PREFIX) :].strip()
    found = _LENGTH.fullmatch(length)
    parts = [int(part or 0) for part in found.groups()] if found else []
    seconds = sum(part * size for part, (_, size) in zip(parts, _UNITS, strict=False))
    if seconds < 1:
        raise OptionError(
            f"Schedule {expression!r} is not valid: write a length of a second or more, such as "
            f"@every 90s or @every 1h30m"
        )
    return Interval(round(check_seconds(seconds, PREFIX)))


def write_interval(every: object) -> str:
    """The text of an interval: a number of whole seconds, or a timedelta. Raises `OptionError`."""
    seconds = check_seconds(every, "every")
    if seconds < 1 or not seconds.is_integer():
        raise OptionError(f"every={every!r} is not allowed: give whole seconds, 1 or more")
    return f"{PREFIX} {seconds:.0f}s"
