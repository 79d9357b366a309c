"""Operator actions in a transaction: what is done to jobs, their runs, queues and workers."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from rotulus._jobs.kept import SAYING
from rotulus._jobs.record import JobRecord, micros
from rotulus._text.ids import is_id
from rotulus.store import Edit, WorkerInfo
from rotulus.stores._columns import SECOND
from rotulus.stores.shared.reading import fleet, records_of
from rotulus.stores.shared.session import Locked, Row, Session


class Acted(NamedTuple):
    """What came of an action: the jobs as they stand then, and whether there is work for others."""

    records: list[JobRecord]
    brings_work: bool


def cancel(session: Session, ids: Collection[str]) -> Acted:
    """Cancel jobs and their parts."""
    existing, in_runs = lock(session, ids)
    wanted = _first(session.fetch("with_parts", ids=existing)) if in_runs else existing
    cancelled = session.fetch("cancel", ids=wanted)
    session.note_changes(_first(cancelled))
    ended = [job for job, ends in cancelled if ends]
    brings_work = session.unblock(ended)
    return Acted(records_of(session, existing), brings_work)


def retry(session: Session, ids: Collection[str], arguments: str | None) -> list[JobRecord]:
    """Send ended jobs back, with their dependants."""
    rebuild = arguments is not None
    existing, in_runs = lock(session, ids)
    found = session.fetch("retryable", ids=existing, any_end=rebuild)
    if in_runs and not rebuild:
        wanted = _first(session.fetch("with_parts", ids=_first(found)))
        found = session.fetch("retryable", ids=wanted, any_end=False)
    retried = with_free_keys(session, found)
    affected = session.fetch("dependants", ids=retried)
    back = [job for job, is_running, *_ in affected if not is_running]
    rebuild_parts(session, back, retried, rebuild=rebuild)
    send_back(session, back, _first(affected), retried, arguments)
    chosen = set(retried)
    return records_of(session, [job for job in existing if job in chosen])


def rebuild_parts(
    session: Session, back: list[Any], ids: Sequence[str] = (), *, rebuild: bool = False
) -> None:
    """Delete the parts of opened jobs whose next attempt adds other parts.

    Args:
        session: the statements.
        back: the jobs that go back, or stand for a need that does.
        ids: those whose parts are deleted in any case, with `rebuild`.
        rebuild: see `ids`.
    """
    opened = _first(session.fetch("to_rebuild", back=back, ids=list(ids), rebuild=rebuild))
    if opened:
        _delete(session, _first(session.fetch("parts_of", jobs=opened)))
        session.execute("reset_opened", jobs=opened)


def send_back(
    session: Session,
    back: list[Any],
    affected: list[Any],
    ids: Sequence[str] = (),
    arguments: str | None = None,
) -> None:
    """Send jobs back, and count again what they wait for.

    Args:
        session: the statements.
        back: the jobs.
        affected: these, and the running jobs that wait for fewer or for more.
        ids: those that are given `arguments`.
        arguments: the arguments, if some are given.
    """
    session.execute("archive_ended", back=back, saying=SAYING)
    session.execute("retry", back=back, ids=list(ids), arguments=arguments)
    session.execute("count_needs", jobs=affected)
    session.execute("carry_again", back=back)
    session.note_changes(back)


def edit(session: Session, seen: JobRecord, edit: Edit) -> JobRecord | None:
    """Change a job that waits, if it is as it was seen."""
    session.lock_with_dependants([seen.id])
    changed = session.execute(
        "edit",
        id=seen.id,
        seen_arguments=seen.arguments,
        seen_priority=seen.priority,
        seen_run_at=seen.run_at,
        arguments=edit.arguments,
        priority=edit.priority,
        at=None if edit.at is None else micros(edit.at),
        delay=None if edit.delay is None else round(edit.delay * SECOND),
    )
    if not changed:
        return None
    numbers = _first(session.fetch("numbers", ids=[seen.id]))
    session.execute("carry_again", back=numbers)
    session.note_changes(numbers)
    return records_of(session, [seen.id])[0]


def reprioritise(session: Session, ids: Collection[str], priority: int) -> list[JobRecord]:
    """Give waiting jobs and their waiting parts another priority."""
    existing, in_runs = lock(session, ids)
    wanted = _first(session.fetch("with_parts", ids=existing)) if in_runs else existing
    changed = set(_first(session.fetch("reprioritise", ids=wanted, priority=priority)))
    return records_of(session, [job for job in existing if job in changed])


def delete(session: Session, ids: Collection[str]) -> list[JobRecord]:
    """Delete those of some jobs that nobody needs, runs as a whole."""
    existing, _ = lock(session, ids)
    found = session.fetch("deletable", ids=existing)
    deleted = records_of(session, [job for _, job in found])
    delete_runs(session, _first(found))
    return deleted


def delete_runs(session: Session, jobs: list[Any]) -> int:
    """Delete jobs with their parts, and all that is known of them; how many they were."""
    if not jobs:
        return 0
    whole = [*jobs, *_first(session.fetch("parts_of", jobs=jobs))]
    _delete(session, whole)
    return len(whole)


def drain_workers(session: Session, names: Collection[str]) -> list[WorkerInfo]:
    """Drain workers; returns those of them that are alive."""
    session.execute("drain_workers", names=sorted(names))
    return [worker for worker in fleet(session).workers if worker.name in names]


def pause(
    session: Session, queues: Collection[str], runs: Collection[str], *, paused: bool
) -> None:
    """Pause queues and runs, or resume them."""
    session.execute("pause" if paused else "resume", queues=list(queues))
    if not runs:
        return
    existing, _ = lock(session, runs)
    if paused:
        waiting = session.fetch("pause_runs", runs=existing)
        session.note_changes([job for job, is_blocked in waiting if is_blocked])
        return
    resumed = session.fetch("resume_runs", runs=existing)
    session.note_changes([job for job, is_due in resumed if is_due])
    session.execute("carry_again", back=_first(resumed))


def lock(session: Session, ids: Collection[str]) -> Locked:
    """Lock jobs, and all jobs of their runs, until the transaction is over. No ids are left out."""
    return session.lock_runs([one for one in dict.fromkeys(ids) if is_id(one)])


def with_free_keys(session: Session, found: Sequence[Row]) -> list[str]:
    """The jobs that can be sent back, as no other job holds the key of their run by now."""
    keys = sorted({key for _, _, key in found if key is not None})
    if not keys:
        return [job for job, _, _ in found]
    session.execute("release_keys", keys=keys)
    holding = session.fetch_records("holders", keys=keys)
    return _with_their_keys(found, {holder.key: holder.id for holder in holding})


def _with_their_keys(found: Sequence[Row], holders: Mapping[str | None, str]) -> list[str]:
    """Which jobs can be sent back, so that each key has one holder: the first one that can.

    Args:
        found: jobs, the jobs that their runs are the runs of, and the keys of those.
        holders: which jobs hold the keys now.
    """
    taken = dict(holders)
    return [job for job, head, key in found if key is None or taken.setdefault(key, head) == head]


def _delete(session: Session, jobs: list[Any]) -> None:
    session.note_changes(jobs, "deleted")
    for table in ("attempts", "needs", "entries", "jobs"):
        session.execute(f"delete_{table}", jobs=jobs)


def _first(found: Sequence[Row]) -> list[Any]:
    """The first column of rows."""
    return [row[0] for row in found]
