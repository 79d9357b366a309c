"""Claims jobs: from the whole line, from where the last claim stopped, or heeding limits."""

from collections.abc import Sequence

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import is_id
from rotulus.errors import StoreError
from rotulus.store import ClaimFilter
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Row, Session
from rotulus.stores.postgres.claim_cursor import ClaimCursor
from rotulus.stores.postgres.source import Source

_PROMOTED_AT_ONCE = 1000

Parameters = dict[str, str | None]


def along(session: Session, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
    """Take jobs to run in a transaction that does other things, too; none unless all is calm."""
    own = {**rows.wanted(wanted), "lease": rows.span(lease), "limit": str(limit)}
    found = session.rows("claim", **own)
    return [JobRecord._make(row[:-1]) for row in found if row[0] is not None]


class Claims:
    """Claims jobs for the workers of this process.

    Args:
        connections: where calls run.
    """

    def __init__(self, connections: Source) -> None:
        self._connections = connections
        self._rushes: dict[str, ClaimCursor] = {}

    def take(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""
        own = {**rows.wanted(wanted), "lease": rows.span(lease)}
        cursor = self._rushes.setdefault(str(own), ClaimCursor())
        found = self._in_a_rush(own, limit, cursor)
        try:
            if len(found) < limit:
                found = [*found, *self._from_the_whole_line(own, limit - len(found), cursor)]
        except StoreError:
            if not found:  # what has been taken is somebody's; what failed will fail again
                raise
        return [JobRecord._make(row[:-1]) for row in found]

    def take_these(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take some jobs by their ids. See `Store.claim`."""
        ids = [one for one in dict.fromkeys(wanted.ids or ()) if is_id(one)]
        own = {**rows.wanted(wanted), "lease": rows.span(lease)}
        del own["queues"]

        def claim(session: Session, ids: list[str], limit: int, *, locked: bool) -> Sequence[Row]:
            which = {"ids": rows.array(ids), "limit": str(limit), "locked": str(locked)}
            return session.rows("claim_these", **own, **which)

        def claim_limited(session: Session) -> list[Row]:
            # The lock comes first, so that the next statement sees what its last holder did.
            session.rows("lock_limits")
            found: list[Row] = []
            for (job,) in session.rows("in_line", ids=rows.array(ids)):
                if len(found) < limit:
                    found += claim(session, [job], 1, locked=True)
            return found

        found = self._connections.run(lambda session: claim(session, ids, limit, locked=False))
        if found and found[-1][0] is None:
            found = self._connections.run(claim_limited, atomic=True)
        return [JobRecord._make(row[:-1]) for row in found]

    def _in_a_rush(self, wanted: Parameters, limit: int, cursor: ClaimCursor) -> Sequence[Row]:
        marks = cursor.marks(limit)
        if marks is None:
            return []
        own = {**wanted, **marks, "limit": str(limit)}
        found = self._connections.run(lambda session: session.rows("claim_on", **own))
        cursor.note(found, limit, whole=False)
        return found

    def _from_the_whole_line(
        self, wanted: Parameters, limit: int, cursor: ClaimCursor
    ) -> Sequence[Row]:
        own = {**wanted, "limit": str(limit)}

        def claim(session: Session) -> Sequence[Row] | None:
            """The usual claim, for when all is calm."""
            found = session.rows("claim", **own)
            return None if found and found[-1][0] is None else found

        def claim_due(session: Session) -> Sequence[Row] | None:
            promoted_special = session.value("promote", limit=str(_PROMOTED_AT_ONCE))
            return None if promoted_special else claim(session)

        def claim_limited(session: Session) -> Sequence[Row]:
            # The lock comes first, so that the next statement sees what its last holder did.
            session.rows("lock_limits")
            return session.rows("claim_limited", **own)

        found = self._connections.run(claim)
        if found is None:
            found = self._connections.run(claim_due)
        if found is None:
            return self._connections.run(claim_limited, atomic=True)
        cursor.note(found, limit, whole=True)
        return found
