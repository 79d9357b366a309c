"""Fires schedules: a duty that adds a job for each instant of each schedule."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from rotulus._engine.duties import LONGEST_SLEEP
from rotulus._engine.followed import Followed, entry_of
from rotulus._engine.job_factory import Due, JobFactory
from rotulus._jobs.record import micros
from rotulus._tasks.task import Task
from rotulus.errors import OptionError, StoreClosedError, StoreUnavailableError
from rotulus.events import DutyFailed, Events, ScheduleFired, ScheduleSkipped
from rotulus.store import CODE, ScheduleRow, Store

LOOK_EVERY = 1.5
"""Seconds between two looks for schedules that have changed."""

_CONFIRM_EVERY = timedelta(seconds=60)
"""How often the schedules of the code are declared again."""

_PATIENCE = 180.0
"""Seconds after which the code of another program, which declares a schedule otherwise, is gone."""

_AGAIN = timedelta(seconds=LONGEST_SLEEP)
"""After how long a schedule that cannot be fired is tried again."""

_TRIES = 3
"""How often a schedule is looked at again when others fire or change it at the same moment."""


class Scheduling:
    """Adds a job for each instant of each schedule.

    The store has the schedules. A process declares those of its code, and fires these and the added
    ones whose task it knows. One transaction decides which instants fire: it refuses all but the
    first of several processes, and each process that has not seen the last change.
    """

    name = "schedule"

    def __init__(
        self,
        store: Store,
        job_factory: JobFactory,
        tasks: Sequence[Task[..., Any, Any]],
        events: Events,
    ) -> None:
        self._store = store
        self._job_factory = job_factory
        self._tasks = {task.name: task for task in tasks}
        self._events = events
        self._followed: dict[str, Followed] = {}
        self._seen = -1
        self._declared_at: datetime | None = None
        self._now: datetime | None = None

    def tick(self, now: datetime) -> float:
        """Fire the due instants; returns the seconds until there may be more to do."""
        if self._now is not None and now < self._now:
            for followed in self._followed.values():
                followed.forget(now)
        self._now = now
        self._declare(now)
        self._follow(self._store.schedules.changed(self._seen), now)
        for followed in list(self._followed.values()):
            if followed.is_due(now):
                self._fire_one(followed, now)
        upcoming = (one.next for one in self._followed.values())
        waits = [(at - now).total_seconds() for at in upcoming if at is not None and at > now]
        return min([LOOK_EVERY, *waits])

    def _declare(self, now: datetime) -> None:
        """Have the schedules of the code in the store, and say now and then that they stand."""
        last = self._declared_at
        if last is not None and last <= now < last + _CONFIRM_EVERY:
            return
        declared = [entry_of(t.name, t.schedule) for t in self._tasks.values() if t.schedule]
        self._store.schedules.declare(declared, 0.0 if last is None else _PATIENCE)
        self._declared_at = now

    def _follow(self, rows: Iterable[ScheduleRow], now: datetime) -> None:
        for row in rows:
            self._seen = max(self._seen, row.changed)
            self._take(row, now)

    def _take(self, row: ScheduleRow, now: datetime) -> Followed | None:
        """Follow a schedule as it stands now; None: it does not fire here."""
        self._followed.pop(row.name, None)
        task = self._tasks.get(row.task or row.name)
        if task is None or row.paused_at is not None:
            return None
        if row.origin == CODE and task.schedule is None:
            return None  # retired: the code has the task, and schedules it no more
        try:
            followed = self._followed[row.name] = Followed(row, task, now)
        except OptionError as error:  # another version may know more than this one
            self._events.emit(DutyFailed(f"{self.name} {row.name}", error))
            return None
        return followed

    def _fire_one(self, followed: Followed, now: datetime) -> None:
        """Fire one schedule; when it cannot be fired, that is told, and the others go on."""
        try:
            for _ in range(_TRIES):
                other = self._fire(followed, now)
                if other is None or not other.is_due(now):
                    return
                followed = other
        except (StoreUnavailableError, StoreClosedError):
            raise
        except Exception as error:  # noqa: BLE001 - one that is wrong must not end the others
            self._events.emit(DutyFailed(f"{self.name} {followed.row.name}", error))
            followed.next = now + _AGAIN

    def _fire(self, followed: Followed, now: datetime) -> Followed | None:
        """Fire what is due; returns the schedule if it is another by now, and nothing was fired."""
        row, schedule = followed.row, followed.schedule
        instants = followed.due(now)
        jobs = [
            self._job_factory.firing(
                followed.task, row.name, row.arguments, Due(at, schedule.delay(row.name, at))
            )
            for at in instants
        ]
        fired = self._store.schedules.fire(row, micros(now), jobs)
        if fired.jobs is None or fired.row is None:
            self._followed.pop(row.name, None)
            return None if fired.row is None else self._take(fired.row, now)
        followed.row = fired.row
        followed.dealt_with(now)
        if jobs and not fired.jobs:
            self._events.emit(ScheduleSkipped(row.name, instants[-1]))
        for job, record, instant in zip(jobs, fired.jobs, instants, strict=False):
            if record.id == job.id:
                self._events.emit(ScheduleFired(row.name, instant, job.id))
        return None
