"""A five-field cron expression in a time zone, as a sequence of instants.

cronsim parses fields, names and steps. This module decides which instants they mean, so that the
rules are the same in every zone on the days when the clocks change. They are those of Debian's
cron:

- A *fixed* expression, whose minute and hour both begin with something other than `*`, fires
  once for each time it names: at the first minute after the gap when the clocks skip that time,
  and only the first time when the clocks repeat it.
- A *repeating* one, such as `*/5 * * * *` or `0 */2 * * *`, fires whenever the wall clock shows
  a matching minute: not in a gap, and again in a repeated hour.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property

from cronsim import CronSim, CronSimError

from rotulus.errors import OptionError

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_STEP = re.compile(r"(?:\*|(?P<begin>\d+)(?:-(?P<end>\d+))?)/(?P<step>\d+)")
_SIZES = {"minute": ("minutes", 60), "hour": ("hours", 3_600), "day-of-month": ("days", 86_400)}
"""The units that the steps of fields count, and their seconds."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_CYCLE = (date(2024, 1, 1), date(2052, 1, 1))
"""28 years without a century: every length of year with every first weekday occurs in them."""


@dataclass(frozen=True)
class Cron:
    """A parsed expression. Raises `OptionError` when it is malformed or can never match."""

    expression: str
    _fields: CronSim = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fields", _parse(self.expression))
        if not any(self._days(*_CYCLE)):
            raise OptionError(f"Cron expression {self.expression!r} never matches any day")

    def explain(self) -> str:
        """Returns the expression in English, such as 'At 09:30 on weekdays'."""
        return self._fields.explain()

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        """The instants later than `after`, in order, as UTC datetimes, without end.

        The last one is before the year 9999.
        """
        # One day back, because a repeated midnight shows yesterday's times again today.
        first = after.astimezone(zone).date() - _DAY
        for instant in _in_order(self._of_day(day, zone) for day in self._days(first, date.max)):
            if instant > after:
                yield instant

    @cached_property
    def _fixed(self) -> bool:
        minute, hour = self._fields.parts[1:3]
        return not minute.startswith("*") and not hour.startswith("*")

    @cached_property
    def _times(self) -> list[timedelta]:
        return [
            timedelta(hours=hour, minutes=minute)
            for hour in sorted(self._fields.hours)
            for minute in sorted(self._fields.minutes)
        ]

    def _days(self, first: date, end: date) -> Iterator[date]:
        day = first
        while day < end:
            if day.month not in self._fields.months:
                day = _month_after(day)
                continue
            if self._fields.match_day(day):
                yield day
            day += _DAY

    def _of_day(self, day: date, zone: tzinfo) -> list[datetime]:
        """Returns the instants of one calendar day, in order."""
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
        offset = _steady_offset(midnight, zone)
        if offset is not None:
            start = midnight.replace(tzinfo=UTC) - offset
            return [start + time for time in self._times]
        shown = {at for time in self._times for at in self._shown(midnight + time, zone)}
        return sorted(shown)

    def _shown(self, wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        """Returns the instants when the wall clock of a zone shows this time, by those rules."""
        first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        if first == second:
            return (first,)
        if first < second:
            return (first,) if self._fixed else (first, second)
        return (_end_of_gap(second, first, zone),) if self._fixed else ()


def _parse(expression: str) -> CronSim:
    fields = ALIASES.get(expression.strip().lower(), expression).split()
    if expression.strip().startswith("@") and len(fields) == 1:
        raise OptionError(
            f"Cron expression {expression!r} is not known; the names are {', '.join(ALIASES)}"
        )
    if len(fields) != 5:
        raise OptionError(
            f"Cron expression {expression!r} has {len(fields)} fields; it needs five: "
            f"minute hour day-of-month month day-of-week, such as '30 9 * * 1-5'"
        )
    try:
        read = _read(*fields)
    except CronSimError as error:
        problem = _problem(fields, str(error))
        raise OptionError(f"Cron expression {expression!r} is not valid: {problem}") from None
    for name, text, (first, last) in zip(_FIELDS, fields, _RANGES, strict=True):
        step = _idle_step(text, first, last)
        if step is not None:
            raise OptionError(
                f"Cron expression {expression!r} is not valid: the step of {step} in the {name} "
                f"field leads beyond its end, so that it has one value only; {_instead(name, step)}"
            )
    return read


def _read(*fields: str) -> CronSim:
    return CronSim(" ".join(fields), datetime(2024, 1, 1, tzinfo=UTC))


def _problem(fields: list[str], found: str) -> str:
    """Returns the problem that cronsim found ('Bad minute'), with the text of the field."""
    name = found.removeprefix("Bad ")
    if name not in _FIELDS:
        return found
    minute, hour, day, _, weekday = fields
    if name == "day-of-month":
        with suppress(CronSimError):
            _read(minute, hour, day, "*", weekday)
            most = next(most for most in range(31, 0, -1) if _has(fields, str(most)))
            return f"no month in {fields[3]!r} has a day {day!r}; give days up to {most}"
    place = _FIELDS.index(name)
    first, last = _RANGES[place]
    return (
        f"the {name} field cannot be {fields[place]!r}; give numbers from {first} to {last}, such "
        f"as '{first}-{last // 2},{last}', or '*'"
    )


def _has(fields: list[str], day: str) -> bool:
    """Returns whether one of the months has such a day."""
    minute, hour, _, month, weekday = fields
    with suppress(CronSimError):
        _read(minute, hour, day, month, weekday)
        return True
    return False


def _idle_step(text: str, first: int, last: int) -> int | None:
    """A step that leads to no second value: the field begins anew before it comes to one."""
    for term in text.split(","):
        found = _STEP.fullmatch(term)
        if found is None:
            continue
        begin = first if found["begin"] is None else int(found["begin"])
        end = last if found["end"] is None else int(found["end"])
        step = int(found["step"])
        if begin + step > end:
            return step
    return None


def _instead(name: str, step: int) -> str:
    """Returns a suggestion for the author of such a step."""
    size = _SIZES.get(name)
    if size is None:
        return "write the values that are meant"
    return (
        f"for every {step} {size[0]} give the interval instead, @every {step * size[1]}s "
        f"(every={step * size[1]}); for one value write just that"
    )


def _month_after(day: date) -> date:
    if day.month == 12:
        return date.max if day.year == date.max.year else date(day.year + 1, 1, 1)
    return date(day.year, day.month + 1, 1)


def _steady_offset(midnight: datetime, zone: tzinfo) -> timedelta | None:
    """Returns the zone's offset on a day without a change of the clocks, else None."""
    offsets = {
        moment.replace(tzinfo=zone, fold=fold).utcoffset()
        for moment in (midnight, midnight + _DAY)
        for fold in (0, 1)
    }
    return offsets.pop() if len(offsets) == 1 else None


def _end_of_gap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Returns the first minute after the clocks skipped, which lies in (before, after]."""
    early = before.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) // (2 * _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == early:
            before = middle
        else:
            after = middle
    return after


def _in_order(days: Iterator[list[datetime]]) -> Iterator[datetime]:
    """Join the days' instants in order, each once.

    Neighbours overlap where the clocks go back across midnight; what is earlier than the first
    instant of the next day can be given out, because days begin in order.
    """
    held: list[datetime] = []
    for day in days:
        if not day:
            continue
        ready = held
        held = day
        if ready and ready[-1] >= day[0]:
            held = sorted({*(at for at in ready if at >= day[0]), *day})
            ready = [at for at in ready if at < day[0]]
        yield from ready
    yield from held
