"""Takes jobs of a database to publish."""

from rotulus._jobs.record import JobRecord
from rotulus.stores.shared.outbox import Due
from rotulus.stores.shared.session import Session


def take(session: Session, due: Due) -> list[JobRecord]:
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
