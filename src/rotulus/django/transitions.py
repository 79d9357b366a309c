"""The allowed changes of an execution's status, and its history, read from the job."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from rotulus import Attempt, Job
from rotulus.django.compat import TaskResultStatus
from rotulus.django.results import is_apart, started, status_of

READY, RUNNING = TaskResultStatus.READY.value, TaskResultStatus.RUNNING.value
SUCCESSFUL, FAILED = TaskResultStatus.SUCCESSFUL.value, TaskResultStatus.FAILED.value

ALLOWED: Mapping[str, Sequence[str]] = MappingProxyType(
    {READY: (RUNNING, FAILED), RUNNING: (SUCCESSFUL, FAILED), SUCCESSFUL: (), FAILED: ()}
)
"""The allowed next statuses, by status."""


class InvalidStateTransition(ValueError):  # noqa: N818 - the name in the source documents
    """An execution cannot change its status like that.

    Attributes:
        from_status: its status.
        to_status: the refused status.
        allowed: the statuses that it may have next.
    """

    def __init__(self, from_status: str, to_status: str, why: str = "") -> None:
        self.from_status = from_status
        self.to_status = to_status
        self.allowed = list(ALLOWED[from_status])
        super().__init__(
            f"Cannot transition from {from_status!r} to {to_status!r}. Allowed transitions: "
            f"{self.allowed}{why and f'. {why}'}"
        )


class Transition(NamedTuple):
    """One change of the status of an execution.

    Attributes:
        from_status: the status before; "" for the first change.
        to_status: the status after.
        at: the moment of the change.
        metadata: the attempt, its worker, the reason of its end, and the metadata of the mark.
    """

    from_status: str
    to_status: str
    at: datetime | None
    metadata: Mapping[str, Any]


def history_of(job: Job[Any]) -> list[Transition]:
    """Returns the changes of the status of a job, the newest first.

    Args:
        job: the job, with its earlier attempts.
    """
    changes = [Transition("", READY, job.created_at, {})]
    for attempt in started(job):
        changes += _of_attempt(attempt)
    changes += _of_last(job)
    return changes[::-1]


def noted(progress: str | None, status: str, metadata: Mapping[str, Any]) -> str:
    """Returns the progress of a job as JSON text, with the metadata of a mark as its note."""
    notes = {**_notes(progress), status: dict(metadata)}
    return json.dumps([0, None, json.dumps(notes)])


def _of_attempt(attempt: Attempt) -> Iterator[Transition]:
    by: dict[str, Any] = {"attempt": attempt.number, "worker": attempt.worker}
    yield Transition(READY, RUNNING, attempt.started_at, by)
    error = {"error": str(attempt.error)} if attempt.error else {}
    yield Transition(RUNNING, READY, attempt.ended_at, {**by, "reason": attempt.reason, **error})


def _of_last(job: Job[Any]) -> Iterator[Transition]:
    """Returns the metadata of the current or last attempt, and of the end."""
    by: dict[str, Any] = {"attempt": job.attempt, "worker": job.worker}
    notes = _notes(job.record.progress)
    before = READY
    if is_apart(job):
        before = RUNNING
        yield Transition(READY, RUNNING, job.started_at, {**by, **notes.get(RUNNING, {})})
    if job.state.ended:
        to = status_of(job.state).value
        why = {"reason": job.reason} if job.reason else {}
        yield Transition(before, to, job.ended_at, {**by, **why, **notes.get(to, {})})


def _notes(progress: str | None) -> dict[str, Any]:
    """Returns the metadata of the marks of a job, by status."""
    with suppress(ValueError, TypeError):
        found = json.loads(json.loads(progress or "")[2])
        return found if isinstance(found, dict) else {}
    return {}
