"""The background duties: rescue jobs of dead workers, fire schedules, publish, prune, recount.

Each is one function of the time that says in how many seconds it wants to be called again. A
worker calls them from a thread; anything else that can call a function can do the same, in any
number of processes at once: doing a duty twice does nothing twice.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from rotulus._engine.job_factory import JobFactory
from rotulus._engine.outbox_relay import OutboxRelay
from rotulus._jobs.states import RETRYABLE, State
from rotulus._tasks.task import Task
from rotulus.errors import StoreClosedError, StoreUnavailableError
from rotulus.events import (
    DutyFailed,
    Events,
    JobsMended,
    JobsPruned,
    JobsRescued,
    ScheduleFired,
)
from rotulus.store import ScheduleEntry, Store

PRUNE_EVERY = 60.0
RELAY_EVERY = 5.0
RECOUNT_EVERY = 60.0
_LONGEST_SLEEP = 30.0
"""Seconds: a clock that was set meanwhile is noticed after that long at most."""
_AT_ONCE = 1000


class Duty(Protocol):
    """A background job of the framework itself, done again and again."""

    @property
    def name(self) -> str:
        """Its name in events."""
        ...

    def tick(self, now: datetime) -> float:
        """Do it once; returns the seconds until it is to be done again."""
        ...


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
        """Fire what is due, and say when the next instant is."""
        if not self._tasks:
            return _LONGEST_SLEEP
        if not self._since:
            self._since = self._store.schedules(_entries(self._tasks))
            self._done = dict(self._since)
        for name, task in self._tasks.items():
            self._fire_one(name, task, now)
        waits = [(at - now).total_seconds() for at in self._upcoming(now)]
        return min([_LONGEST_SLEEP, *waits])

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


class Rescue:
    """Takes back the jobs of workers that died: those whose leases are over."""

    name = "rescue"

    def __init__(self, store: Store, chance: Callable[[], float], events: Events) -> None:
        self._store = store
        self._chance = chance
        self._events = events

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Take back the jobs whose leases are over."""
        jobs = self._store.rescue(_AT_ONCE)
        if jobs:
            self._events.emit(JobsRescued(jobs))
        # Uneven, so that many workers do not all look at the same moment.
        return self._store.rescue_every * (0.75 + 0.5 * self._chance())


class Relay:
    """Publishes the due messages of the outbox, if the app has a carrier."""

    name = "relay"

    def __init__(self, outbox_relay: OutboxRelay, events: Events) -> None:
        self._outbox_relay = outbox_relay
        self._events = events

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Publish some; call again at once when there are more."""
        if self._outbox_relay.queue is None:
            return _LONGEST_SLEEP
        if self._outbox_relay.relay(_AT_ONCE, self._events) == _AT_ONCE:
            return 0.0
        self._outbox_relay.tell_left(self._events)
        return RELAY_EVERY


class Recount:
    """Counts again how many needs jobs wait for, some jobs at a time: insurance against errors."""

    name = "recount"

    def __init__(self, store: Store, chance: Callable[[], float], events: Events) -> None:
        self._store = store
        self._chance = chance
        self._events = events
        self._after: str | None = None

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - nothing depends on the time
        """Look at the next ones."""
        found = self._store.recount(_AT_ONCE, self._after)
        self._after = found.after
        if found.jobs:
            self._events.emit(JobsMended(found.jobs))
        pause = RECOUNT_EVERY if found.after is None else 1.0
        return pause * (0.75 + 0.5 * self._chance())


class Prune:
    """Deletes jobs that ended long ago."""

    name = "prune"

    def __init__(self, store: Store, keep: Mapping[State, timedelta], events: Events) -> None:
        self._store = store
        self._keep = keep
        self._events = events

    def tick(self, now: datetime) -> float:
        """Delete some; call again at once when there are more."""
        pruned = [
            self._store.prune(now - kept, [state], _AT_ONCE) for state, kept in self._keep.items()
        ]
        if sum(pruned):
            self._events.emit(JobsPruned(sum(pruned)))
        return 0.0 if _AT_ONCE in pruned else PRUNE_EVERY


def retention(keep: timedelta, keep_failed: timedelta) -> dict[State, timedelta]:
    """Returns how long jobs are kept, by the state they ended in: longer if they can be retried."""
    ended = [state for state in State if state.ended]
    return {state: keep_failed if state in RETRYABLE else keep for state in ended}


def _entries(tasks: Mapping[str, Task[..., Any, Any]]) -> list[ScheduleEntry]:
    return [
        ScheduleEntry(name, task.schedule.cron, task.schedule.timezone)
        for name, task in tasks.items()
        if task.schedule
    ]
