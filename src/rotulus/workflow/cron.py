"""Cron schedules of workflows that are registered with a runner, and the outcomes of their firings.

A schedule lives in its runner, and is registered again by the next one. Its id is made of what was
registered, and the key of a firing of the id and the moment: so runners that register the same fire
once, and one that begins later knows which moments were missed.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from rotulus import App, Job, Schedule, State
from rotulus._concurrency.starting import start_thread
from rotulus._time.schedule import read_stamp, stamp
from rotulus.errors import OptionError, WorkflowError
from rotulus.events import DutyFailed

_NAMESPACE = uuid.UUID("6f0b2c9e-5d0a-4c55-9a51-0f6f0c4b7a11")
_HELD = timedelta(days=8)
_LONGEST_SLEEP = 30.0
_AGAIN = 1.0
"""Seconds until a schedule that could not fire is tried again: the store is away, say."""

_PAGE = 500


@dataclass(frozen=True)
class CronSchedule:
    """A schedule of a workflow.

    Attributes:
        id: its id.
        workflow_name: the workflow that it fires.
        cron_expression: five fields, or an alias such as `@daily`.
        timezone: an IANA zone name.
        enabled: whether it fires.
        since: moments up to this one do not fire, or have fired.
    """

    id: str
    workflow_name: str
    cron_expression: str
    timezone: str
    enabled: bool
    since: datetime

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it by name; moments as RFC 3339 text."""
        return {**asdict(self), "since": self.since.isoformat()}


