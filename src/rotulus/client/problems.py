"""The errors of a client: problem documents of a service become the errors of the library."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from rotulus.errors import (
    AccessTokenConflictError,
    AccessTokenNotFoundError,
    ArgumentsError,
    ArtifactNotFoundError,
    ContextError,
    GroupError,
    GroupNotFoundError,
    JobConflictError,
    JobFailedError,
    JobNotFoundError,
    OptionError,
    ResultTimeoutError,
    RotulusError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    StepNotFoundError,
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
    TaskNotFoundError,
    WebhookConflictError,
    WebhookNotFoundError,
    WorkerNotFoundError,
    WorkflowError,
)

_UNAVAILABLE = 503


class ServiceError(RotulusError):
    """A service has refused a request, or could not be reached.

    Attributes:
        status: the HTTP status; 0 where there was no answer.
        code: the stable word for the problem, such as `forbidden`; "" where there is none.
        problem: the whole problem document.
        retry_after: seconds after which the service asks to be asked again; None: it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        problem: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.problem: Mapping[str, Any] = problem or {}
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.status in (0, _UNAVAILABLE)


class ServiceUnreachableError(ServiceError):
    """A service did not answer: its address is wrong, it is down, or it took too long."""


def _failed(text: str, error: ServiceError) -> RotulusError:
    state, reason = error.problem.get("state"), error.problem.get("reason")
    return JobFailedError(text, state=str(state), reason=reason)


def _unfit(text: str, error: ServiceError) -> RotulusError:
    errors = cast("list[dict[str, Any]]", error.problem.get("errors", []))
    return ArgumentsError(text, [str(one.get("detail", "")) for one in errors])


ERRORS: Mapping[str, Callable[[str, ServiceError], RotulusError]] = {
    "artifact_not_found": lambda text, _: ArtifactNotFoundError(text),
    "failure_not_found": lambda text, _: JobNotFoundError(text),
    "group_conflict": lambda text, _: GroupError(text),
    "group_not_found": lambda text, _: GroupNotFoundError(text),
    "invalid_arguments": _unfit,
    "invalid_context": lambda text, _: ContextError(text),
    "invalid_cursor": lambda text, _: OptionError(text),
    "invalid_option": lambda text, _: OptionError(text),
    "job_conflict": lambda text, _: JobConflictError(text),
    "job_failed": _failed,
    "job_not_found": lambda text, _: JobNotFoundError(text),
    "result_timeout": lambda text, _: ResultTimeoutError(text),
    "run_conflict": lambda text, _: WorkflowError(text),
    "schedule_conflict": lambda text, _: ScheduleConflictError(text),
    "schedule_not_found": lambda text, _: ScheduleNotFoundError(text),
    "step_not_found": lambda text, _: StepNotFoundError(text),
    "store_busy": lambda text, _: StoreBusyError(text),
    "store_full": lambda text, _: StoreFullError(text),
    "store_read_only": lambda text, _: StoreReadOnlyError(text),
    "store_refused": lambda text, _: StoreRefusedError(text),
    "store_unavailable": lambda text, _: StoreUnavailableError(text),
    "task_not_found": lambda text, _: TaskNotFoundError(text, ""),
    "token_conflict": lambda text, _: AccessTokenConflictError(text),
    "token_not_found": lambda text, _: AccessTokenNotFoundError(text),
    "webhook_conflict": lambda text, _: WebhookConflictError(text),
    "webhook_not_found": lambda text, _: WebhookNotFoundError(text),
    "worker_not_found": lambda text, _: WorkerNotFoundError(text),
}
"""The error of the library for the code of a problem; any other one is a `ServiceError`."""


def error_of(status: int, headers: Mapping[str, str], body: Any) -> ServiceError:
    """Returns the error of an answer that is no success.

    Args:
        status: its HTTP status.
        headers: its headers.
        body: its body, if that is JSON, else None.
    """
    problem = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    words = [str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")]
    if hint := problem.get("hint"):
        words.append(str(hint))
    after = headers.get("retry-after", "")
    return ServiceError(
        " ".join(words),
        status=status,
        code=str(problem.get("code", "")),
        problem=problem,
        retry_after=float(after) if after.isascii() and after.isdecimal() else None,
    )


def as_ours(error: ServiceError) -> RotulusError:
    """Returns the error that the library raises in the same case, where there is one."""
    made = ERRORS.get(error.code)
    return error if made is None else made(str(error), error)
