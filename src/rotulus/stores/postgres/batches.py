"""New jobs in batches: neighbours with the same terms are added in one statement."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from rotulus._jobs.record import JobRecord
from rotulus.errors import StoreBusyError
from rotulus.store import NewJob
from rotulus.stores._columns import are_plain, keyed_row, new_records, plain_row
from rotulus.stores.postgres import rows
from rotulus.stores.shared.adding import add_with_parts
from rotulus.stores.shared.debouncing import have_moved, last_debounced
from rotulus.stores.shared.session import Session


class Batches:
    """New jobs, ready to be added.

    Args:
        jobs: the jobs, in order.
    """

    def __init__(self, jobs: Sequence[NewJob]) -> None:
        groups = [(terms, list(some)) for terms, some in groupby(jobs, attrgetter("terms"))]
        self._jobs = jobs
        self._with_parts = [job for job in jobs if job.parts]
        self._carried = [job.id for terms, some in groups if terms.carried for job in some]
        self._groups = [(some, rows.shared(terms)) for terms, some in groups]
        self._keys = sorted({job.key for job in jobs if job.key is not None})
        self._debounced = last_debounced(groups) if self._keys else []
        self._tried = False

    @property
    def atomic(self) -> bool:
        """Whether adding them takes more than one statement."""
        several = self._keys or self._with_parts or self._carried
        return len(self._groups) != 1 or bool(several)

    @property
    def ready(self) -> set[str]:
        """The ids of those that wait for no others, their parts among them."""
        parts = (part for job in self._with_parts for part in job.parts if not part.needs)
        return {job.id for job in self._jobs if not job.parts} | {part.id for part in parts}

    def add(self, session: Session, channel: str | None) -> list[JobRecord]:
        """Add them; the record of each, or of the job that holds its key.

        Called again, it allows for those that are there already: the answer may have been lost.

        Args:
            session: where; a transaction, if it is to be `atomic`.
            channel: where to tell that there is work; None: do not.
        """
        added = self._add(session, channel)
        if self._carried:
            session.execute("carry", ids=rows.array(self._carried))
        return added

    def _add(self, session: Session, channel: str | None) -> list[JobRecord]:
        again, self._tried = self._tried, True
        if self._with_parts or self._keys:
            return self._add_patiently(session, channel)
        added, new = self._insert(session, channel, again=again)
        if new == len(self._jobs):
            return added
        return self._here(session)[0]

    def _add_patiently(self, session: Session, channel: str | None) -> list[JobRecord]:
        """Add those that are new, until each of the others is here, or the holder of its key."""
        for _ in range(_MOST_LOOKS):
            if self._keys:
                session.execute("release_keys", keys=self._keys)
            if self._with_parts:
                add_with_parts(session, self._jobs)
            else:
                self._insert(session, channel, again=True)
            if self._debounced and not have_moved(session, self._debounced):
                continue
            found, whole = self._here(session)
            if whole:
                if self._with_parts and channel is not None:
                    session.fetch("notify", channel=channel)
                return found
        raise StoreBusyError(
            f"The keys {self._keys} change hands faster than they can be read; try again"
        )

    def _here(self, session: Session) -> tuple[list[JobRecord], bool]:
        """The records of all that are here, or of the holders of their keys; whether of all."""
        ids = [job.id for job in self._jobs]
        here = {job.id: job for job in session.fetch_records("records", ids=ids)}
        keys = {job.key for job in self._jobs if job.id not in here}
        holders: dict[str | None, JobRecord] = {}
        if keys:
            found = session.fetch_records("holders", keys=sorted(filter(None, keys)))
            holders = {record.key: record for record in found}
        known = [here.get(job.id) or holders.get(job.key) for job in self._jobs]
        records = [record for record in known if record is not None]
        return records, len(records) == len(known)

    def _insert(
        self, session: Session, channel: str | None, *, again: bool
    ) -> tuple[list[JobRecord], int]:
        """The records of all, as if they were new, and how many of them are."""
        added: list[JobRecord] = []
        new = 0
        for jobs, shared in self._groups:
            made, count = _insert(session, jobs, {**shared, "channel": channel}, again=again)
            added += made
            new += count
        return added, new


_MOST_LOOKS = 10
"""How often to look again: a job that held a key may end, and be gone, before it can be read."""


def _insert(
    session: Session, jobs: list[NewJob], shared: Mapping[str, str | None], *, again: bool
) -> tuple[list[JobRecord], int]:
    terms = jobs[0].terms
    if again or not are_plain(jobs):
        keyed = list(map(keyed_row, jobs))
        labelled = any(job.labels is not None for job in jobs)
        [[now, run_at, new, _]] = session.fetch(
            "add_labelled" if labelled else "add_keyed",
            **rows.many("keyed", keyed),
            **shared,
            window=rows.span(terms.window),
        )
        return new_records(keyed, terms, now, run_at), new
    plain = list(map(plain_row, jobs))
    [[now, run_at, _]] = session.fetch("add", **rows.many("plain", plain), **shared)
    return new_records(plain, terms, now, run_at), len(jobs)
