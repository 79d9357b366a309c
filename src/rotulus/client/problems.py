"""The errors of a client: problem documents of a service become the errors of the library."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from rotulus.errors import (
    AccessTokenConflictError,
    AccessTokenNotFoundError,
    ArgumentsError,
    ArtifactNotFoundError,
    CipherError,
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

_UNKNOWN, _FORBIDDEN, _FAULT, _UNAVAILABLE = 401, 403, 500, 503


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


class ServiceRefusedError(ServiceError):
    """A service does not let the sender in, or not do that: a token or a role is missing."""


class NoServiceError(ServiceError):
    """What answers is no service of Rotulus: the address is that of something else."""


def _failed(text: str, error: ServiceError) -> RotulusError:
    state, reason = error.problem.get("state"), error.problem.get("reason")
    return JobFailedError(text, state=str(state), reason=reason)


def _unfit(text: str, error: ServiceError) -> RotulusError:
    errors = error.problem.get("errors")
    listed = cast("list[Any]", errors) if isinstance(errors, list) else []
    objects = [cast("dict[str, Any]", one) for one in listed if isinstance(one, dict)]
    return ArgumentsError(text, [str(one.get("detail", "")) for one in objects])


ERRORS: Mapping[str, Callable[[str, ServiceError], RotulusError]] = {
    "artifact_not_found": lambda text, _: ArtifactNotFoundError(text),
    "encrypted": lambda text, _: CipherError(text),
    "failure_not_found": lambda text, _: JobNotFoundError(text),
    "group_conflict": lambda text, _: GroupError(text),
    "group_not_found": lambda text, _: GroupNotFoundError(text),
    "invalid_arguments": _unfit,
    "invalid_context": lambda text, _: ContextError(text),
    "invalid_cursor": lambda text, _: OptionError(text),
    "invalid_option": lambda text, _: OptionError(text),
    "invalid_request": lambda text, _: OptionError(text),
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
    kind = _kind_of(status, problem)
    said = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
    hint = problem.get("hint") or (_NO_SERVICE if kind is NoServiceError else None)
    if hint:
        said = f"{said}{'' if said.endswith(('.', '?', '!')) else '.'} {hint}"
    after = headers.get("retry-after", "")
    return kind(
        said,
        status=status,
        code=str(problem.get("code", "")),
        problem=problem,
        retry_after=float(after) if after.isascii() and after.isdecimal() else None,
    )


_NO_SERVICE = "Is this the address of a Rotulus service, with the path below which it is mounted?"


def _kind_of(status: int, problem: Mapping[str, Any]) -> type[ServiceError]:
    """Returns the error for an answer, by its status; one without a code is of something else."""
    if status in (_UNKNOWN, _FORBIDDEN):
        return ServiceRefusedError
    if "code" in problem or status >= _FAULT:
        return ServiceError
    return NoServiceError


def as_ours(error: ServiceError) -> RotulusError:
    """Returns the error that the library raises in the same case, where there is one."""
    made = ERRORS.get(error.code)
    return error if made is None else made(str(error), error)