class Crons:
    """The schedules of a runner, and the thread that fires them.

    Args:
        app: where the workflows are enqueued.
        fire: begins a workflow: given its name, a key, and how long the key is held in seconds.
        now: the clock.
        most_missed: how many missed moments of a schedule are made up for.
        lost_after: after how long a firing that has not ended counts as lost.
        look_every: seconds after which the schedules are looked at in any case.
    """

    def __init__(
        self,
        app: App,
        fire: Callable[[str, str, float], object],
        now: Callable[[], datetime],
        most_missed: int,
        lost_after: timedelta,
        look_every: float = _LONGEST_SLEEP,
    ) -> None:
        self._app = app
        self._fire = fire
        self._now = now
        self._missed = f"all({most_missed})"
        self._lost_after = lost_after
        self._look_every = look_every
        self._schedules: dict[str, CronSchedule] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    def register(self, workflow: str, expression: str, timezone: str) -> str:
        """Add a schedule, and give its id; the same again is the same one."""
        self._check("register", expression, timezone)
        schedule_id = uuid.uuid5(_NAMESPACE, f"{workflow}\n{expression}\n{timezone}")
        schedule = CronSchedule(
            str(schedule_id), workflow, expression, timezone, enabled=True, since=self._now()
        )
        fired = next(self._firings(schedule), None)
        if fired is not None:
            schedule = replace(schedule, since=_moment(fired))
        with self._lock:
            self._schedules.setdefault(schedule.id, schedule)
        return schedule.id

    def listed(self, *, enabled_only: bool = False) -> list[CronSchedule]:
        """Returns the schedules, in the order they were registered."""
        with self._lock:
            found = list(self._schedules.values())
        return [schedule for schedule in found if schedule.enabled or not enabled_only]

    def get(self, schedule_id: str) -> CronSchedule:
        """Returns the schedule of that id. Raises `WorkflowError`."""
        with self._lock:
            found = self._schedules.get(schedule_id)
        if found is None:
            raise WorkflowError(f"Failed to get cron schedule: no schedule has id {schedule_id!r}")
        return found

    def update(self, schedule_id: str, expression: str, timezone: str) -> None:
        """Give it another expression or zone, from now on."""
        self._check("update", expression, timezone)
        self._change(schedule_id, cron_expression=expression, timezone=timezone, since=self._now())

    def enable(self, schedule_id: str, *, enabled: bool) -> None:
        """Let it fire, from now on, or not."""
        self._change(schedule_id, enabled=enabled, since=self._now())

    def delete(self, schedule_id: str) -> None:
        """Forget it."""
        self.get(schedule_id)
        with self._lock:
            self._schedules.pop(schedule_id, None)

    def history(self, schedule_id: str, limit: int | None, offset: int) -> list[dict[str, Any]]:
        """Returns its firings, the latest first, each with the id of its run."""
        schedule = self.get(schedule_id)
        end = None if limit is None else offset + limit
        return [
            {
                "run_id": job.id,
                "schedule_id": schedule.id,
                "scheduled_time": _moment(job).isoformat(),
                "claimed_at": job.created_at.isoformat(),
                "state": str(job.state),
            }
            for job in islice(self._firings(schedule), offset, end)
        ]

    def stats(self, since: datetime) -> dict[str, Any]:
        """Returns figures about the firings since a moment: `total_executions`, and so on."""
        jobs = [
            job
            for schedule in self.listed()
            for job in self._firings(schedule)
            if job.created_at >= since
        ]
        good = sum(job.state is State.SUCCEEDED for job in jobs)
        oldest = self._now() - self._lost_after
        lost = sum(not job.state.ended and job.created_at < oldest for job in jobs)
        return {
            "total_executions": len(jobs),
            "successful_executions": good,
            "lost_executions": lost,
            "success_rate": 100.0 * good / len(jobs) if jobs else 0.0,
        }

    def start(self) -> None:
        """Fire from now on; does nothing when it does so already."""
        if self._thread is None:
            self._thread = start_thread(self._go, "rotulus-cron")
        self._changed.set()

    def end(self) -> None:
        """Fire no more."""
        self._ended = True
        self._changed.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_SLEEP)

    def tick(self) -> float:
        """Fire what is due, and give the seconds until more is.

        A schedule that cannot fire just now is told of and tried again, and holds up no other.
        """
        now = self._now()
        waits = [self._look_every]
        for schedule in self.listed(enabled_only=True):
            try:
                waits += self._fire_due(schedule, now)
            except Exception as error:  # noqa: BLE001 - one must not end the others
                self._app.events.emit(DutyFailed(f"schedule {schedule.workflow_name}", error))
                waits.append(_AGAIN)
        return max(0.0, min(waits))

    def _fire_due(self, schedule: CronSchedule, now: datetime) -> list[float]:
        """Fire what is due of one schedule; the seconds until its next moments."""
        times = self._times(schedule)
        for moment in times.due(schedule.since, now):
            key = f"{schedule.id}@{stamp(moment)}"
            self._fire(schedule.workflow_name, key, _HELD.total_seconds())
        self._replace(schedule.id, since=now)
        return [(at - now).total_seconds() for at in times.next(now)]

    def _go(self) -> None:
        while not self._ended:
            self._changed.clear()
            self._changed.wait(self.tick())

    def _times(self, schedule: CronSchedule) -> Schedule:
        return Schedule(schedule.cron_expression, schedule.timezone, self._missed)

    def _check(self, verb: str, expression: str, timezone: str) -> None:
        try:
            Schedule(expression, timezone, self._missed)
        except OptionError as error:
            raise OptionError(f"Failed to {verb} cron schedule: {error}") from None

    def _change(self, schedule_id: str, **values: Any) -> None:
        self.get(schedule_id)
        self._replace(schedule_id, **values)
        self._changed.set()

    def _replace(self, schedule_id: str, **values: Any) -> None:
        with self._lock:
            present = self._schedules.get(schedule_id)
            if present is not None:
                self._schedules[schedule_id] = replace(present, **values)

    def _firings(self, schedule: CronSchedule) -> Iterator[Job[Any]]:
        """The jobs it has fired, the latest first."""
        before = None
        while page := self._app.jobs(task=schedule.workflow_name, limit=_PAGE, before=before):
            yield from (j for j in page if (j.key or "").startswith(f"{schedule.id}@"))
            before = page[-1].id


def _moment(job: Job[Any]) -> datetime:
    """Returns the moment that a job was fired for."""
    return read_stamp((job.key or "").rpartition("@")[2])
