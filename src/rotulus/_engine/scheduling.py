"""Fires schedules: a duty that adds a job for each instant of each scheduled task."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rotulus._engine.duties import LONGEST_SLEEP
from rotulus._engine.job_factory import JobFactory
from rotulus._tasks.task import Task
from rotulus.errors import StoreClosedError, StoreUnavailableError
from rotulus.events import DutyFailed, Events, ScheduleFired
from rotulus.store import ScheduleEntry, Store


class Scheduling:
    """Adds a job for each instant of each scheduled task.

    The key of the job is the task and the instant, and it is held for longer than any process looks
    back, so each instant becomes one job however many processes do this.
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
        self._tasks = {task.name: task for task in tasks if task.schedule is not None}
        self._events = events
        self._since: dict[str, datetime] = {}
        self._done: dict[str, datetime] = {}

    def tick(self, now: datetime) -> float:
        """Fire the due instants; returns the seconds until the next one."""
        if not self._tasks:
            return LONGEST_SLEEP
        if not self._since:
            self._since = self._store.schedules(_entries(self._tasks))
            self._done = dict(self._since)
        for name, task in self._tasks.items():
            self._fire_one(name, task, now)
        waits = [(at - now).total_seconds() for at in self._upcoming(now)]
        return min([LONGEST_SLEEP, *waits])

    def _fire_one(self, name: str, task: Task[..., Any, Any], now: datetime) -> None:
        """Fire one schedule; when it cannot be fired, that is told, and the others go on.

        After a clock that was ahead, what has been dealt with is not known. So all that may be due
        is fired again, which does nothing twice: the key of an instant that has fired is held.
        """
        done = self._done[name]
        try:
            self._fire(task, min(self._since[name], now) if done > now else done, now)
        except (StoreUnavailableError, StoreClosedError):
            raise
        except Exception as error:  # noqa: BLE001 - one that is wrong must not end the others
            self._events.emit(DutyFailed(f"{self.name} {name}", error))
        else:
            self._done[name] = now

    def _fire(self, task: Task[..., Any, Any], since: datetime, now: datetime) -> None:
        instants = task.schedule.due(since, now) if task.schedule else []
        jobs = [self._job_factory.firing(task, instant) for instant in instants]
        added = self._store.add(jobs) if jobs else []
        for job, record, instant in zip(jobs, added, instants, strict=True):
            if record.id == job.id:
                self._events.emit(ScheduleFired(task.name, instant, job.id))

    def _upcoming(self, now: datetime) -> list[datetime]:
        return [
            at for task in self._tasks.values() if task.schedule for at in task.schedule.next(now)
        ]


def _entries(tasks: Mapping[str, Task[..., Any, Any]]) -> list[ScheduleEntry]:
    return [
        ScheduleEntry(name, task.schedule.cron, task.schedule.timezone)
        for name, task in tasks.items()
        if task.schedule
    ]
