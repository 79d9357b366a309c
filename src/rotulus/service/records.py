"""The record of a spawned job, in the words of the service, and the JSON schema of a job."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from rotulus import Job, State


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


def description_of(job: Job[Any]) -> str | None:
    """Returns the description of a spawned job; None of any other job."""
    described = job.arguments.get("description") if job.task == SPAWNED else None
    return described if isinstance(described, str) else None


SPAWNED = "spawned"
"""The name of the task of all spawned jobs."""


_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}

JOB_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Job",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "task": {"type": "string"},
        "queue": {"type": "string"},
        "state": {"type": "string", "enum": [state.value for state in State]},
        "status": {"type": "string", "enum": [status.value for status in JobStatus]},
        "reason": _TEXT,
        "description": _TEXT,
        "attempt": {"type": "integer"},
        "priority": {"type": "integer"},
        "key": _TEXT,
        "labels": _TEXTS,
        "run": _TEXT,
        "group": _TEXT,
        "step": _TEXT,
        "paused": {"type": "boolean"},
        "schedule": _TEXT,
        "instant": _TIME,
        "worker": _TEXT,
        "cancel_requested": {"type": "boolean"},
        "created_at": _TIME,
        "submitted_at": _TIME,
        "run_at": _TIME,
        "started_at": _TIME,
        "ended_at": _TIME,
        "finished_at": _TIME,
        "progress": {
            "type": ["object", "null"],
            "properties": {
                "done": {"type": "number"},
                "total": {"type": ["number", "null"]},
                "note": {"type": "string"},
            },
        },
        "error": {
            "type": ["object", "null"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "arguments": {"type": "object", "description": "Of a single job only."},
        "headers": _TEXTS | {"description": "Of a single job only."},
        "result": {"description": "Of a single job only."},
        "attempts": {"type": "array", "items": {"type": "object"}},
        "why": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["id", "task", "queue", "state", "status", "created_at"],
}

PAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": JOB_SCHEMA}, "next": _TEXT},
    "required": ["items", "next"],
}
