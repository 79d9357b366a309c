"""Notes changes on SQLite by triggers, which are made when somebody listens, and dropped later."""

import re
from pathlib import Path

from rotulus.stores.shared.changes import Placed
from rotulus.stores.sqlite.session import Session

_SCRIPT = Path(__file__).with_name("triggers") / "changes.sql"

_WALL_CLOCK = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"

_TRIGGER = re.compile(r"^CREATE TRIGGER IF NOT EXISTS (\w+).*?^END;$", re.MULTILINE | re.DOTALL)

_TRIGGERS = {
    found[1]: found[0]
    for found in _TRIGGER.finditer(
        _SCRIPT.read_text(encoding="utf-8").replace("{wall_clock}", _WALL_CLOCK)
    )
}


class Triggers:
    """Has every change noted in its place, whatever makes it: a file has one writer at a time."""

    def lock(self, session: Session) -> None:
        """Nobody else can write to the file until the transaction is over."""

    def begin(self, session: Session) -> None:
        """Make the triggers: all connections to the file take note of them by themselves."""
        self.end(session)  # another version may have made others
        for statement in _TRIGGERS.values():
            session.run(statement)

    def end(self, session: Session) -> None:
        """Drop them."""
        for name in _TRIGGERS:
            session.run(f"DROP TRIGGER IF EXISTS {name}")

    def place(self, session: Session, most: int) -> Placed:  # noqa: ARG002 - it is for all databases
        """Nothing: changes are in their places."""
        return Placed(0, None)

    def discard(self, session: Session, most: int) -> int:  # noqa: ARG002 - the same
        """Nothing: they have their positions from the begin."""
        return 0

    def unaware(self, session: Session) -> frozenset[str]:  # noqa: ARG002 - the same
        """None: who writes begins after the last one who wrote."""
        return frozenset()
