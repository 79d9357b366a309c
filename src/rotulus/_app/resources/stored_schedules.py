"""Schedules as an app sees them: those of its code, those of the store, and how each stands."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypedDict

from rotulus._app.port import AppPort
from rotulus._app.resources.where import check_text
from rotulus._engine.followed import entry_of, shown_schedule_of
from rotulus._jobs.job import Job
from rotulus._jobs.record import micros, moment
from rotulus._tasks.task import Task
from rotulus._text.jsontext import decode
from rotulus._text.names import did_you_mean
from rotulus._time.lengths import Seconds
from rotulus._time.schedule import Schedule
from rotulus.errors import ScheduleConflictError, ScheduleNotFoundError
from rotulus.store import ADDED, CODE, ScheduleEntry, ScheduleRow

_GONE_AFTER = timedelta(seconds=180)
"""A schedule that no program has declared for so long is retired."""

Origin = Literal["code", "added"]
Standing = Literal["active", "paused", "ended", "retired", "unknown_task", "unreadable"]


class ScheduleOptions(TypedDict, total=False):
    """What a schedule says, beside its name and its task.

    Attributes:
        cron: five fields, or an alias such as `@daily`.
        every: an interval instead: whole seconds, or a timedelta. Its instants are the multiples of
            it since `start`, or since 1970 (UTC).
        timezone: an IANA zone name, in which the fields are read; `"UTC"`.
        arguments: what the task is called with, by name.
        missed: what happens to instants at which no worker was running: `"latest"`, the default,
            `"skip"` or `"all(N)"`, as for `@scheduled`.
        overlap: `"skip"` leaves instants out while an earlier job has not ended; `"allow"`, the
            default, does not.
        start: no instant is before; None: there is no start.
        end: no instant is after it; None: there is no end.
        spread: seconds within which each job is due after its instant: 0, a day at most.
    """

    cron: str
    every: Seconds
    timezone: str
    arguments: Mapping[str, Any]
    missed: str
    overlap: str
    start: datetime | None
    end: datetime | None
    spread: Seconds


class ScheduleChanges(ScheduleOptions, total=False):
    """What `app.schedules.set` can change; what is not given stays.

    Attributes:
        task: the task it fires, or its name.
    """

    task: str | Task[..., Any, Any]


@dataclass(frozen=True, slots=True)
class ScheduleInfo:
    """A schedule as it stands.

    Attributes:
        name: its name: that of its task, if it is declared in code.
        schedule: its expression, zone, arguments, and what happens to its instants.
        next: the next instant at which it fires, in its own zone; None: it does not.
        last: the job it fired last, if that is still kept.
        task: the task it fires.
        origin: `"code"`: a program declares it; `"added"`: somebody has added it.
        state: `"active"`; `"paused"`; `"ended"`: no instant is left; `"retired"`: no program
            declares it any more; `"unknown_task"`: its task is not registered here, nor known to a
            worker that is alive; `"unreadable"`: this version or machine cannot read it, and
            `schedule.explain()` says why. Only an active one fires.
        paused_at: since when it is paused; None when it is not.
        version: one more with each change; 0: the store has not seen it yet.
        lag: for how many seconds an instant has been due that no worker has dealt with; 0.0 when
            there is none, and while it is not active.
    """

    name: str
    schedule: Schedule
    next: datetime | None
    last: Job[Any] | None
    task: str = ""
    origin: Origin = "code"
    state: Standing = "active"
    paused_at: datetime | None = None
    version: int = 0
    lag: float = 0.0

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self.paused_at is not None

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data; moments as ISO 8601 text."""
        schedule, last = self.schedule, self.last
        return {
            "name": self.name,
            "task": self.task,
            "origin": self.origin,
            "state": self.state,
            "cron": schedule.cron,
            "timezone": schedule.timezone,
            "arguments": dict(schedule.arguments),
            "missed": schedule.missed,
            "overlap": schedule.overlap,
            "start": _iso(schedule.start),
            "end": _iso(schedule.end),
            "spread": schedule.spread,
            "paused_at": _iso(self.paused_at),
            "next": _iso(self.next),
            "last": None if last is None else _iso(last.instant or last.created_at),
            "last_state": None if last is None else str(last.state),
            "last_job": None if last is None else last.id,
            "version": self.version,
            "lag": self.lag,
        }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


class _Known(NamedTuple):
    """A schedule: what it says, as text and as it is meant, and its row in the store."""

    entry: ScheduleEntry
    schedule: Schedule
    row: ScheduleRow | None


def _lag(row: ScheduleRow, schedule: Schedule, now: datetime) -> float:
    """For how many seconds an instant has been due with which nobody has dealt."""
    first = next(iter(schedule.next(moment(max(row.since, row.fired_to)))), now)
    return max(0.0, (now - first).total_seconds())


def _declared(task: Task[..., Any, Any], row: ScheduleRow | None) -> _Known:
    schedule = task.schedule or Schedule("@daily")
    return _Known(entry_of(task.name, schedule), schedule, row)


def _stored(row: ScheduleRow) -> _Known:
    return _Known(row.entry, shown_schedule_of(row.entry), row)


