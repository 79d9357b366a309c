"""The skip of a part of a run, in a transaction: it ends, and what waits for it goes on."""

from collections.abc import Sequence

from rotulus._jobs.kept import SAYING
from rotulus._jobs.record import JobRecord
from rotulus.stores.shared.actions import lock, rebuild_parts, send_back, with_free_keys
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Row, Session


def skip(session: Session, job_id: str, *, dry_run: bool) -> list[JobRecord]:
    """Skip a part with its own parts; the records of the part and of what goes back for it."""
    existing, _ = lock(session, [job_id])
    chosen = session.fetch("skippable", ids=existing)
    after: Sequence[Row] = ()
    if any(part == job_id and has_ended for _, part, has_ended in chosen):
        found = session.fetch("retryable", ids=existing, any_end=False)
        if not with_free_keys(session, found):
            return []
        after = _not_skipped(session.fetch("dependants", ids=existing), job_id)
    if not chosen:
        return []
    if not dry_run:
        _skip(session, job_id, chosen, after)
    again = sorted(job for _, _, job, has_ended, _ in after if has_ended)
    return records_of(session, [job_id, *again])


def _not_skipped(found: Sequence[Row], job_id: str) -> list[Row]:
    """The dependants of a part without the part, and without what an operator has skipped."""
    return [row for row in found if row[2] != job_id and not row[4]]


def _skip(session: Session, job_id: str, chosen: Sequence[Row], after: Sequence[Row]) -> None:
    """End some parts, of which nothing within waits, and let what waits for the one go on.

    Args:
        session: the statements.
        job_id: the part that was asked for.
        chosen: that one, and its own parts.
        after: those of its dependants that go back, if it had ended.
    """
    skipped = [job for job, _, _ in chosen]
    session.execute("archive_ended", back=skipped, saying=SAYING)
    session.execute("skip", jobs=skipped)
    session.note_changes(skipped)
    if not after:
        session.unblock([job_id])
        return
    back = [job for job, is_running, *_ in after if not is_running]
    rebuild_parts(session, [*back, *skipped])
    send_back(session, back, [job for job, *_ in after])
