"""Adds jobs that are in runs, in a transaction: a job with its parts, and what each waits for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rotulus.store import NewJob
from rotulus.stores._columns import Need, run_row
from rotulus.stores.shared.session import Session


def add_with_parts(session: Session, jobs: Sequence[NewJob]) -> None:
    """Add jobs, some of them with parts.

    Parts come with a job that is new: not with one that is there, nor with a held key.
    """
    new = _add_rows(session, jobs, map(_own_row, jobs), paused=False)
    add_labels(session, jobs)
    for job in jobs:
        if job.parts and job.id in new:
            new.discard(job.id)
            add_parts(session, job.id, job.parts, job.id, paused=False)


def add_labels(session: Session, jobs: Iterable[NewJob]) -> None:
    """Let jobs that are added be found by their labels."""
    labelled = [job.id for job in jobs if job.labels is not None]
    if labelled:
        session.execute("add_labels", ids=labelled)


def add_parts(
    session: Session, job_id: str, jobs: Sequence[NewJob], run: str, *, paused: bool
) -> None:
    """Add the parts of a job, and what each waits for; `paused`, if their run is."""
    # No part holds a key.
    places = [(part._replace(key=None), run, part.step, len(part.needs)) for part in jobs]
    _add_rows(session, jobs, [run_row(*place) for place in places], paused=paused)
    add_labels(session, jobs)
    session.execute("add_needs", **session.rows("need", _needs(job_id, jobs)))


def add_head(session: Session, job: NewJob) -> bool:
    """Add the head of a group, which waits for itself as long as that is open; whether it is new.

    Its need is one of its parts: a retry keeps the members.
    """
    row = run_row(job, job.id, "", 1, opened=True)
    if not _add_rows(session, [job], [row], paused=False):
        return False
    add_labels(session, [job])
    session.execute("add_needs", **session.rows("need", [Need(job.id, job.id, part=True)]))
    return True


def add_members(session: Session, head_id: str, jobs: Sequence[NewJob], *, paused: bool) -> int:
    """Add the members of a group; how many are new. Its head does not know of them yet."""
    rows = [run_row(job._replace(key=None), head_id, job.step) for job in jobs]
    new = _add_rows(session, jobs, rows, paused=paused)
    if new:
        add_labels(session, [job for job in jobs if job.id in new])
        needs = [Need(job, head_id, part=True) for job in sorted(new)]
        session.execute("add_needs", **session.rows("need", needs))
    return len(new)


def awaited(job_id: str, jobs: Sequence[NewJob]) -> int:
    """How many of its parts a job waits for."""
    return sum(need.job == job_id for need in _needs(job_id, jobs))


def _needs(job_id: str, jobs: Sequence[NewJob]) -> list[Need]:
    """What the parts of a job wait for, and the parts that the job waits for."""
    among = [Need(need, part.id, part=False) for part in jobs for need in part.needs]
    needed = {need.need for need in among}
    return among + [Need(part.id, job_id, part=True) for part in jobs if part.id not in needed]


def _own_row(job: NewJob) -> tuple[Any, ...]:
    """A job that is added, with its parts or without any."""
    if not job.parts:
        return run_row(job)
    return run_row(job, job.id, "", awaited(job.id, job.parts), opened=True)


def _add_rows(
    session: Session, jobs: Sequence[NewJob], rows: Iterable[tuple[Any, ...]], *, paused: bool
) -> set[str]:
    """Add jobs, some of them in a run; the ids of those that are new."""
    own = session.rows("in_run", list(rows))
    new = {job for (job,) in session.fetch("add_parts", **own, paused=paused)}
    for terms, count in Counter(job.terms for job in jobs if job.id in new).items():
        session.count_new(terms, count)
    return new
