"""Adds jobs that are in runs, in a transaction: a job with its parts, and what each waits for."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rotulus.store import NewJob
from rotulus.stores import _parts as parts
from rotulus.stores._columns import run_row
from rotulus.stores.shared.session import Session


def add_with_parts(session: Session, jobs: Sequence[NewJob]) -> None:
    """Add jobs, some of them with parts.

    Parts come with a job that is new: not with one that is there, nor with a held key.
    """
    new = _add_rows(session, map(parts.own_row, jobs), paused=False)
    for job in jobs:
        if job.parts and job.id in new:
            new.discard(job.id)
            add_parts(session, job.id, job.parts, job.id, paused=False)


def add_parts(
    session: Session, job_id: str, jobs: Sequence[NewJob], run: str, *, paused: bool
) -> None:
    """Add the parts of a job, and what each waits for; `paused`, if their run is."""
    _add_rows(session, parts.part_rows(jobs, run), paused=paused)
    session.execute("add_needs", **session.rows("need", parts.needs(job_id, jobs)))


def _add_rows(session: Session, jobs: Iterable[parts.Row], *, paused: bool) -> set[str]:
    """Add jobs, some of them in a run; the ids of those that are new."""
    new: set[str] = set()
    for terms, group in groupby(jobs, lambda row: row.job.terms):
        own = session.rows("in_run", list(map(run_row, group)))
        found = session.fetch("add_parts", **own, **session.terms(terms), paused=paused)
        new |= {job for (job,) in found}
    return new
