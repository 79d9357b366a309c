"""A schedule: a cron expression in a zone, or an interval, with a policy for missed instants."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rotulus._text.names import did_you_mean
from rotulus._time.cron import Cron
from rotulus._time.interval import PREFIX, Interval, read_interval
from rotulus.errors import OptionError

CATCH_UP = timedelta(days=7)
"""The longest time to look back for instants that were not fired."""

ON_TIME = timedelta(seconds=60)
"""An instant that is not fired within this time counts as missed."""

_ALL = re.compile(r"all\((\d{1,4})\)")


@dataclass(frozen=True)
class Schedule:
    """A cron expression in a zone, or an interval, with its policy for missed instants.

    Args:
        cron: five fields, or an alias such as `@daily`; see `rotulus._time.cron` for clock changes.
            Or an interval, such as `@every 90s`.
        timezone: an IANA zone name, such as `"Europe/London"`. Default UTC. Intervals have none:
            their instants are only shown in it.
        missed: the policy for instants at which no worker was running:
            `"latest"` fires the latest of them (the default), `"skip"` none that is more than
            60 seconds late, `"all(N)"` the latest N, in order. Never further back than 7 days.

    Raises:
        OptionError: the expression, the zone or the policy is not valid, or the expression can
            never match.
    """

    cron: str
    timezone: str = "UTC"
    missed: str = "latest"
    _times: Cron | Interval = field(init=False, repr=False, compare=False)
    _zone: tzinfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_missed(self.missed)
        object.__setattr__(self, "_times", _read(self.cron))
        object.__setattr__(self, "_zone", find_zone(self.timezone))

    @property
    def is_interval(self) -> bool:
        """Whether the schedule is an interval, and no cron expression."""
        return isinstance(self._times, Interval)

    def explain(self) -> str:
        """Returns the schedule in English."""
        if isinstance(self._times, Interval):
            return self._times.explain()
        return f"{self._times.explain()} ({self.timezone})"

    def next(self, after: datetime, count: int = 1) -> list[datetime]:
        """Returns the next instants later than `after`, in the schedule's own zone."""
        instants = self._times.instants(self._zone, after)
        return [at.astimezone(self._zone) for at, _ in zip(instants, range(count), strict=False)]

    def due(self, since: datetime, now: datetime) -> list[datetime]:
        """Returns the instants to fire now, oldest first, as UTC datetimes.

        Args:
            since: instants up to this one have been dealt with.
            now: the present moment.
        """
        since = max(since, now - CATCH_UP)
        if isinstance(self._times, Interval):  # all before the last few are skipped
            since = max(since, now - timedelta(seconds=_limit(self.missed) * self._times.seconds))
        instants = self._times.instants(self._zone, since)
        return self._choose(list(takewhile(lambda at: at <= now, instants)), now)

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


def _read(cron: str) -> Cron | Interval:
    return read_interval(cron) if cron.strip().startswith(PREFIX) else Cron(cron)


def _limit(missed: str) -> int:
    found = _ALL.fullmatch(missed)
    return int(found[1]) if found else 1
