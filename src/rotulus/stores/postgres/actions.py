"""Operator actions in a transaction: cancel, retry and delete jobs, pause their runs."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus.stores._parts import with_their_keys
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.session import Row, Session
from rotulus.stores.postgres.settling import unblock


class Acted(NamedTuple):
    """What came of an action: the jobs as they stand then, and whether there is work for others."""

    records: list[JobRecord]
    brings_work: bool


def cancel(session: Session, ids: Sequence[str]) -> Acted:
    """Cancel jobs and their parts."""
    existing, in_runs = _lock(session, ids)
    wanted = rows.array(existing)
    if in_runs:
        wanted = _column(session.fetch("with_parts", ids=wanted))
    ended = [job for (job,) in session.fetch("cancel", ids=wanted)]
    brings_work = unblock(session, ended)
    return Acted(rows.records(session.fetch("records", ids=rows.array(existing))), brings_work)


def retry(session: Session, ids: Sequence[str], arguments: str | None) -> list[JobRecord]:
    """Send ended jobs back, with their dependants."""
    rebuild = str(arguments is not None)
    existing, in_runs = _lock(session, ids)
    found = session.fetch("retryable", ids=rows.array(existing), any_end=rebuild)
    if in_runs and arguments is None:
        wanted = _column(session.fetch("with_parts", ids=_column(found)))
        found = session.fetch("retryable", ids=wanted, any_end=rebuild)
    retried = _with_free_keys(session, found)
    chosen = rows.array(retried)
    affected = session.fetch("dependants", ids=chosen)
    back = rows.array(job for job, is_running in affected if not is_running)
    opened = session.fetch("to_rebuild", back=back, ids=chosen, rebuild=rebuild)
    if opened:
        session.execute("delete_parts", ids=_column(opened))
    session.execute("archive_ended", ids=back)
    session.execute("retry", back=back, ids=chosen, arguments=arguments)
    session.execute("count_needs", ids=_column(affected))
    session.execute("carry_again", ids=back)
    ordered = [job for job in ids if job in set(retried)]
    return rows.records(session.fetch("records", ids=rows.array(ordered)))


def delete(session: Session, ids: Sequence[str]) -> list[JobRecord]:
    """Delete those of some jobs that nobody needs, runs as a whole."""
    existing, _ = _lock(session, ids)
    gone = _column(session.fetch("deletable", ids=rows.array(existing)))
    told = rows.records(session.fetch("records", ids=gone))
    if told:
        session.execute("delete", ids=gone)
    return told


def pause(session: Session, runs: Collection[str], *, paused: bool) -> None:
    """Pause runs, or resume them."""
    existing, _ = _lock(session, runs)
    if paused:
        session.execute("pause_runs", runs=rows.array(existing))
        return
    resumed = session.fetch("resume_runs", runs=rows.array(existing))
    session.execute("carry_again", ids=_column(resumed))


def _lock(session: Session, ids: Collection[str]) -> tuple[list[str], bool]:
    """Lock jobs with their runs; returns the jobs that exist, and whether one of them is in a run.

    The others are left alone: a job that is added only now is not locked. A statement that had to
    wait for a lock is repeated, as parts may have been added meanwhile.
    """
    wanted = rows.array(ids)
    found, before = session.fetch("lock_runs", ids=wanted)[0], None
    while found[2] and found != before:
        found, before = session.fetch("lock_runs", ids=wanted)[0], found
    there = set(found[0])
    return [one for one in ids if one in there], found[2] > 0


def _with_free_keys(session: Session, found: Sequence[Row]) -> list[str]:
    """The jobs that can be sent back, as no other job holds the key of their run by now."""
    keys = rows.array(sorted({key for _, _, key in found if key is not None}))
    if keys == "{}":
        return [job for job, _, _ in found]
    session.execute("release_keys", keys=keys)
    holding = rows.records(session.fetch("holders", keys=keys))
    return with_their_keys(found, {holder.key: holder.id for holder in holding})


def _column(found: Sequence[Row]) -> str:
    return rows.array(row[0] for row in found)
