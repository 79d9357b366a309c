"""Brings changes to their places on PostgreSQL, where transactions commit in any order."""

from collections.abc import Sequence

from rotulus.stores.postgres.session import Session
from rotulus.stores.shared.session import Row


class Places:
    """Gives positions to changes after their transactions have committed.

    A transaction that noted a change may commit after one that noted another later. So what is
    noted has no position: those who read give them out, one at a time, to all that they can see.
    No open transaction holds up the changes of others.
    """

    def lock(self, session: Session) -> None:
        """Wait for whoever gives out positions now."""
        session.fetch("lock_changes")

    def begin(self, session: Session) -> None:
        """Statements look by themselves."""

    def end(self, session: Session) -> None:
        """Statements look by themselves."""

    def place(self, session: Session, most: int) -> int:
        """Give positions to what is noted."""
        placed: int = session.fetch_value("place_changes", most=most)
        return placed

    def follow(self, session: Session, after: int, limit: int, most: int) -> Sequence[Row] | None:
        """Return what follows a position, also what gets its own now, by one statement."""
        found = session.fetch("follow_changes", after=after, limit=limit, most=most)
        last, moved = found[0][:2]
        rows = [row[2:] for row in found if row[2] is not None][:limit]
        if moved == most or last < after or not _follow_each_other(after, rows):
            return None
        return rows

    def discard(self, session: Session, most: int) -> int:
        """Forget what is noted."""
        return session.execute("discard_changes", most=most)

    def unaware(self, session: Session) -> frozenset[str]:
        """Transactions that have looked, and are not over: others cannot see what they did."""
        return frozenset(session.fetch_value("transactions"))


def _follow_each_other(after: int, rows: Sequence[Row]) -> bool:
    """Returns whether nothing is missing: somebody else may give positions at the same moment."""
    return all(row[0] == position for position, row in enumerate(rows, after + 1))
