"""Claims jobs on PostgreSQL: next ones, after a cursor, with limits, by id, or to be published."""

from collections.abc import Sequence

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import is_id
from rotulus.errors import StoreError
from rotulus.store import ClaimFilter
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.claim_cursor import ClaimCursor
from rotulus.stores.postgres.session import Row, Session
from rotulus.stores.postgres.source import Source
from rotulus.stores.shared import session as shared
from rotulus.stores.shared.outbox import Due

_PROMOTED_AT_ONCE = 1000

Parameters = dict[str, str | None]


def claim_in(session: Session, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
    """Take jobs to run in a transaction that does other things, too.

    Takes none where `claim` alone would not do: jobs are due, have limits, or were lost twice.
    """
    own = {**rows.wanted(wanted), "lease": rows.span(lease), "limit": str(limit)}
    return rows.claimed(session.fetch("claim", **own))[0]


class Claims:
    """Claims jobs for the workers of this process.

    Args:
        connections: where calls run.
    """

    def __init__(self, connections: Source) -> None:
        self._connections = connections
        self._cursors: dict[str, ClaimCursor] = {}

    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""
        own = {**rows.wanted(wanted), "lease": rows.span(lease)}
        cursor = self._cursors.setdefault(str(own), ClaimCursor())
        jobs = self._claim_after(cursor, own, limit)
        try:
            if len(jobs) < limit:
                jobs = [*jobs, *self._claim_next(cursor, own, limit - len(jobs))]
        except StoreError:
            if not jobs:  # what has been taken is somebody's; what failed will fail again
                raise
        return jobs

    def claim_ids(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take some jobs by their ids. See `Store.claim`."""
        ids = [one for one in dict.fromkeys(wanted.ids or ()) if is_id(one)]
        own = {**rows.wanted(wanted), "lease": rows.span(lease)}
        del own["queues"]

        def claim(session: Session, ids: list[str], limit: int, *, locked: bool) -> Sequence[Row]:
            which = {"ids": rows.array(ids), "limit": str(limit), "locked": str(locked)}
            return session.fetch("claim_ids", **own, **which)

        def claim_limited(session: Session) -> list[Row]:
            # The lock comes first, so that the next statement sees what its last holder did.
            session.fetch("lock_limits")
            found: list[Row] = []
            for (job,) in session.fetch("in_claim_order", ids=rows.array(ids)):
                if len(found) < limit:
                    found += claim(session, [job], 1, locked=True)
            return found

        found = self._connections.run(lambda session: claim(session, ids, limit, locked=False))
        if rows.is_refused(found):
            found = self._connections.run(claim_limited, atomic=True)
        return rows.claimed(found)[0]

    def _claim_after(self, cursor: ClaimCursor, wanted: Parameters, limit: int) -> list[JobRecord]:
        """Take the jobs that follow where the last claim began; none where the cursor is over."""
        positions = cursor.parameters(limit)
        if positions is None:
            return []
        own = {**wanted, **positions, "limit": str(limit)}
        found = self._connections.run(lambda session: session.fetch("claim_after", **own))
        jobs, seqs = rows.claimed(found)
        cursor.advance(jobs, seqs, limit, looked_at_all=False)
        return jobs

    def _claim_next(self, cursor: ClaimCursor, wanted: Parameters, limit: int) -> list[JobRecord]:
        """Take the jobs that are first of all that are queued."""
        own = {**wanted, "limit": str(limit)}

        def claim(session: Session) -> Sequence[Row] | None:
            """The usual claim; None where it will not do."""
            found = session.fetch("claim", **own)
            return None if rows.is_refused(found) else found

        def claim_due(session: Session) -> Sequence[Row] | None:
            limited = session.fetch_value("promote", limit=str(_PROMOTED_AT_ONCE))
            return None if limited else claim(session)

        def claim_limited(session: Session) -> Sequence[Row]:
            # The lock comes first, so that the next statement sees what its last holder did.
            session.fetch("lock_limits")
            return session.fetch("claim_limited", **own)

        found = self._connections.run(claim)
        if found is None:
            found = self._connections.run(claim_due)
        if found is None:
            return rows.claimed(self._connections.run(claim_limited, atomic=True))[0]
        jobs, seqs = rows.claimed(found)
        cursor.advance(jobs, seqs, limit, looked_at_all=True)
        return jobs


def take(session: shared.Session, due: Due) -> list[JobRecord]:
    """Take jobs to publish, or that are left, inside the caller's transaction. See `Outbox`."""
    while True:
        # The locks come first, so that the next statement sees what their last holders did.
        locked = [job for (job,) in session.fetch("lock_entries", **due._asdict())]
        if not locked:
            return []
        how = {"ids": locked, "lease": due.lease, "patience": due.patience}
        taken = session.fetch_records("take_entries", **how)
        if taken or len(locked) < due.limit:
            return taken
