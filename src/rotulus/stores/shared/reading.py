"""Reads jobs."""

from collections.abc import Sequence

from rotulus._jobs.record import JobRecord
from rotulus.stores.shared.session import Session


def records_of(session: Session, ids: Sequence[str]) -> list[JobRecord]:
    """The records of those jobs that exist, in the order of the ids."""
    found = {job.id: job for job in session.fetch_records("records", ids=list(ids))}
    return [found[job] for job in ids if job in found]
