"""Brings changes to their places on PostgreSQL, where transactions commit in any order."""

from rotulus.stores.postgres.session import Session
from rotulus.stores.shared.changes import Placed


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

    def place(self, session: Session, most: int) -> Placed:
        """Give positions to what is noted; the last position, unless there are new ones."""
        [[placed, last]] = session.fetch("place_changes", most=most)
        return Placed(placed, None if placed else last)

    def discard(self, session: Session, most: int) -> int:
        """Forget what is noted."""
        return session.execute("discard_changes", most=most)

    def unaware(self, session: Session) -> frozenset[str]:
        """Transactions that have looked, and are not over: others cannot see what they did."""
        return frozenset(session.fetch_value("transactions"))
