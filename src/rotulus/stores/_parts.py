"""A job and its parts as rows: which run they are in, and who waits for whom."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rotulus.store import NewJob


class Row(NamedTuple):
    """A job of a run, or one without.

    Attributes:
        job: the job.
        run: the run it is in.
        step: where it stands there.
        waits_for: how many jobs it waits for.
        opened: whether it is added with its parts.
    """

    job: NewJob
    run: str | None = None
    step: str | None = None
    waits_for: int = 0
    opened: bool = False


class Need(NamedTuple):
    """One job waits for another.

    Attributes:
        need: who is waited for.
        job: who waits.
        part: whether the one is a part of the other.
    """

    need: str
    job: str
    part: bool


def rows(jobs: Iterable[NewJob]) -> list[Row]:
    """Jobs, each followed by its parts."""
    return [row for job in jobs for row in _with_parts(job)]


def part_rows(parts: Sequence[NewJob], run: str) -> list[Row]:
    """The parts of a job that is in a run, or begins one."""
    return [Row(part, run, part.step, len(part.needs)) for part in parts]


def needs(job: str, parts: Sequence[NewJob]) -> list[Need]:
    """Who waits for whom among the parts of a job, and whom of them the job waits for."""
    among = [Need(need, part.id, part=False) for part in parts for need in part.needs]
    needed = {need.need for need in among}
    return among + [Need(part.id, job, part=True) for part in parts if part.id not in needed]


def awaited(job: str, all_needs: Iterable[Need]) -> int:
    """How many of these a job waits for."""
    return sum(need.job == job for need in all_needs)


def _with_parts(job: NewJob) -> list[Row]:
    if not job.parts:
        return [Row(job)]
    waits_for = awaited(job.id, needs(job.id, job.parts))
    return [Row(job, job.id, "", waits_for, opened=True), *part_rows(job.parts, job.id)]
