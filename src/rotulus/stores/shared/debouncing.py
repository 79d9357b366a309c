"""Moves jobs that wait, and gives them what newer ones with their keys bring."""

from collections.abc import Iterable, Sequence

from rotulus._jobs.record import JobRecord, Terms
from rotulus.store import NewJob
from rotulus.stores._columns import debounced_row
from rotulus.stores.shared.session import Session


def last_debounced(groups: Iterable[tuple[Terms, Sequence[NewJob]]]) -> list[NewJob]:
    """The debounced ones among new jobs: of those with the same key and task the last one.

    Args:
        groups: jobs with the same terms, in order.
    """
    debounced = [job for terms, jobs in groups if terms.debounce is not None for job in jobs]
    last = {(job.key, job.terms.task): job for job in debounced if job.key is not None}
    return list(last.values())


def have_moved(session: Session, jobs: Sequence[NewJob]) -> bool:
    """Move the jobs that wait with the keys of debounced ones, in a transaction.

    To be called when those have been added that are new. One whose key is held by a job of another
    task is left alone.

    Returns:
        Whether each is here, or has moved the job that waits. False: none is moved yet, as a key
        may be free by now, so they are to be added again.
    """
    here = {one.id for one in session.fetch_records("records", ids=[job.id for job in jobs])}
    left = {(job.key, job.terms.task): job for job in jobs if job.id not in here}
    if not left:
        return True
    keys = sorted({key for key, _ in left if key is not None})
    locked = _lock(session, keys, left)
    # Read again: what has begun before it was locked is known by now.
    holders = {one.key: one for one in session.fetch_records("holders", keys=keys)}
    same = [one for one in holders.values() if (one.key, one.task) in left]
    begun = [one.id for one in same if _has_begun(one)]
    if begun:
        session.execute("let_go_of_keys", ids=begun)
    if begun or len(holders) < len(keys) or not locked.issuperset(one.id for one in same):
        return False
    _move(session, [(one, left[one.key, one.task]) for one in same])
    return True


def _lock(session: Session, keys: list[str], tasks: Iterable[tuple[str | None, str]]) -> set[str]:
    """Lock the jobs of some tasks that hold keys; their ids."""
    wanted = set(tasks)
    held = session.fetch_records("holders", keys=keys)
    ids = {one.id for one in held if (one.key, one.task) in wanted}
    session.lock_with_dependants(sorted(ids))
    return ids


def _has_begun(job: JobRecord) -> bool:
    return job.attempt > 0 or bool(job.opened) or job.ended_at is not None


def _move(session: Session, moves: Sequence[tuple[JobRecord, NewJob]]) -> None:
    """Let waiting jobs be due later, with what newer ones bring."""
    if not moves:
        return
    ids = [holder.id for holder, _ in moves]
    numbers = [number for (number,) in session.fetch("numbers", ids=ids)]
    if any(holder.labels is not None for holder, _ in moves):
        session.execute("delete_labels", jobs=numbers)
    rows = [debounced_row(holder.id, job) for holder, job in moves]
    session.execute("move_debounced", **session.rows("debounced", rows))
    if any(job.labels is not None for _, job in moves):
        session.execute("add_labels", ids=ids)
    session.execute("carry_again", back=numbers)
    session.note_changes(numbers)
