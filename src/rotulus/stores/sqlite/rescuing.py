"""Takes jobs back from workers that were lost, in a transaction."""

from rotulus._jobs.outcome import LOST, MAX_LOSSES, write_error
from rotulus._jobs.record import JobRecord
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Value
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.session import Session


def rescue(session: Session, which: str, **parameters: Value) -> list[JobRecord]:
    """Take jobs back; returns them as they stand then.

    `which` is the statement that finds them, and these are its parameters.
    """
    claims = session.fetch_value(which, **parameters)
    lost = write_error(LOST)
    session.execute("rescue", claims=claims, max_losses=MAX_LOSSES, error=lost)
    session.execute("archive", claims=claims)
    found = records_of(session, [job for job, _ in rows.read(claims)])
    session.unblock([job.id for job in found if job.ended_at])
    return found
