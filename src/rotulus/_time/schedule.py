"""A schedule: a cron expression in a zone, or an interval, and what becomes of its instants.

The instants of an interval, such as `@every 90s`, are its multiples since 1970 (UTC), or since its
start, so all processes mean the same ones, whenever each of them began.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rotulus._text.names import did_you_mean
from rotulus._time.cron import Cron
from rotulus._time.lengths import check_moment, check_seconds
from rotulus.errors import OptionError

_EVERY = "@every"

_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Interval:
    """An interval of so many whole seconds, at least one, counted from a moment."""

    seconds: int
    anchor: datetime = _EPOCH

    def explain(self) -> str:
        """Returns the interval in English, such as 'Every 90 seconds'."""
        unit, size = next(pair for pair in _UNITS if self.seconds % pair[1] == 0)
        count = self.seconds // size
        return f"Every {unit[:-1]}" if count == 1 else f"Every {count} {unit}"

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:  # noqa: ARG002 - as Cron
        """The instants later than `after`, in order, as UTC datetimes, without end."""
        step = timedelta(seconds=self.seconds)
        number = (after - self.anchor) // step + 1
        while True:
            yield self.anchor + number * step
            number += 1


class _Unreadable:
    """In place of an expression and a zone that cannot be read: nothing is due."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def explain(self) -> str:
        """Returns why it cannot be read."""
        return self._problem

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:  # noqa: ARG002 - as Cron
        """No instants."""
        return iter(())


def _read_interval(expression: str, anchor: datetime) -> Interval:
    """The interval of a text such as `@every 90s` or `@every 1h30m`. Raises `OptionError`."""
    length = expression.strip()[len(_EVERY) :].strip()
    found = _LENGTH.fullmatch(length)
    parts = [int(part or 0) for part in found.groups()] if found else []
    seconds = sum(part * size for part, (_, size) in zip(parts, _UNITS, strict=False))
    if seconds < 1:
        raise OptionError(
            f"Schedule {expression!r} is not valid: write a length of a second or more, such as "
            f"@every 90s or @every 1h30m"
        )
    return Interval(round(check_seconds(seconds, _EVERY)), anchor)


def write_interval(every: object) -> str:
    """The text of an interval: a number of whole seconds, or a timedelta. Raises `OptionError`."""
    seconds = check_seconds(every, "every")
    if seconds < 1 or not seconds.is_integer():
        raise OptionError(f"every={every!r} is not allowed: give whole seconds, 1 or more")
    return f"{_EVERY} {seconds:.0f}s"


CATCH_UP = timedelta(days=7)
"""The longest time to look back for instants that were not fired."""

ON_TIME = timedelta(seconds=60)
"""An instant that is not fired within this time counts as missed."""

_ALL = re.compile(r"all\((\d{1,4})\)")


LONGEST_SPREAD = timedelta(days=1)
"""The longest time over which the jobs of a schedule are spread."""


