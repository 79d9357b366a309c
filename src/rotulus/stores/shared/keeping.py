"""Keeps schedules, and the counts of what blocked jobs wait for, in a transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime

from rotulus._jobs.record import JobRecord, moment
from rotulus.store import ScheduleEntry
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Session


def remember(session: Session, entries: Collection[ScheduleEntry]) -> dict[str, datetime]:
    """Remember scheduled tasks. See `Transitions.schedules`."""
    session.execute("remember_schedules", **session.rows("entry", list(entries)))
    found = session.fetch("schedules", names=[entry.name for entry in entries])
    return {name: moment(since) for name, since in found}


def recount(session: Session, wrong: Sequence[str]) -> list[JobRecord]:
    """Count again what these jobs wait for; returns those that were wrong."""
    session.lock_with_dependants(wrong)
    mended = session.fetch("recount", ids=list(wrong))
    return records_of(session, [job for (job,) in mended])
