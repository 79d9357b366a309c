"""Claims jobs: from the whole line, from where the last claim stopped, or heeding limits."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from rotulus._record import JobRecord
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Row, Session
from rotulus.stores.postgres.connection import Connections
from rotulus.stores.postgres.rush import Rush

_PROMOTED_AT_ONCE = 1000

_LOCK = {"place": "1"}


class Wanted(NamedTuple):
    """What a worker wants to claim, as parameters."""

    queues: str | None
    names: str | None
    grace: str | None
    worker: str
    lease: str | None


class Claims:
    """Claims jobs for the workers of this process.

    Args:
        connections: the database.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._rushes: dict[Wanted, Rush] = {}

    def take(
        self,
        queues: Collection[str] | None,
        names: Collection[str] | None,
        limit: int,
        worker: str,
        lease: float,
        grace: float | None,
    ) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""
        wanted = Wanted(
            rows.optional_array(queues),
            rows.optional_array(names),
            rows.span(grace),
            worker,
            rows.span(lease),
        )
        rush = self._rushes.setdefault(wanted, Rush())
        found = self._in_a_rush(wanted, limit, rush)
        if len(found) < limit:
            found = [*found, *self._from_the_whole_line(wanted, limit - len(found), rush)]
        return [JobRecord._make(row[:-1]) for row in found]

    def _in_a_rush(self, wanted: Wanted, limit: int, rush: Rush) -> Sequence[Row]:
        marks = rush.marks(limit)
        if marks is None:
            return []
        own = {**wanted._asdict(), **marks, "limit": str(limit)}
        del own["queues"]
        found = self._connections.run(lambda session: session.rows("claim_on", **own))
        rush.note(found, limit, whole=False)
        return found

    def _from_the_whole_line(self, wanted: Wanted, limit: int, rush: Rush) -> Sequence[Row]:
        own = {**wanted._asdict(), "limit": str(limit)}

        def claim(session: Session) -> Sequence[Row] | None:
            if session.value("promote", limit=str(_PROMOTED_AT_ONCE)):
                return None
            return session.rows("claim", **own)

        def claim_limited(session: Session) -> Sequence[Row]:
            # The lock comes first, so that the next statement sees what its last holder did.
            session.rows("lock_limits", **_LOCK)
            return session.rows("claim_limited", **own)

        found = self._connections.run(claim)
        if found is None:
            return self._connections.run(claim_limited, atomic=True)
        rush.note(found, limit, whole=True)
        return found
