"""The record of a spawned job, in the words of the service."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, cast

from rotulus import Job, State
from rotulus._text import jsontext


class JobStatus(StrEnum):
    """The status of a spawned job."""

    PENDING = "pending"
    """The job waits for its turn."""
    RUNNING = "running"
    """The job runs."""
    COMPLETED = "completed"
    """The job has returned."""
    FAILED = "failed"
    """The job has raised, or its process has ended."""
    CANCELED = "canceled"
    """The job was cancelled."""


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
    """Returns the states with this status. Raises `ValueError` for an unknown status."""
    sought = JobStatus(status)
    return [state for state, shown in STATUSES.items() if shown is sought]


@dataclass(frozen=True, slots=True)
class SpawnedJob:
    """A spawned job at the moment when it was read.

    Attributes:
        id: the id of the job.
        status: its status.
        description: the description that was given to `spawn`.
        submitted_at: the moment of `spawn`.
        started_at: the moment when it began.
        finished_at: the moment when it ended.
        error: its exception in a line: `ValueError: no such file`.
        error_traceback: the same with its traceback.
        note: a remark, such as that its result is not stored.
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
    """Returns the record of a job."""
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


def arguments_of(job: Job[Any]) -> dict[str, Any] | None:
    """Returns the arguments of a job in a list; None for broken ones, which hide no other job."""
    try:
        arguments = cast("object", job.arguments)  # as somebody else may have written them
    except jsontext.NotJSONError:
        return None
    return cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else None


def description_of(job: Job[Any]) -> str | None:
    """Returns the description of a spawned job; None of any other job."""
    described = (arguments_of(job) or {}).get("description") if job.task == SPAWNED else None
    return described if isinstance(described, str) else None


SPAWNED = "spawned"
"""The name of the task of all spawned jobs."""
