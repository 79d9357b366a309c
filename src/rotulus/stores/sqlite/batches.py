"""New jobs in batches: neighbours with the same terms go to the file in one statement."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from rotulus._jobs.record import JobRecord, Terms
from rotulus.store import NewJob
from rotulus.stores._columns import are_plain, keyed_row, new_records, plain_row
from rotulus.stores.shared.adding import add_labels, add_with_parts
from rotulus.stores.shared.debouncing import have_moved, last_debounced
from rotulus.stores.shared.session import Session
from rotulus.stores.sqlite import rows


class Batch(NamedTuple):
    """Jobs with the same terms: the statement that adds them, and their records."""

    statement: str
    terms: Terms
    parameters: dict[str, Any]
    records: list[JobRecord]

    def add(self, session: Session) -> int:
        """Add them; how many were new."""
        new = session.execute(self.statement, **self.parameters)
        session.count_new(self.terms, new)
        return new


class Batches:
    """New jobs, ready to be added at a moment.

    Args:
        jobs: the jobs, in order.
        now: the present moment, in microseconds since 1970.
    """

    def __init__(self, jobs: Sequence[NewJob], now: int) -> None:
        self._jobs = jobs
        self._keys = sorted({job.key for job in jobs if job.key is not None})
        self._with_parts = [job for job in jobs if job.parts]
        self._labelled = [job for job in jobs if job.labels is not None]
        groups = [(terms, list(some)) for terms, some in groupby(jobs, attrgetter("terms"))]
        self._debounced = last_debounced(groups) if self._keys else []
        self._carried = [job.id for terms, some in groups if terms.carried for job in some]
        self._batches = [] if self._with_parts else [_batch(some, now) for _, some in groups]

    def add(self, session: Session) -> list[JobRecord]:
        """Add them; the record of each, or of the job that holds its key."""
        added = self._add(session)
        if self._carried:
            session.execute("carry", ids=self._carried)
        return added

    def _add(self, session: Session) -> list[JobRecord]:
        if self._keys:
            session.execute("release_keys", keys=self._keys)
        all_new = self._insert(session)
        while self._debounced and not have_moved(session, self._debounced):
            self._insert(session)
        if self._keys or not all_new:
            return self._as_they_are(session)
        return [record for batch in self._batches for record in batch.records]

    def _insert(self, session: Session) -> bool:
        """Add those that are new; whether the records of all are known by that."""
        if self._with_parts:
            add_with_parts(session, self._jobs)
            return False
        new = sum(batch.add(session) for batch in self._batches)
        add_labels(session, self._labelled)
        return new == len(self._jobs)

    def _as_they_are(self, session: Session) -> list[JobRecord]:
        """The records of all that are here by now, or else of the holders of their keys."""
        ids = [job.id for job in self._jobs]
        here = {job.id: job for job in session.fetch_records("records", ids=ids)}
        if all(job.id in here for job in self._jobs):
            return [here[job.id] for job in self._jobs]
        holders = {job.key: job for job in session.fetch_records("holders", keys=self._keys)}
        return [here.get(job.id) or holders[job.key] for job in self._jobs]


def add_jobs(session: Session, jobs: Sequence[NewJob]) -> list[JobRecord]:
    """Add jobs in a transaction; the record of each, or of the job that holds its key."""
    return Batches(jobs, session.fetch_value("moment")).add(session)


def _batch(jobs: list[NewJob], now: int) -> Batch:
    terms = jobs[0].terms
    shared = rows.shared(terms, now)
    if are_plain(jobs):
        plain = list(map(plain_row, jobs))
        made = new_records(plain, terms, now, shared["run_at"])
        return Batch("add", terms, {"jobs": rows.table(dict(plain)), **shared}, made)
    keyed = list(map(keyed_row, jobs))
    made = new_records(keyed, terms, now, shared["run_at"])
    own = {"keyed": rows.array(keyed), "hold_until": rows.hold_until(terms, now)}
    return Batch("add_keyed", terms, {**own, **shared}, made)
