"""New jobs in batches: neighbours with the same terms are added in one statement."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State
from rotulus.store import NewJob
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Session


class Batches:
    """New jobs, ready to be added.

    Args:
        jobs: the jobs, in order.
    """

    def __init__(self, jobs: Sequence[NewJob]) -> None:
        groups = groupby(jobs, attrgetter("terms"))
        self._groups = [(list(group), rows.shared(terms)) for terms, group in groups]
        self._keys = sorted({job.key for job in jobs if job.key is not None})
        self._tried = False

    @property
    def atomic(self) -> bool:
        """Whether adding them takes more than one statement."""
        return len(self._groups) != 1 or bool(self._keys)

    def add(self, session: Session, channel: str | None) -> list[JobRecord]:
        """Add them; the record of each, or of the job that holds its key.

        Called again, it allows for those that are there already: the answer may have been lost.

        Args:
            session: where; a transaction, if it is to be `atomic`.
            channel: where to tell that there is work; None: do not.
        """
        again, self._tried = self._tried, True
        if not self._keys:
            return self._insert(session, channel, again=again)
        keys = rows.array(self._keys)
        for _ in range(_PATIENCE):
            session.do("drop_keys", keys=keys)
            added = self._insert(session, channel, again=again)
            found = rows.records(session.rows("holders", keys=keys))
            holders = {record.key: record for record in found}
            if len(holders) == len(self._keys):
                return [job if job.key is None else holders[job.key] for job in added]
            again = True
        raise RuntimeError(f"the keys {self._keys} change hands faster than they can be read")

    def _insert(self, session: Session, channel: str | None, *, again: bool) -> list[JobRecord]:
        return [
            record
            for jobs, shared in self._groups
            for record in _insert(session, jobs, {**shared, "channel": channel}, again=again)
        ]


_PATIENCE = 10
"""How often to look again: a job that held a key may end, and be gone, before it can be read."""


def _insert(
    session: Session, jobs: list[NewJob], shared: dict[str, str | None], *, again: bool
) -> list[JobRecord]:
    if again or any(job[3:] != (None, None, None) for job in jobs):
        window = rows.span(jobs[0].terms.window)
        own = rows.own_keyed(jobs)
        [[now, run_at, _]] = session.rows("add_keyed", **own, **shared, window=window)
    else:
        [[now, run_at, _]] = session.rows("add", **rows.own(jobs), **shared)
    return _records(jobs, now, run_at)


def _records(jobs: list[NewJob], now: int, run_at: int) -> list[JobRecord]:
    """What the store would give for each, without asking it."""
    terms = jobs[0].terms
    expires = terms.expires
    model = JobRecord(
        "",
        "",
        None,
        None,
        None,
        task=terms.task,
        queue=terms.queue,
        priority=terms.priority,
        state=State.DELAYED if run_at > now else State.QUEUED,
        created_at=now,
        run_at=run_at,
        expires_at=None if expires is None else max(run_at, now) + round(expires * rows.SECOND),
        limit_to=terms.limit_to,
        rate_to=terms.rate_to,
        rate_per=None if terms.rate_per is None else round(terms.rate_per * rows.SECOND),
        schedule=terms.schedule,
    )
    rest, make = model[5:], JobRecord._make
    return [
        make((id_, arguments, key, limit_key, at and micros(at), *rest))
        for id_, arguments, _, key, limit_key, at in jobs
    ]
