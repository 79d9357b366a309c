"""A schedule of the store, as the process that fires it follows it."""

import json
from datetime import datetime, timedelta
from typing import Any

from rotulus._jobs.record import micros, moment
from rotulus._tasks.task import Task
from rotulus._text.jsontext import encode
from rotulus._time.schedule import ON_TIME, Schedule
from rotulus.errors import OptionError
from rotulus.store import ScheduleEntry, ScheduleRow

_MICROSECOND = timedelta(microseconds=1)


class Followed:
    """A schedule that is fired here.

    Args:
        row: the schedule, as it was seen last.
        task: its task.
        now: the present moment.

    Attributes:
        schedule: what it says.
        next: when it is due next; None: never.
    """

    def __init__(self, row: ScheduleRow, task: Task[..., Any, Any], now: datetime) -> None:
        self.row = row
        self.task = task
        self.schedule = schedule_of(row.entry)
        self.next: datetime | None = None
        self._stands = now
        self._dealt_with: datetime | None = None
        self.forget(now)

    def is_due(self, now: datetime) -> bool:
        """Whether there is an instant to look at."""
        return self.next is not None and self.next <= now

    def due(self, now: datetime) -> list[datetime]:
        """Returns the instants to fire: one at most, where they may not overlap."""
        found = self.schedule.due(self._since(now), now)
        return found[-1:] if self.row.overlap == "skip" else found

    def dealt_with(self, now: datetime) -> None:
        """All instants up to now are dealt with."""
        self._dealt_with = now
        self.next = next(iter(self.schedule.next(now)), None)

    def forget(self, now: datetime) -> None:
        """The clock has gone back: only the store knows what is dealt with.

        A schedule that stands only from a later moment on was changed by a clock that was ahead:
        here it stands from now on.
        """
        since = moment(self.row.since)
        self._stands = now if since > now + ON_TIME else since
        self._dealt_with = None
        self.next = next(iter(self.schedule.next(self._since(now))), None)

    def _since(self, now: datetime) -> datetime:
        """The moment up to which instants are dealt with.

        After a clock that was ahead, that is not known. So all that may be due is fired again,
        which does nothing twice: the key of an instant that has fired is held. One that has been
        skipped has no key, so a schedule that skips goes on from now.
        """
        stands, fired_to = self._stands, moment(self.row.fired_to)
        if fired_to > now + ON_TIME:
            return now if self.row.overlap == "skip" else min(stands, now)
        return max(stands, fired_to, self._dealt_with or stands)


def schedule_of(entry: ScheduleEntry) -> Schedule:
    """Returns what a stored schedule says. Raises `OptionError` for what this version cannot."""
    return Schedule(**_options_of(entry))


def shown_schedule_of(entry: ScheduleEntry) -> Schedule:
    """Returns what a stored schedule says, without instants if this version cannot read it."""
    options = _options_of(entry)
    try:
        return Schedule(**options)
    except OptionError as error:
        return Schedule.unreadable(str(error), **options)


def _options_of(entry: ScheduleEntry) -> dict[str, Any]:
    start, end = (None if at is None else moment(at) for at in (entry.start_at, entry.end_at))
    return {
        "cron": entry.cron,
        "timezone": entry.timezone,
        "missed": entry.missed,
        "overlap": entry.overlap,
        "start": start,
        "end": end,
        "spread": entry.spread / 1_000_000,
        "arguments": json.loads(entry.arguments),
    }


def entry_of(name: str, schedule: Schedule, task: str | None = None) -> ScheduleEntry:
    """Returns a schedule as it is stored.

    Args:
        name: its name.
        schedule: what it says.
        task: the task it fires; None: the one of its name.
    """
    start, end = (None if at is None else micros(at) for at in (schedule.start, schedule.end))
    return ScheduleEntry(
        name=name,
        cron=schedule.cron,
        timezone=schedule.timezone,
        task=task,
        arguments=encode(dict(schedule.arguments)) if schedule.arguments else "{}",
        missed=schedule.missed,
        overlap=schedule.overlap,
        spread=round(schedule.spread * 1_000_000),
        start_at=start,
        end_at=end,
    )
