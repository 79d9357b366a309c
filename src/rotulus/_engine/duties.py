"""The background duties: fire schedules, rescue lost jobs, prune old ones.

Each is one function of the time that says in how many seconds it wants to be called again. A
worker calls them from a thread; anything else that can call a function can do the same, as many
processes at once as like: doing them twice does nothing twice.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from rotulus._concurrency.starting import rest, start_thread
from rotulus._engine.carriage import Carriage
from rotulus._engine.job_factory import JobFactory
from rotulus._jobs.states import RETRYABLE, State
from rotulus._tasks.task import Task
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreClosedError, StoreError, StoreUnavailableError
from rotulus.events import (
    DutyFailed,
    Events,
    JobsMended,
    JobsPruned,
    JobsRescued,
    ScheduleFired,
    StoreFailed,
    StoreRecovered,
)
from rotulus.store import ScheduleEntry, Store

PRUNE_EVERY = 60.0
RELAY_EVERY = 5.0
RECOUNT_EVERY = 60.0
_LONGEST_SLEEP = 30.0
"""Seconds: a clock that was set meanwhile is noticed after that long at most."""
_AT_ONCE = 1000
_AFTER_FAILURE = 5.0


class Duty(Protocol):
    """Something to be done again and again."""

    @property
    def name(self) -> str:
        """What it is called in events."""
        ...

    def tick(self, now: datetime) -> float:
        """Do it once; seconds until it wants to be done again."""
        ...


class Scheduling:
    """Adds a job for each instant of each scheduled task.

    The key of the job is the task and the instant, and it is held for longer than anybody looks
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
            self._fire_apart(name, task, now)
        waits = [(at - now).total_seconds() for at in self._upcoming(now)]
        return min([_LONGEST_SLEEP, *waits])

    def _fire_apart(self, name: str, task: Task[..., Any, Any], now: datetime) -> None:
        """Fire one schedule; when it cannot be fired, that is told, and the others go on.

        After a clock that was ahead, what has been dealt with is not known. So all that may be due
        is fired again, which does nothing twice: the key of an instant that has fired is held.
        """
        done = self._done[name]
        try:
            self._fire(task, min(self._since[name], now) if done > now else done, now)
        except (StoreUnavailableError, StoreClosedError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one of them
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
    """Takes back jobs whose worker died."""

    name = "rescue"

    def __init__(self, store: Store, chance: Callable[[], float], events: Events) -> None:
        self._store = store
        self._chance = chance
        self._events = events

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Take back what can be taken back now."""
        jobs = self._store.rescue(_AT_ONCE)
        if jobs:
            self._events.emit(JobsRescued(jobs))
        # Uneven, so that many workers do not all look at the same moment.
        return self._store.rescue_every * (0.75 + 0.5 * self._chance())


class Relay:
    """Publishes what is due in the outbox, if the app has jobs carried."""

    name = "relay"

    def __init__(self, carriage: Carriage, events: Events) -> None:
        self._carriage = carriage
        self._events = events

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Publish some; call again at once when there are more."""
        if self._carriage.queue is None:
            return _LONGEST_SLEEP
        if self._carriage.relay(_AT_ONCE, self._events) == _AT_ONCE:
            return 0.0
        self._carriage.tell_left(self._events)
        return RELAY_EVERY


class Recount:
    """Counts again what jobs wait for, some of them at a time: insurance, as it should be right."""

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
    """How long jobs are kept by the state they ended in: those that can be retried, longer."""
    ended = [state for state in State if state.ended]
    return {state: keep_failed if state in RETRYABLE else keep for state in ended}


class DutyThread:
    """Does duties in a thread of its own, each when it wants to be done.

    Args:
        duties: what to do.
        now: the clock.
        chance: random numbers from 0 to 1, to spread attempts after a failure.
        events: where failures are told; a duty that fails is tried again.
    """

    def __init__(
        self,
        duties: Sequence[Duty],
        now: Callable[[], datetime],
        chance: Callable[[], float],
        events: Events,
    ) -> None:
        self._duties = duties
        self._now = now
        self._chance = chance
        self._events = events
        self._failures: dict[Duty, int] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Raises `ThreadNotStartedError`."""
        self._thread = start_thread(self._go, "rotulus-duties")

    def end(self, patience: float | None = _AFTER_FAILURE) -> None:
        """Stop after the duty under way, and when each has been done once at least.

        Args:
            patience: seconds to wait for that; None: as long as it takes.
        """
        self._ended.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _go(self) -> None:
        due = {duty: self._now() for duty in self._duties}
        done: set[Duty] = set()
        while due:
            for duty, at in due.items():
                if self._ended.is_set() and duty in done:
                    continue
                done.add(duty)
                now = self._now()
                # A clock that was set back must not put a duty off for as long.
                if at <= now or at > now + timedelta(seconds=PRUNE_EVERY):
                    due[duty] = now + timedelta(seconds=self._tick(duty, now))
                    rest()
            wait = (min(due.values()) - self._now()).total_seconds()
            if self._ended.wait(max(0.0, wait)):
                return

    def _tick(self, duty: Duty, now: datetime) -> float:
        try:
            wait = duty.tick(now)
        except StoreError as error:
            return self._store_failed(duty, error)
        except Exception as error:  # noqa: BLE001 - a duty that fails must not end the others
            if not self._ended.is_set():
                self._events.emit(DutyFailed(duty.name, error))
            return _AFTER_FAILURE
        if self._failures.pop(duty, 0):
            self._events.emit(StoreRecovered(duty.name))
        return wait

    def _store_failed(self, duty: Duty, error: StoreError) -> float:
        """Tell it once; seconds until the duty is tried again."""
        failures = self._failures[duty] = self._failures.get(duty, 0) + 1
        if failures == 1 and not self._ended.is_set():
            self._events.emit(StoreFailed(duty.name, error))
        return pause_after(failures, self._chance())


def _entries(tasks: Mapping[str, Task[..., Any, Any]]) -> list[ScheduleEntry]:
    return [
        ScheduleEntry(name, task.schedule.cron, task.schedule.timezone)
        for name, task in tasks.items()
        if task.schedule
    ]
