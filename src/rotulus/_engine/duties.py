"""The background duties: rescue jobs of dead workers, publish, recount needs, prune, fold stats.

Each is one function of the time that says in how many seconds it wants to be called again. A
worker calls them from a thread; anything else that can call a function can do the same, in any
number of processes at once: doing a duty twice does nothing twice.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from rotulus._engine.outbox_relay import OutboxRelay
from rotulus._jobs.states import RETRYABLE, State
from rotulus.events import Events, JobsMended, JobsPruned, JobsRescued
from rotulus.store import Store

PRUNE_EVERY = 60.0
RELAY_EVERY = 5.0
RECOUNT_EVERY = 60.0
FOLD_EVERY = 10.0

_MINUTES_KEPT = 2 * 86_400.0
"""Seconds for which statistics are kept by the minute."""

LONGEST_SLEEP = 30.0
"""Seconds: a clock that was set meanwhile is noticed after that long at most."""

_AT_ONCE = 1000
"""The most jobs that one call takes."""


class Duty(Protocol):
    """A background job of the framework itself, done again and again."""

    @property
    def name(self) -> str:
        """Its name in events."""
        ...

    def tick(self, now: datetime) -> float:
        """Do the duty once; returns the seconds until it is to be done again."""
        ...


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
            return LONGEST_SLEEP
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
    """Deletes jobs that ended long ago, in batches that shrink when the store takes too long."""

    name = "prune"

    def __init__(self, store: Store, keep: Mapping[State, timedelta], events: Events) -> None:
        self._store = store
        self._keep = keep
        self._events = events
        self._batch = _AT_ONCE

    def tick(self, now: datetime) -> float:
        """Delete some; call again at once when there are more."""
        batch = self._batch
        self._batch = max(1, batch // 4)  # in case that this one takes too long
        pruned = [
            self._store.prune(now - kept, [state], batch) for state, kept in self._keep.items()
        ]
        self._batch = min(_AT_ONCE, batch * 2)
        if sum(pruned):
            self._events.emit(JobsPruned(sum(pruned)))
        return 0.0 if max(pruned, default=0) >= batch else PRUNE_EVERY


class FoldStats:
    """Brings statistics to their place, and forgets the minutes of two days ago."""

    name = "fold_stats"

    def __init__(self, store: Store, keep: timedelta, chance: Callable[[], float]) -> None:
        self._store = store
        self._keep = keep
        self._chance = chance

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Do that for all there is."""
        self._store.stats.fold(_MINUTES_KEPT, self._keep.total_seconds())
        return FOLD_EVERY * (0.75 + 0.5 * self._chance())


class PruneChanges:
    """Forgets old changes, and ends the writing of changes when nobody has listened for long."""

    name = "prune_changes"

    def __init__(self, store: Store, chance: Callable[[], float]) -> None:
        self._store = store
        self._chance = chance

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Do that once."""
        self._store.changes.prune()
        return PRUNE_EVERY * (0.75 + 0.5 * self._chance())


class PruneAudit:
    """Deletes what was written of who has done what, when it is old."""

    name = "prune_audit"

    def __init__(self, store: Store, keep: timedelta, chance: Callable[[], float]) -> None:
        self._store = store
        self._keep = keep
        self._chance = chance

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - the store has its own clock
        """Delete some; call again at once when there are more."""
        if self._store.audit.prune(self._keep.total_seconds(), _AT_ONCE) >= _AT_ONCE:
            return 0.0
        return PRUNE_EVERY * (0.75 + 0.5 * self._chance())


class Kept(NamedTuple):
    """How long things are kept.

    Attributes:
        keep: jobs that succeeded or were skipped.
        keep_failed: jobs that can be retried.
        keep_stats: statistics, and the audit.
    """

    keep: timedelta
    keep_failed: timedelta
    keep_stats: timedelta


def retention(kept: Kept) -> dict[State, timedelta]:
    """Returns how long jobs are kept, by the state they ended in: longer if they can be retried."""
    ended = [state for state in State if state.ended]
    return {state: kept.keep_failed if state in RETRYABLE else kept.keep for state in ended}
