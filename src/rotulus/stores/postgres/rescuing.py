"""Takes jobs back from workers that were lost, in a transaction."""

from rotulus._jobs.outcome import LOST, MAX_LOSSES, write_error
from rotulus._jobs.record import JobRecord
from rotulus.stores.postgres.session import Session
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Value


def rescue(session: Session, which: str, **parameters: Value) -> list[JobRecord]:
    """Take jobs back; returns them as they stand then.

    `which` is the statement that finds them, and these are its parameters.
    """
    ids = [job for (job,) in session.fetch(which, **parameters)]
    if not ids:
        return []
    session.lock_with_dependants(ids)
    lost = write_error(LOST)
    ended = session.fetch("rescue", ids=ids, max_losses=MAX_LOSSES, error=lost)
    session.unblock([job for (job,) in ended])
    return records_of(session, ids)
