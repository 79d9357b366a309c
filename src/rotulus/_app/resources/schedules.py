"""The schedules of an app: when each is due next, and when it fired last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotulus._app.port import AppPort
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.job import Job
from rotulus._time.schedule import Schedule
from rotulus.store import Filter


@dataclass(frozen=True, slots=True)
class ScheduleInfo:
    """A schedule as it stands.

    Attributes:
        name: the name of its task.
        schedule: its expression, zone, and what happens to missed instants.
        next: the next instant at which it is due, in UTC.
        last: the job it fired last, if that is still kept.
    """

    name: str
    schedule: Schedule
    next: datetime
    last: Job[Any] | None


ScheduleInfos = list[ScheduleInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class Schedules:
    """`app.schedules`: the scheduled tasks of the app's registry, each verb also with an `a`.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> ScheduleInfos:
        """Returns the scheduled tasks, in the order in which they were registered."""
        port = self._port()
        return [
            ScheduleInfo(task.name, task.schedule, task.schedule.next(port.now())[0], last)
            for task in port.registry
            if task.schedule is not None
            for last in [self._last(port, task.name)]
        ]

    async def alist(self) -> ScheduleInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    def _last(self, port: AppPort, name: str) -> Job[Any] | None:
        found = port.store().find(Filter(schedule=name), 1)
        return Job(found[0], port) if found else None
