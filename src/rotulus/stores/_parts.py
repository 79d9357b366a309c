"""A job and its parts as rows: which run they are in, and what each waits for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rotulus._jobs.record import Id
from rotulus.store import NewJob

Holders = Mapping[str | None, str]
"""The ids of the jobs that hold keys."""


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
        need: the job that is waited for.
        job: the job that waits.
        part: whether the first is a part of the second.
    """

    need: Id
    job: Id
    part: bool


def own_row(job: NewJob) -> Row:
    """A job that is added, with its parts or without any."""
    if not job.parts:
        return Row(job)
    return Row(job, job.id, "", awaited(job.id, needs(job.id, job.parts)), opened=True)


def part_rows(parts: Sequence[NewJob], run: str) -> list[Row]:
    """The parts of a job that is in a run, or begins one. None of them holds a key."""
    return [Row(part._replace(key=None), run, part.step, len(part.needs)) for part in parts]


def needs(job: str, parts: Sequence[NewJob]) -> list[Need]:
    """What the parts of a job wait for, and the parts that the job waits for."""
    among = [Need(need, part.id, part=False) for part in parts for need in part.needs]
    needed = {need.need for need in among}
    return among + [Need(part.id, job, part=True) for part in parts if part.id not in needed]


def awaited(job: str, all_needs: Iterable[Need]) -> int:
    """How many of these a job waits for."""
    return sum(need.job == job for need in all_needs)


def with_their_keys(found: Iterable[tuple[str, str, str | None]], holders: Holders) -> list[str]:
    """Which jobs can be sent back, so that each key has one holder: the first one that can.

    Args:
        found: jobs, the jobs that their runs are the runs of, and the keys of those.
        holders: which jobs hold the keys now.
    """
    taken = dict(holders)
    return [job for job, head, key in found if key is None or taken.setdefault(key, head) == head]
