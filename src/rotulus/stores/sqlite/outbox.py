"""Takes jobs of a file to publish."""

from rotulus._jobs.record import JobRecord
from rotulus.stores._columns import MoveRow
from rotulus.stores.shared.outbox import Due
from rotulus.stores.shared.session import Session
from rotulus.stores.sqlite import rows


def take(session: Session, due: Due) -> list[JobRecord]:
    """Take jobs to publish, or that are left, inside the caller's transaction. See `Outbox`."""
    while True:
        entries = session.fetch_value("entries_due", **due._asdict())
        moves = list(map(MoveRow._make, rows.read(entries)))
        session.execute("move_entries", moves=entries)
        session.execute("delete_entries", jobs=[move.job for move in moves if move.kind == "gone"])
        taken = [move.job for move in moves if move.kind == "taken"]
        if taken or len(moves) < due.limit:
            return rows.records(session.fetch_value("claimed", chosen=taken))
