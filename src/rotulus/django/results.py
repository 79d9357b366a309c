"""The `TaskResult` of a job, and the statuses of Django for the states of jobs."""

import builtins
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from rotulus import Attempt, ErrorInfo, Job, State
from rotulus.django.compat import AnyResult, TaskError, TaskResult, TaskResultStatus

STATUSES: Mapping[State, TaskResultStatus] = MappingProxyType(
    {
        State.BLOCKED: TaskResultStatus.READY,
        State.DELAYED: TaskResultStatus.READY,
        State.QUEUED: TaskResultStatus.READY,
        State.RUNNING: TaskResultStatus.RUNNING,
        State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
        State.FAILED: TaskResultStatus.FAILED,
        State.DEAD: TaskResultStatus.FAILED,
        State.CANCELLED: TaskResultStatus.FAILED,
        State.SKIPPED: TaskResultStatus.FAILED,
    }
)
"""The status of each state. A job that waits for its next attempt is ready, and has errors."""


def status_of(state: str) -> TaskResultStatus:
    """Returns the status of a job in a state."""
    return STATUSES[State(state)]


_UNSTARTED = ("released", "unstarted")

Arguments = tuple[list[Any], dict[str, Any]]
"""Positional and named arguments, in their JSON form."""


def result_of(job: Job[Any], task: Any, arguments: Arguments | None = None) -> AnyResult:
    """Returns the result of a job at the moment when the job was read.

    Args:
        job: the job, with its earlier attempts.
        task: its task in Django.
        arguments: the arguments of the call; by their names unless given.
    """
    args, kwargs = arguments or arguments_of(job.arguments)
    earlier = started(job)
    result: AnyResult = TaskResult(
        task=task,
        id=job.id,
        status=status_of(job.record.state),
        enqueued_at=job.created_at,
        started_at=earlier[0].started_at if earlier else job.started_at,
        finished_at=job.ended_at,
        last_attempted_at=job.started_at,
        args=args,
        kwargs=kwargs,
        backend=task.backend,
        errors=_errors(job, earlier),
        worker_ids=_workers(job, earlier),
    )
    if job.record.result is not None:
        object.__setattr__(result, "_return_value", json.loads(job.record.result))
    return result


def arguments_of(stored: Mapping[str, Any], places: Sequence[str] = ()) -> Arguments:
    """Returns positional and named arguments from stored ones.

    Args:
        stored: the arguments by parameter name, with `*` and `**` for further ones.
        places: the parameters that were given by position.
    """
    named = {**stored, **stored.get("**", {})}
    args = [*(named.pop(place) for place in places), *named.pop("*", [])]
    named.pop("**", None)
    return args, named


def is_apart(job: Job[Any]) -> bool:
    """Returns whether the last attempt is not among the earlier ones: it runs, or ended the job."""
    return job.attempt > (job.attempts[-1].number if job.attempts else 0)


def started(job: Job[Any]) -> list[Attempt]:
    """Returns the earlier attempts, without those that were given back before they began."""
    return [one for one in job.attempts if (one.outcome, one.reason) != _UNSTARTED]


def _errors(job: Job[Any], earlier: Sequence[Attempt]) -> list[TaskError]:
    found = [one.error for one in earlier]
    if job.state.ended and is_apart(job):
        found.append(job.error)
    return [_error(error) for error in found if error is not None]


def _error(error: ErrorInfo) -> TaskError:
    return TaskError(exception_class_path=_class_path(error), traceback=_traceback(error))


def _class_path(error: ErrorInfo) -> str:
    """Returns the module of the class of an error, which tracebacks show unless it is built in."""
    pattern = rf"^((?:[\w]+\.)*{re.escape(error.type)})(?::|$)"
    found = cast("list[str]", re.findall(pattern, error.traceback, re.MULTILINE))
    name = found[-1] if found else error.type
    return f"builtins.{name}" if hasattr(builtins, name) else name


def _traceback(error: ErrorInfo) -> str:
    return error.traceback or f"{error}\n"


def _workers(job: Job[Any], earlier: Sequence[Attempt]) -> list[str]:
    """Returns the workers of its attempts, one for each."""
    last = [job.worker] if is_apart(job) else []
    return [worker or "" for worker in [*(one.worker for one in earlier), *last]]
