"""The outbox of a file. See `rotulus.store.Outbox`."""

import sqlite3
from collections.abc import Callable, Collection

from rotulus._jobs.record import JobRecord, moment
from rotulus.store import Entry
from rotulus.stores._columns import MoveRow, span
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.source import Reads, Writes
from rotulus.stores.sqlite.statements import execute, fetch_value


def carry(con: sqlite3.Connection, ids: Collection[str]) -> None:
    """Have jobs published when they are due, inside the caller's transaction."""
    execute(con, "carry", ids=rows.array(ids))


def take(
    con: sqlite3.Connection,
    queue: str,
    limit: int,
    lease: float,
    patience: float,
    names: Collection[str] | None,
    now: int,
    *,
    left: bool = False,
) -> list[JobRecord]:
    """Take jobs to publish, or that are left, inside the caller's transaction. See `Outbox`."""
    how = {"lease": span(lease), "patience": span(patience), "now": now}
    overdue = span(patience if left else 0.0)
    which = {"queue": queue, "limit": limit, "names": rows.optional_array(names)}
    which |= {"overdue": overdue, "others": left}
    while True:
        entries = fetch_value(con, "entries_due", **which, **how)
        moves = list(map(MoveRow._make, rows.read(entries)))
        execute(con, "move_entries", moves=entries)
        gone = rows.array(move.job for move in moves if move.kind == "gone")
        execute(con, "delete_entries", jobs=gone)
        taken = rows.array(move.job for move in moves if move.kind == "taken")
        if taken != "[]" or len(moves) < limit:
            return rows.records(fetch_value(con, "claimed", chosen=taken))


def published(
    con: sqlite3.Connection, ids: Collection[str], patience: float, now: int, *, taken: bool
) -> None:
    """Messages are out, inside the caller's transaction. See `Outbox.published`."""
    execute(con, "published", ids=rows.array(ids), patience=span(patience), now=now, taken=taken)


def entry(con: sqlite3.Connection, job_id: str) -> Entry | None:
    """What is to be published of one job. See `Outbox.entry`."""
    found = fetch_value(con, "entry", id=job_id)
    if found is None:
        return None
    due_at, published_at, tries = rows.read(found)
    return Entry(moment(due_at), None if published_at is None else moment(published_at), tries)


class SqliteOutbox:
    """What is to be published of the jobs in a file.

    Args:
        connections: the file.
        commit: runs what writes.
        now: the clock, in microseconds since 1970.
    """

    def __init__(self, connections: Reads, commit: Writes, now: Callable[[], int]) -> None:
        self._connections = connections
        self._commit = commit
        self._now = now

    def take(
        self,
        queue: str,
        limit: int,
        lease: float,
        patience: float,
        names: Collection[str] | None = None,
    ) -> list[JobRecord]:
        """Take jobs to publish. See `Outbox.take`."""
        return self._commit.run(
            lambda con: take(con, queue, limit, lease, patience, names, self._now())
        )

    def take_left(
        self, queue: str, limit: int, patience: float, names: Collection[str]
    ) -> list[JobRecord]:
        """Take jobs that nobody publishes. See `Outbox.take_left`."""
        return self._commit.run(
            lambda con: take(con, queue, limit, patience, patience, names, self._now(), left=True)
        )

    def published(self, ids: Collection[str], patience: float, *, taken: bool = True) -> None:
        """Messages are out. See `Outbox.published`."""
        self._commit.run(lambda con: published(con, ids, patience, self._now(), taken=taken))

    def republish(self, ids: Collection[str]) -> None:
        """Publish jobs once more. See `Outbox.republish`."""
        self._commit.run(lambda con: carry(con, ids))

    def entry(self, job_id: str) -> Entry | None:
        """What is to be published of one job. See `Outbox.entry`."""
        with self._connections.reading() as connection:
            return entry(connection, job_id)

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what was added is committed. See `Outbox.on_commit`."""
        self._commit.after_commit(function)
