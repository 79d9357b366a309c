"""Notes changes on SQLite by triggers, which are made when somebody listens, and dropped later."""

from collections.abc import Sequence

from rotulus.stores.shared.session import Row
from rotulus.stores.sqlite.session import Session
from rotulus.stores.sqlite.triggers import Triggers

_TRIGGERS = Triggers("changes.sql")


class TriggeredNoting:
    """Has every change noted in its place, whatever makes it: a file has one writer at a time."""

    def lock(self, session: Session) -> None:
        """Nobody else can write to the file until the transaction is over."""

    def begin(self, session: Session) -> None:
        """Make the triggers."""
        _TRIGGERS.make(session.run)

    def end(self, session: Session) -> None:
        """Drop them."""
        _TRIGGERS.drop(session.run)

    def place(self, session: Session, most: int) -> int:  # noqa: ARG002 - it is for all databases
        """Nothing: changes are in their places."""
        return 0

    def follow(
        self,
        session: Session,
        after: int,
        limit: int,
        most: int,  # noqa: ARG002 - the same
    ) -> Sequence[Row]:
        """Return what follows a position."""
        return session.fetch("read_changes", after=after, limit=limit)

    def discard(self, session: Session, most: int) -> int:  # noqa: ARG002 - the same
        """Nothing: they have their positions from the begin."""
        return 0

    def unaware(self, session: Session) -> frozenset[str]:  # noqa: ARG002 - the same
        """None: who writes begins after the last one who wrote."""
        return frozenset()
