"""A spawned job as its scheduler tells it: in the words of the service, whatever the store says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from rotulus import Job, State


class JobStatus(StrEnum):
    """How a spawned job stands."""

    PENDING = "pending"
    """It waits for its turn."""
    RUNNING = "running"
    """It runs."""
    COMPLETED = "completed"
    """It has returned."""
    FAILED = "failed"
    """It has raised, or the process that was to run it has ended."""
    CANCELED = "canceled"
    """Somebody did not want it any more."""


STATUSES = MappingProxyType(
    {
        State.BLOCKED: JobStatus.PENDING,
        State.DELAYED: JobStatus.PENDING,
        State.QUEUED: JobStatus.PENDING,
        State.RUNNING: JobStatus.RUNNING,
        State.SUCCEEDED: JobStatus.COMPLETED,
        State.FAILED: JobStatus.FAILED,
        State.DEAD: JobStatus.FAILED,
        State.CANCELLED: JobStatus.CANCELED,
        State.SKIPPED: JobStatus.CANCELED,
    }
)
"""The status of each state of a job."""


LIVE = tuple(state for state in State if not state.ended)
"""The states of a job that has not ended."""


def states_of(status: JobStatus | str) -> list[State]:
    """The states of a job that are told as this status. Raises `ValueError` for what is none."""
    wanted = JobStatus(status)
    return [state for state, told in STATUSES.items() if told is wanted]


@dataclass(frozen=True, slots=True)
class SpawnedJob:
    """A spawned job, as it stood when it was read.

    Attributes:
        id: its id.
        status: how it stands.
        description: what it was spawned as, if that was said.
        submitted_at: when it was spawned.
        started_at: when it began.
        finished_at: when it ended.
        error: what it raised, in a line: `ValueError: no such file`.
        error_traceback: the same with its traceback.
        note: what is to be said beside, such as that its result is not stored.
    """

    id: str
    status: JobStatus
    description: str | None
    submitted_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    error_traceback: str | None = None
    note: str | None = None


def record_of(job: Job[Any]) -> SpawnedJob:
    """The record of a job."""
    error, reached = job.error, job.reached
    return SpawnedJob(
        job.id,
        STATUSES[job.state],
        description_of(job),
        job.created_at,
        job.started_at,
        job.ended_at,
        None if error is None else str(error),
        None if error is None else error.traceback or None,
        (reached and reached.note) or None,
    )


def description_of(job: Job[Any]) -> str | None:
    """What a spawned job was described as; None of any other job."""
    described = job.arguments.get("description") if job.task == SPAWNED else None
    return described if isinstance(described, str) else None


SPAWNED = "spawned"
"""The name of the task of all spawned jobs."""