@dataclass(frozen=True, repr=False)
class Schedule:
    """A cron expression in a zone, or an interval, and what becomes of its instants.

    Args:
        cron: five fields, or an alias such as `@daily`; see `rotulus._time.cron` for clock changes.
            Or an interval, such as `@every 90s`.
        timezone: an IANA zone name, such as `"Europe/London"`. Default UTC. Intervals have none:
            their instants are only shown in it.
        missed: the policy for instants at which no worker was running:
            `"latest"` fires the latest of them (the default), `"skip"` none that is more than
            60 seconds late, `"all(N)"` the latest N, in order. Never further back than 7 days.
        overlap: `"allow"` (the default), or `"skip"`: an instant becomes no job while an earlier
            job of the schedule has not ended.
        start: no instant is before. An interval is counted from it, to the second.
        end: no instant is after it.
        spread: seconds: each job is due at a moment within that time after its instant, which
            is made of the schedule and the instant. Default 0, a day at most.
        arguments: what the task is called with, by name.

    Raises:
        OptionError: one of them is not allowed, or the expression can never match.
    """

    cron: str
    timezone: str = "UTC"
    missed: str = "latest"
    overlap: str = "allow"
    start: datetime | None = None
    end: datetime | None = None
    spread: float = 0.0
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    _times: Cron | Interval | _Unreadable = field(init=False, compare=False)
    _zone: tzinfo = field(init=False, compare=False)

    def __post_init__(self) -> None:
        check_missed(self.missed)
        if self.overlap not in ("allow", "skip"):
            raise OptionError(
                f"overlap={self.overlap!r} is not allowed: choose 'allow', or 'skip' to leave "
                f"instants out while an earlier job of the schedule has not ended"
            )
        start, end = _whole(self.start, "start"), _whole(self.end, "end")
        if start is not None and end is not None and end < start:
            raise OptionError(f"end={end.isoformat()} is before start={start.isoformat()}")
        checked = {
            "start": start,
            "end": end,
            "spread": _check_spread(self.spread),
            "arguments": dict(self.arguments),
            "_times": _read(self.cron, start or _EPOCH),
            "_zone": find_zone(self.timezone),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def unreadable(cls, problem: str, **options: Any) -> "Schedule":
        """Returns a schedule of which this version or machine cannot read some options.

        It has the options as they are, and no instants, and is shown in UTC.

        Args:
            problem: what is wrong; it explains itself so.
            options: all arguments of a schedule.
        """
        made = object.__new__(cls)
        for name, value in {**options, "_times": _Unreadable(problem), "_zone": UTC}.items():
            object.__setattr__(made, name, value)
        return made

    def __repr__(self) -> str:
        """Returns it with what is given, so that a new option changes no fingerprint."""
        shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if self._is_shown(f)]
        return f"Schedule({', '.join(shown)})"

    def _is_shown(self, option: Any) -> bool:
        if option.name in ("cron", "timezone", "missed"):
            return True
        made = option.default if option.default_factory is MISSING else option.default_factory()
        return option.init and getattr(self, option.name) != made

    @property
    def zone(self) -> tzinfo:
        """The zone in which its instants are shown."""
        return self._zone

    @property
    def is_readable(self) -> bool:
        """Whether this version, on this machine, can read all its options."""
        return not isinstance(self._times, _Unreadable)

    @property
    def is_interval(self) -> bool:
        """Whether the schedule is an interval, and no cron expression."""
        return isinstance(self._times, Interval)

    def explain(self) -> str:
        """Returns the schedule in English."""
        if isinstance(self._times, Interval):
            return self._times.explain()
        zone = f" ({self.timezone})" if self.is_readable else ""
        return f"{self._times.explain()}{zone}"

    def next(self, after: datetime, count: int = 1) -> list[datetime]:
        """Returns the next instants later than `after`, in the schedule's own zone.

        There are fewer than `count`, or none, when it ends before.
        """
        return [at.astimezone(self._zone) for at in islice(self._instants(after), count)]

    def between(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Yields the instants from `since` on, and before `until`, in order, as UTC datetimes."""
        return takewhile(lambda at: at < until, self._instants(since - _MICROSECOND))

    def due(self, since: datetime, now: datetime) -> list[datetime]:
        """Returns the instants to fire now, oldest first, as UTC datetimes.

        Args:
            since: instants up to this one have been dealt with.
            now: the present moment.
        """
        since = max(since, now - CATCH_UP)
        if isinstance(self._times, Interval):  # all before the last few are skipped
            last = now if self.end is None else min(now, self.end)
            since = max(since, last - timedelta(seconds=_limit(self.missed) * self._times.seconds))
        instants = takewhile(lambda at: at <= now, self._instants(since))
        return self._choose(list(instants), now)

    def delay(self, name: str, instant: datetime) -> timedelta:
        """Returns how long after an instant its job is due, the same in every process.

        Args:
            name: the name of the schedule.
            instant: the instant.
        """
        chance = zlib.crc32(f"{name}@{stamp(instant)}".encode()) / 2**32
        return timedelta(milliseconds=int(chance * self.spread * 1000))

    def _instants(self, after: datetime) -> Iterator[datetime]:
        if self.start is not None:
            after = max(after, self.start - _MICROSECOND)
        instants, end = self._times.instants(self._zone, after), self.end
        return instants if end is None else takewhile(lambda at: at <= end, instants)

    def _choose(self, passed: list[datetime], now: datetime) -> list[datetime]:
        if self.missed == "skip":
            return [at for at in passed[-1:] if now - at <= ON_TIME]
        return passed[-_limit(self.missed) :]


def stamp(instant: datetime) -> str:
    """Returns an instant for the key of a firing: to the minute, or to the second if it has any."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}" if instant.second else f"{instant:%Y-%m-%dT%H:%MZ}"


def read_stamp(text: str) -> datetime:
    """Returns the instant that `stamp` wrote."""
    return datetime.fromisoformat(text)


def check_missed(missed: object) -> None:
    """Raise `OptionError` unless this is one of the policies."""
    if missed in ("skip", "latest"):
        return
    if isinstance(missed, str) and _ALL.fullmatch(missed) and _limit(missed) > 0:
        return
    raise OptionError(
        f"missed={missed!r} is not allowed: choose 'skip', 'latest' or 'all(N)', such as 'all(24)'"
    )


def find_zone(name: object) -> tzinfo:
    """Returns the time zone of an IANA name. Raises `OptionError`, with a suggestion."""
    if name == "UTC":
        return UTC
    try:
        if isinstance(name, str) and name:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    hint = did_you_mean(str(name), available_timezones())
    raise OptionError(
        f"Time zone {name!r} is not known{hint or '; use an IANA name such as Europe/London'}"
        f"{'' if available_timezones() else ' (no zones are installed: pip install tzdata)'}"
    )


def is_interval(cron: str) -> bool:
    """Returns whether an expression is an interval, such as `@every 90s`."""
    return cron.strip().startswith(_EVERY)


def _read(cron: str, anchor: datetime) -> Cron | Interval:
    return _read_interval(cron, anchor) if is_interval(cron) else Cron(cron)


def _whole(moment: object, option: str) -> datetime | None:
    """A moment in UTC, to the second: the keys of firings have no fractions."""
    if moment is None:
        return None
    return check_moment(moment, option).astimezone(UTC).replace(microsecond=0)


def _check_spread(value: object) -> float:
    seconds = check_seconds(value, "spread")
    if seconds > LONGEST_SPREAD.total_seconds():
        raise OptionError(f"spread={value!r} is not allowed: give a day (86,400 seconds) at most")
    return seconds


def _limit(missed: str) -> int:
    found = _ALL.fullmatch(missed)
    return int(found[1]) if found else 1
