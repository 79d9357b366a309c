"""The duty that tells webhooks of changes: it adds a job for each message."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus._tasks.masking import MaskedNames
from rotulus.events import Events, WebhookMissed
from rotulus.store import Advance, Change, NewJob, Store, WebhookRow
from rotulus.store.changes import CHANGES_KEPT
from rotulus.webhooks.delivery_jobs import TASK, delivery, new_message
from rotulus.webhooks.event_types import (
    Occurred,
    data_of,
    may_want,
    message,
    occurred,
    types_for,
)

LOOK_EVERY = 2.0
"""Seconds between two looks for webhooks, and for changes while nothing happens."""

_BUSY_EVERY = 0.5
"""Seconds until the next look where there were changes just now."""

_LISTEN_EVERY = timedelta(seconds=CHANGES_KEPT / 10)

_RECENT = timedelta(seconds=3 * LOOK_EVERY)
"""What another process has done within that time, it goes on to do."""

_AT_ONCE = 5_000
"""How many changes are dealt with in one transaction."""

_MOST_READS = 10
"""How many portions of changes are dealt with in one tick."""


class _Portion(NamedTuple):
    """Changes that follow a position.

    Attributes:
        after: the position.
        changes: the changes, in order.
        position: that of the last one.
        missed: whether changes before that are missing.
    """

    after: int
    changes: Sequence[Change]
    position: int
    missed: bool

    def reaches(self, row: WebhookRow) -> bool:
        """Whether it goes on where a webhook is. What one has missed, another may be ahead of."""
        return row.position == self.after or (not self.missed and row.position < self.position)


class TellWebhooks:
    """Tells webhooks of changes, those of all processes together once.

    The position of each webhook is in the store, and moves in the transaction that adds the jobs.
    Where another process moves it, this one waits until that has stopped.

    Args:
        store: where the jobs are.
        new_id: makes ids of jobs.
        chance: random numbers from 0 to 1, so that processes do not all look at the same moment.
        events: where it is told that changes are missing.
        masked: the names of labels whose texts are not told.
    """

    name = "webhooks"

    def __init__(
        self,
        store: Store,
        new_id: Callable[[], str],
        chance: Callable[[], float],
        events: Events,
        masked: MaskedNames,
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._chance = chance
        self._events = events
        self._masked = masked
        self._seen: dict[str, int] = {}
        self._listened_at: datetime | None = None
        self._looked_at: datetime | None = None

    def tick(self, now: datetime) -> float:
        """Tell all webhooks of what has happened; returns the seconds until the next look."""
        rows = [row for row in self._store.webhooks.read() if row.paused_at is None]
        if not rows:
            self._seen, self._listened_at = {}, None
            return self._later(LOOK_EVERY)
        self._listen(now)
        if self._others_tell(rows, now):
            return self._later(LOOK_EVERY)
        return self._later(_BUSY_EVERY if self._tell(rows) else LOOK_EVERY)

    def _later(self, seconds: float) -> float:
        return seconds * (0.75 + 0.5 * self._chance())

    def _listen(self, now: datetime) -> None:
        """Have changes written as long as there are webhooks."""
        last = self._listened_at
        if last is None or not last <= now < last + _LISTEN_EVERY:
            self._store.changes.listen()
            self._listened_at = now

    def _others_tell(self, rows: Sequence[WebhookRow], now: datetime) -> bool:
        """Whether others have told a webhook of something just now: since the last look."""
        seen, looked_at = self._seen, self._looked_at
        self._seen, self._looked_at = {row.name: row.position for row in rows}, now
        if looked_at is None or not looked_at <= now <= looked_at + _RECENT:
            return False
        return any(seen.get(name, position) != position for name, position in self._seen.items())

    def _tell(self, rows: Sequence[WebhookRow]) -> bool:
        """Tell webhooks of what follows their positions; returns whether there was something."""
        found = False
        for _ in range(_MOST_READS):
            portion = self._read(min(row.position for row in rows))
            if portion is None:
                break
            found = True
            rows = self._advance(rows, portion)
            is_last = len(portion.changes) < _AT_ONCE and not portion.missed
            if is_last or not rows:
                break
        return found

    def _read(self, after: int) -> _Portion | None:
        """Returns the changes after a position; None: there are none."""
        changes = self._store.changes.read(after, _AT_ONCE)
        if not changes:
            return None
        if len(changes) == 1 and _is_gap(changes[0], after):
            # What stands after the gap is known: only what is in the gap is missing.
            first = self._store.changes.read(after, 1)[0].position
            return _Portion(after, (), first if first < after else first - 1, missed=True)
        missed = any(change.kind == "reset" for change in changes)
        return _Portion(after, changes, changes[-1].position, missed)

    def _advance(self, rows: Sequence[WebhookRow], portion: _Portion) -> list[WebhookRow]:
        """Tell webhooks of a portion; returns all but those that somebody else has changed."""
        reached = [row for row in rows if portion.reaches(row)]
        jobs = self._jobs(reached, portion)
        position, missed = portion.position, portion.missed
        told = self._store.webhooks.advance(
            [Advance(row.name, row.position, position, missed) for row in reached], jobs
        )
        for name in told if missed else ():
            self._events.emit(WebhookMissed(name))
        self._seen |= dict.fromkeys(told, position)
        return [
            row._replace(position=position) if row.name in told else row
            for row in rows
            if row.name in told or row not in reached
        ]

    def _jobs(
        self, rows: Sequence[WebhookRow], portion: _Portion
    ) -> Mapping[str, Sequence[NewJob]]:
        """Returns the jobs that tell each webhook of its events, by its name."""
        wanted = {
            row.name: [
                change
                for change in portion.changes
                if change.task != TASK and change.position > row.position and may_want(row, change)
            ]
            for row in rows
        }
        records = self._records(change for changes in wanted.values() for change in changes)
        muted = self._muted(records.values())
        return {
            row.name: [
                job
                for change in wanted[row.name]
                for job in self._of_change(row, occurred(change, records.get(change.name), muted))
            ]
            for row in rows
        }

    def _muted(self, records: Iterable[JobRecord]) -> Collection[str]:
        """Returns the fingerprints that are muted now, if any of the jobs has failed."""
        if all(record.fingerprint is None for record in records):
            return ()
        return {mute.fingerprint for mute in self._store.failures.mutes()}

    def _records(self, changes: Iterable[Change]) -> dict[str, JobRecord]:
        """Returns the jobs of changes, by id."""
        ids = list(dict.fromkeys(change.name for change in changes))
        return {record.id: record for record in self._store.records(ids)} if ids else {}

    def _of_change(self, row: WebhookRow, event: Occurred) -> Iterable[NewJob]:
        change = event.change
        for type_ in types_for(row, event):
            body = message(type_, change.at, data_of(event, self._masked))
            made = new_message(type_, change.name, body, self._new_id)
            key = f"webhook:{row.name}:{change.position}:{type_.partition('.')[0]}"
            yield delivery(row.name, made, self._new_id, key)


def _is_gap(change: Change, after: int) -> bool:
    """Whether a change says that others are missing between it and a position."""
    return change.kind == "reset" and change.position != after + 1
