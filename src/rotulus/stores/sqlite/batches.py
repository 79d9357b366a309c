"""New jobs in batches: neighbours with the same terms go to the file in one statement."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus.store import NewJob
from rotulus.stores import _parts as parts
from rotulus.stores._columns import are_plain, keyed_row, new_records, plain_row, run_row
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.statements import STATEMENTS, execute, fetch_value


class Batch(NamedTuple):
    """Jobs with the same terms: the statement that adds them, and their records."""

    statement: str
    parameters: dict[str, Any]
    records: list[JobRecord]


class Batches:
    """New jobs, ready to be added at a moment.

    Args:
        jobs: the jobs, in order.
        now: the present moment, in microseconds since 1970.
    """

    def __init__(self, jobs: Sequence[NewJob], now: int) -> None:
        self._jobs = jobs
        self._now = now
        self._keys = rows.array(job.key for job in jobs if job.key is not None)
        self._with_parts = [job for job in jobs if job.parts]
        groups = [(terms, list(some)) for terms, some in groupby(jobs, attrgetter("terms"))]
        self._carried = [job.id for terms, some in groups if terms.carried for job in some]
        self._batches = [] if self._with_parts else [_batch(some, now) for _, some in groups]

    @property
    def alone(self) -> bool:
        """Whether adding them takes one statement."""
        carried = any(job.terms.carried for job in self._jobs)
        return len(self._batches) == 1 and self._keys == "[]" and not carried

    def add(self, connection: sqlite3.Connection) -> list[JobRecord]:
        """Add them; the record of each, or of the job that holds its key."""
        added = self._add(connection)
        if self._carried:
            execute(connection, "carry", ids=rows.array(self._carried))
        return added

    def _add(self, connection: sqlite3.Connection) -> list[JobRecord]:
        if self._keys != "[]":
            execute(connection, "release_keys", keys=self._keys, now=self._now)
        if self._with_parts:
            self._add_with_parts(connection)
            return self._as_they_are(connection)
        new = sum(
            execute(connection, batch.statement, **batch.parameters) for batch in self._batches
        )
        if self._keys != "[]" or new < len(self._jobs):
            return self._as_they_are(connection)
        return [record for batch in self._batches for record in batch.records]

    def _add_with_parts(self, connection: sqlite3.Connection) -> None:
        """Parts come with a job that is new: not with one that is there, nor with a held key."""
        new = add_rows(connection, map(parts.own_row, self._jobs), self._now, paused=False)
        for job in self._with_parts:
            if job.id in new:
                new.discard(job.id)
                waiting = parts.needs(job.id, job.parts)
                jobs = parts.part_rows(job.parts, job.id)
                add_parts(connection, jobs, waiting, self._now, paused=False)

    def _as_they_are(self, connection: sqlite3.Connection) -> list[JobRecord]:
        """The records of all that are here by now, or else of the holders of their keys."""
        ids = rows.array(job.id for job in self._jobs)
        here = {job.id: job for job in rows.records(fetch_value(connection, "records", ids=ids))}
        if all(job.id in here for job in self._jobs):
            return [here[job.id] for job in self._jobs]
        holding = rows.records(fetch_value(connection, "holders", keys=self._keys))
        holders = {record.key: record for record in holding}
        return [here.get(job.id) or holders[job.key] for job in self._jobs]


def add_rows(
    connection: sqlite3.Connection, jobs: Iterable[parts.Row], now: int, *, paused: bool
) -> set[str]:
    """Add jobs, some of them in a run; the ids of those that are new."""
    new: set[str] = set()
    for terms, group in groupby(jobs, lambda row: row.job.terms):
        own = {"jobs": rows.array(map(run_row, group)), "paused": int(paused)}
        own |= rows.shared(terms, now) | {"hold_until": rows.hold_until(terms, now)}
        new |= {job for (job,) in connection.execute(STATEMENTS["add_parts"], own)}
    return new


def add_parts(
    connection: sqlite3.Connection,
    jobs: Sequence[parts.Row],
    needs: Sequence[parts.Need],
    now: int,
    *,
    paused: bool,
) -> None:
    """Add the parts of a job, and what each waits for; `paused`, if their run is."""
    add_rows(connection, jobs, now, paused=paused)
    execute(connection, "add_needs", needs=rows.array(needs))


def _batch(jobs: list[NewJob], now: int) -> Batch:
    terms = jobs[0].terms
    shared = rows.shared(terms, now)
    if are_plain(jobs):
        plain = list(map(plain_row, jobs))
        made = new_records(plain, terms, now, shared["run_at"])
        return Batch("add", {"jobs": rows.table(dict(plain)), **shared}, made)
    keyed = list(map(keyed_row, jobs))
    made = new_records(keyed, terms, now, shared["run_at"])
    until = rows.hold_until(terms, now)
    return Batch("add_keyed", {"jobs": rows.array(keyed), "hold_until": until, **shared}, made)
