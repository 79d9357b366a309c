"""The cron schedules of a runner: schedules of the store, in the words of its verbs."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from rotulus import App, Job, Schedule, State
from rotulus._jobs.record import moment
from rotulus.errors import (
    OptionError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    WorkflowError,
)
from rotulus.store import ADDED, ScheduleRow

_NAMESPACE = uuid.UUID("6f0b2c9e-5d0a-4c55-9a51-0f6f0c4b7a11")
_PAGE = 500


class CronSchedules:
    """The cron schedules of workflows in a store, whichever runner has registered them.

    The name of each in the store is its id, which is made of what was registered: so runners that
    register the same mean the same one.

    Args:
        app: the app of the runner.
        most_missed: how many missed moments of a schedule are made up for.
        lost_after: after how long a firing that has not ended counts as lost.
    """

    def __init__(self, app: App, most_missed: int, lost_after: timedelta) -> None:
        self._app = app
        self._missed = f"all({most_missed})"
        self._lost_after = lost_after

    def register(self, workflow: str, expression: str, timezone: str) -> str:
        """Add a schedule, and give its id; the same again is the same one."""
        self._check("register", expression, timezone)
        name = str(uuid.uuid5(_NAMESPACE, f"{workflow}\n{expression}\n{timezone}"))
        times: dict[str, Any] = {"cron": expression, "timezone": timezone, "missed": self._missed}
        with suppress(ScheduleConflictError):  # it is there already
            self._app.schedules.add(name, task=workflow, **times)
        return name

    def listed(self, *, enabled_only: bool = False) -> list[dict[str, Any]]:
        """Returns the schedules, in the order they were registered."""
        rows = sorted(self._rows(), key=lambda row: (row.created_at or row.since, row.name))
        return [_shown(row) for row in rows if row.paused_at is None or not enabled_only]

    def get(self, schedule_id: str) -> dict[str, Any]:
        """Returns the schedule of that id. Raises `WorkflowError`."""
        for row in self._app.store.schedules.read([schedule_id]):
            if _is_cron(row):
                return _shown(row)
        raise _missing("get", schedule_id)

    def update(self, schedule_id: str, expression: str, timezone: str) -> None:
        """Give it another expression or zone, from now on."""
        self._check("update", expression, timezone)
        self.get(schedule_id)
        try:
            self._app.schedules.set(schedule_id, cron=expression, timezone=timezone)
        except ScheduleNotFoundError:
            raise _missing("update", schedule_id) from None

    def enable(self, schedule_id: str, *, enabled: bool) -> None:
        """Let it fire, from now on, or not."""
        self.get(schedule_id)
        verb = self._app.schedules.resume if enabled else self._app.schedules.pause
        try:
            verb(schedule_id)
        except ScheduleNotFoundError:
            raise _missing("update", schedule_id) from None

    def delete(self, schedule_id: str) -> None:
        """Remove it."""
        self.get(schedule_id)
        try:
            self._app.schedules.remove(schedule_id)
        except ScheduleNotFoundError:
            raise _missing("delete", schedule_id) from None

    def history(self, schedule_id: str, limit: int | None, offset: int) -> list[dict[str, Any]]:
        """Returns its firings, the latest first, each with the id of its run."""
        self.get(schedule_id)
        end = None if limit is None else offset + limit
        return [
            {
                "run_id": job.id,
                "schedule_id": schedule_id,
                "scheduled_time": job.instant.isoformat(),
                "claimed_at": job.created_at.isoformat(),
                "state": str(job.state),
            }
            for job in islice(self._firings(schedule_id), offset, end)
            if job.instant is not None
        ]

    def stats(self, since: datetime | None = None) -> dict[str, Any]:
        """Returns figures about the firings, since a moment: `total_executions`, and so on."""
        jobs = [job for row in self._rows() for job in self._firings(row.name, since)]
        good = sum(job.state is State.SUCCEEDED for job in jobs)
        lost = sum(not job.state.ended and self._is_late(job) for job in jobs)
        return {
            "total_executions": len(jobs),
            "successful_executions": good,
            "lost_executions": lost,
            "success_rate": 100.0 * good / len(jobs) if jobs else 0.0,
        }

    def _is_late(self, job: Job[Any]) -> bool:
        return datetime.now(job.created_at.tzinfo) - job.created_at > self._lost_after

    def _rows(self) -> list[ScheduleRow]:
        return [row for row in self._app.store.schedules.read() if _is_cron(row)]

    def _check(self, verb: str, expression: str, timezone: str) -> None:
        try:
            Schedule(expression, timezone, self._missed)
        except OptionError as error:
            raise OptionError(f"Failed to {verb} cron schedule: {error}") from None

    def _firings(self, name: str, since: datetime | None = None) -> Iterator[Job[Any]]:
        """The jobs that a schedule has fired for a moment, the latest first; those since then."""
        after = None
        while True:
            page = self._app.jobs.find(schedule=name, limit=_PAGE, after=after, since=since)
            yield from (job for job in page if job.instant is not None)
            after = page.next
            if after is None:
                return


def _is_cron(row: ScheduleRow) -> bool:
    """Whether a runner has registered a schedule: its name is an id."""
    try:
        return row.origin == ADDED and uuid.UUID(row.name).version == 5
    except ValueError:
        return False


def _shown(row: ScheduleRow) -> dict[str, Any]:
    """A schedule by name; moments as RFC 3339 text."""
    return {
        "id": row.name,
        "workflow_name": row.task,
        "cron_expression": row.cron,
        "timezone": row.timezone,
        "enabled": row.paused_at is None,
        "since": moment(row.since).isoformat(),
    }


def _missing(verb: str, schedule_id: str) -> WorkflowError:
    return WorkflowError(f"Failed to {verb} cron schedule: no schedule has id {schedule_id!r}")
