"""What people do to jobs, inside a transaction: cancel them, send them back, pause their runs."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus.stores._parts import with_their_keys
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Row, Session
from rotulus.stores.postgres.settling import unblock


class Acted(NamedTuple):
    """What came of an action: the jobs as they stand then, and whether there is work for others."""

    records: list[JobRecord]
    brings_work: bool


def cancel(session: Session, ids: Sequence[str]) -> Acted:
    """Cancel jobs and their parts."""
    there, in_runs = _lock(session, ids)
    wanted = rows.array(there)
    if in_runs:
        wanted = _column(session.rows("with_parts", ids=wanted))
    ended = [job for (job,) in session.rows("cancel", ids=wanted)]
    brings_work = unblock(session, ended)
    return Acted(rows.records(session.rows("records", ids=rows.array(there))), brings_work)


def retry(session: Session, ids: Sequence[str], arguments: str | None) -> list[JobRecord]:
    """Send ended jobs back, with what waited for them."""
    anew = str(arguments is not None)
    there, in_runs = _lock(session, ids)
    found = session.rows("retryable", ids=rows.array(there), anew=anew)
    if in_runs and arguments is None:
        wanted = _column(session.rows("with_parts", ids=_column(found)))
        found = session.rows("retryable", ids=wanted, anew=anew)
    sent = _free_to_go(session, found)
    back = rows.array(sent)
    later = session.rows("after", ids=back)
    after = rows.array(job for job, runs in later if not runs)
    closed = session.rows("made_anew", ids=back, after=after, anew=anew)
    if closed:
        session.do("delete_parts", ids=_column(closed))
    session.do("archive_ended", ids=after)
    session.do("retry", after=after, ids=back, arguments=arguments)
    session.do("count_needs", ids=_column(later))
    session.do("carry_again", ids=after)
    ordered = [job for job in ids if job in set(sent)]
    return rows.records(session.rows("records", ids=rows.array(ordered)))


def delete(session: Session, ids: Sequence[str]) -> list[JobRecord]:
    """Delete those of some jobs that nobody needs, runs as a whole."""
    there, _ = _lock(session, ids)
    gone = _column(session.rows("deletable", ids=rows.array(there)))
    told = rows.records(session.rows("records", ids=gone))
    if told:
        session.do("delete", ids=gone)
    return told


def pause(session: Session, runs: Collection[str], *, paused: bool) -> None:
    """Pause runs, or resume them."""
    there, _ = _lock(session, runs)
    if paused:
        session.do("pause_runs", runs=rows.array(there))
        return
    resumed = session.rows("resume_runs", runs=rows.array(there))
    session.do("carry_again", ids=_column(resumed))


def _lock(session: Session, ids: Collection[str]) -> tuple[list[str], bool]:
    """Let nobody else change jobs, nor their runs; which are there, and whether any is in a run.

    Nothing may be done to the others: a job that is added only now is not locked. A statement that
    had to wait for a lock is repeated, as parts may have been added meanwhile.
    """
    wanted = rows.array(ids)
    found, before = session.rows("lock", ids=wanted)[0], None
    while found[2] and found != before:
        found, before = session.rows("lock", ids=wanted)[0], found
    there = set(found[0])
    return [one for one in ids if one in there], found[2] > 0


def _free_to_go(session: Session, found: Sequence[Row]) -> list[str]:
    """Those that can be sent back, as nobody else holds the key of their run by now."""
    keys = rows.array(sorted({key for _, _, key in found if key is not None}))
    if keys == "{}":
        return [job for job, _, _ in found]
    session.do("drop_keys", keys=keys)
    holding = rows.records(session.rows("holders", keys=keys))
    return with_their_keys(found, {holder.key: holder.id for holder in holding})


def _column(found: Sequence[Row]) -> str:
    return rows.array(row[0] for row in found)