@dataclass(slots=True)
class Lookup:
    """Looks schedules up in the store and in the code of an app.

    Args:
        port: the port of the app.
    """

    port: AppPort
    _known: set[str] | None = field(default=None, init=False)

    def all(self, *, last: bool = True) -> list[ScheduleInfo]:
        """Returns those of the code in the order of registration, then the others as they came.

        Args:
            last: whether the job is looked up that each of them fired last.
        """
        rows = {row.name: row for row in self.port.store().schedules.read()}
        declared = [_declared(task, rows.pop(task.name, None)) for task in self._in_code()]
        others = sorted(rows.values(), key=lambda row: (row.created_at or row.since, row.name))
        return self._infos([*declared, *map(_stored, others)], last=last)

    def one(self, name: str) -> ScheduleInfo:
        """Returns the schedule of a name. Raises `ScheduleNotFoundError`, with the nearest name."""
        rows = self.port.store().schedules.read([check_text("schedule name", name)])
        for task in self._in_code():
            if task.name == name:
                return self._infos([_declared(task, rows[0] if rows else None)])[0]
        if rows:
            return self.info(rows[0])
        raise self._missing(name)

    def row(self, name: str) -> ScheduleRow:
        """Returns a schedule of the store; one of the code is there then. Raises as `one`."""
        self.declare(name)
        for row in self.port.store().schedules.read([name]):
            return row
        raise self._missing(name)

    def declare(self, name: str) -> None:
        """Have a schedule in the store, if it is one of the code and no worker has put it there."""
        check_text("schedule name", name)
        schedules = self.port.store().schedules
        for task in self._in_code():
            if task.name == name and task.schedule and not schedules.read([name]):
                schedules.declare([entry_of(name, task.schedule)])

    def added(self, name: str, verb: str) -> ScheduleRow:
        """Returns a schedule that may be changed here.

        Raises:
            ScheduleNotFoundError: there is none.
            ScheduleConflictError: it stands in the code.
        """
        row = self.row(name)
        declared = next((task for task in self._in_code() if task.name == name), None)
        if declared is not None or row.origin == CODE:
            site = f" ({declared.site})" if declared else ""
            raise ScheduleConflictError(
                f"Schedule {name!r} is declared in code{site}: {verb} it there; here it can be "
                f"paused, resumed and run"
            )
        return row

    def removable(self, name: str) -> ScheduleRow:
        """Returns a schedule that may be removed here. Raises as `added`."""
        retired = self.one(name).state == "retired"
        return self.row(name) if retired else self.added(name, "remove")

    def info(self, row: ScheduleRow) -> ScheduleInfo:
        """Returns how a schedule of the store stands."""
        return self._infos([_stored(row)])[0]

    def _infos(self, known: Sequence[_Known], *, last: bool = True) -> list[ScheduleInfo]:
        """Returns how schedules stand: however many they are, with a few statements."""
        jobs = self._last(known) if last else {}
        return [self._info(*one, jobs.get(one.entry.name)) for one in known]

    def _info(
        self,
        entry: ScheduleEntry,
        schedule: Schedule,
        row: ScheduleRow | None,
        last: Job[Any] | None,
    ) -> ScheduleInfo:
        task, now = entry.task or entry.name, self.port.now()
        upcoming = next(iter(schedule.next(now)), None)
        state = self._state(task, row, schedule, ends=upcoming is None)
        in_code = any(one.name == entry.name for one in self._in_code())
        paused_at = None if row is None else row.paused_at
        return ScheduleInfo(
            name=entry.name,
            schedule=schedule,
            next=upcoming if state == "active" else None,
            last=last,
            task=task,
            origin="code" if in_code or row is None or row.origin == CODE else "added",
            state=state,
            paused_at=None if paused_at is None else moment(paused_at),
            version=0 if row is None else row.version,
            lag=_lag(row, schedule, now) if row is not None and state == "active" else 0.0,
        )

    def _state(
        self, task: str, row: ScheduleRow | None, schedule: Schedule, *, ends: bool
    ) -> Standing:
        declared = row is None or any(one.name == row.name for one in self._in_code())
        if row is not None and not declared and row.origin == CODE:
            last = row.declared_at or 0
            if micros(self.port.now() - _GONE_AFTER) > last:
                return "retired"
        if not schedule.is_readable:
            return "unreadable"
        if row is not None and row.origin == ADDED and task not in self._known_tasks():
            return "unknown_task"
        if row is not None and row.paused_at is not None:
            return "paused"
        return "ended" if ends else "active"

    def _last(self, known: Sequence[_Known]) -> dict[str, Job[Any]]:
        """The job that each schedule fired last, by its name."""
        store, rows = self.port.store(), [row for _, _, row in known if row is not None]
        noted: list[list[str]] = [decode(row.last_jobs) for row in rows]
        ids = {jobs[-1]: row.name for jobs, row in zip(noted, rows, strict=True) if jobs}
        found = {ids[job.id]: job for job in store.records(list(ids))} if ids else {}
        missing = [one.entry.name for one in known if one.entry.name not in found]
        found |= store.schedules.last(missing) if missing else {}
        return {name: Job(record, self.port) for name, record in found.items()}

    def _in_code(self) -> list[Task[..., Any, Any]]:
        return [task for task in self.port.registry if task.schedule is not None]

    def _known_tasks(self) -> Collection[str]:
        if self._known is None:
            workers = self.port.store().fleet().workers
            self._known = {name for worker in workers for name in worker.names or ()}
            self._known |= set(self.port.registry.list_all())
        return self._known

    def _missing(self, name: str) -> ScheduleNotFoundError:
        known = {row.name for row in self.port.store().schedules.read()}
        known |= {task.name for task in self._in_code()}
        hint = did_you_mean(name, known)
        there = ", ".join(sorted(known)[:12]) or "none"
        return ScheduleNotFoundError(
            f"There is no schedule {name!r} in {self.port.store().url}"
            f"{hint or '.'} Schedules here: {there}{', …' if len(known) > 12 else ''}"
        )
