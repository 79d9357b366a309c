"""The problem of each error for the client: status, code, title, and hint."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from rotulus.errors import (
    AccessTokenConflictError,
    AccessTokenNotFoundError,
    ArgumentsError,
    ArtifactError,
    ArtifactNotFoundError,
    CipherError,
    ContextError,
    GroupError,
    GroupNotFoundError,
    JobConflictError,
    JobFailedError,
    JobNotFoundError,
    JobNotRunningError,
    NoAppError,
    OptionError,
    ResultTimeoutError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    SchemaError,
    StepNotFoundError,
    StoreBusyError,
    StoreClosedError,
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

_NONE: Mapping[str, str] = MappingProxyType({})


class Kind(NamedTuple):
    """A kind of problem.

    Attributes:
        status: the HTTP status.
        code: the stable word for it.
        title: the problem in a few words.
        hint: advice.
        detail: the text for the client where the error's own text is not for clients.
        headers: headers of the answer.
    """

    status: int
    code: str
    title: str
    hint: str | None = None
    detail: str = ""
    headers: Mapping[str, str] = _NONE


INTERNAL = Kind(
    500,
    "internal_error",
    "Internal error",
    "The log of the server has the error under this error_id.",
    "The server could not answer this request.",
)
"""Any unforeseen error."""


def _unavailable(code: str, title: str, detail: str, hint: str, seconds: int) -> Kind:
    return Kind(503, code, title, hint, detail, {"Retry-After": str(seconds)})


KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (
        JobNotFoundError,
        Kind(404, "job_not_found", "Job not found", "GET /api/v1/jobs lists the jobs there are."),
    ),
    (
        TaskNotFoundError,
        Kind(404, "task_not_found", "Task not found", "The list of tasks has those there are."),
    ),
    (
        StepNotFoundError,
        Kind(404, "step_not_found", "Step not found", "The run itself lists its steps."),
    ),
    (
        GroupNotFoundError,
        Kind(
            404,
            "group_not_found",
            "Group not found",
            "POST /api/v1/groups begins one.",
            "There is no group of that name.",
        ),
    ),
    (
        CipherError,
        Kind(
            409,
            "encrypted",
            "The values are encrypted",
            "Give the app of the service the key.",
            "The values are encrypted, and this service cannot decrypt or encrypt them.",
        ),
    ),
    (
        GroupError,
        Kind(409, "group_conflict", "The group does not take it", "The detail says why."),
    ),
    (
        WorkflowError,
        Kind(
            409,
            "run_conflict",
            "The run cannot be changed so",
            "The detail says what is in the way.",
        ),
    ),
    (
        ContextError,
        Kind(422, "invalid_context", "The context cannot be taken", "Make it smaller, and JSON."),
    ),
    (
        WorkerNotFoundError,
        Kind(
            404,
            "worker_not_found",
            "Worker not found",
            "GET /api/v1/workers lists the workers that are alive.",
            "There is no live worker of that name.",
        ),
    ),
    (
        ScheduleNotFoundError,
        Kind(
            404,
            "schedule_not_found",
            "Schedule not found",
            "GET /api/v1/schedules lists the schedules there are.",
            "There is no schedule of that name.",
        ),
    ),
    (
        ScheduleConflictError,
        Kind(
            409,
            "schedule_conflict",
            "The schedule cannot be changed so",
            "The detail says what is in the way.",
        ),
    ),
    (
        AccessTokenNotFoundError,
        Kind(
            404,
            "token_not_found",
            "Token not found",
            "GET /api/v1/tokens lists the tokens there are.",
        ),
    ),
    (
        AccessTokenConflictError,
        Kind(
            409,
            "token_conflict",
            "The token cannot be added",
            "Remove the token of that name, or give another name.",
        ),
    ),
    (
        WebhookNotFoundError,
        Kind(
            404,
            "webhook_not_found",
            "Webhook not found",
            "GET /api/v1/webhooks lists the webhooks there are.",
        ),
    ),
    (
        WebhookConflictError,
        Kind(
            409,
            "webhook_conflict",
            "The webhook cannot be changed so",
            "The detail says what is in the way.",
        ),
    ),
    (
        ArtifactNotFoundError,
        Kind(
            404,
            "artifact_not_found",
            "Artifact not found",
            "GET /api/v1/artifacts lists the artifacts there are.",
        ),
    ),
    (
        ArtifactError,
        Kind(422, "invalid_artifact", "The artifact does not fit", "The detail says what to do."),
    ),
    (
        ArgumentsError,
        Kind(
            422,
            "invalid_arguments",
            "The arguments do not fit the task",
            "The description of the task says what it takes.",
        ),
    ),
    (
        OptionError,
        Kind(422, "invalid_option", "A value is not allowed", "The detail says what is allowed."),
    ),
    (
        JobFailedError,
        Kind(409, "job_failed", "The job has no result", "The job itself says how it ended."),
    ),
    (
        JobConflictError,
        Kind(
            409,
            "job_conflict",
            "The job has changed",
            "Read the job again: only one that waits can be edited.",
        ),
    ),
    (
        JobNotRunningError,
        Kind(409, "job_not_running", "The job does not run", "Look at the state of the job."),
    ),
    (
        ResultTimeoutError,
        _unavailable(
            "result_timeout",
            "The job has not ended yet",
            "The job had not ended when the time to wait for it was over.",
            "The job goes on: ask for it later.",
            1,
        ),
    ),
    (
        NoAppError,
        _unavailable(
            "no_app",
            "No app is open",
            "No app is open for this task, so its job cannot be stored.",
            "Open an App for the tasks, or wait until the server has started.",
            5,
        ),
    ),
    (
        StoreUnavailableError,
        _unavailable(
            "store_unavailable",
            "The store cannot be reached",
            "The place where jobs live cannot be reached.",
            "Try again; the log of the server says what is wrong with the store.",
            5,
        ),
    ),
    (
        StoreBusyError,
        _unavailable(
            "store_busy",
            "The store is busy",
            "Another process holds the place where jobs live. Nothing was stored.",
            "Try again.",
            1,
        ),
    ),
    (
        StoreReadOnlyError,
        _unavailable(
            "store_read_only",
            "The store cannot be written",
            "The place where jobs live can be read and not written. Nothing was stored.",
            "The log of the server says why it cannot be written.",
            60,
        ),
    ),
    (
        StoreFullError,
        Kind(
            507,
            "store_full",
            "The store is full",
            "Make room where the jobs live.",
            "There is no room left where jobs live. Nothing was stored.",
            {"Retry-After": "60"},
        ),
    ),
    (
        StoreRefusedError,
        Kind(
            422,
            "store_refused",
            "The store does not take it",
            "The detail says which rule of the store is against it.",
        ),
    ),
    (
        StoreClosedError,
        _unavailable(
            "store_closed",
            "The server is stopping",
            "The server stops, and has closed the place where jobs live.",
            "Try again.",
            5,
        ),
    ),
    (
        SchemaError,
        _unavailable(
            "schema_mismatch",
            "The store is of another version",
            "The tables of the store are older or newer than this version of Rotulus.",
            "Run 'rotulus migrate', or upgrade Rotulus.",
            60,
        ),
    ),
)
"""The problem of each error; the first that fits counts. Any other error is `INTERNAL`."""


def kind_of(error: Exception) -> Kind:
    """Returns the problem of an error."""
    return next((kind for type_, kind in KINDS if isinstance(error, type_)), INTERNAL)


_NAMED = re.compile(r"argument '([^']*)'|two values for '([^']*)'")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def pointer_of(sentence: str, under: str) -> str:
    """Returns the JSON Pointer to the argument that a problem of a call names.

    The pointer ends at a mapping and does not name a key in it: a key is a value, and messages do
    not hold values.

    Args:
        sentence: the problem: `argument 'user.ages[2]': Input should be ...`.
        under: the pointer to the arguments.
    """
    found = _NAMED.search(sentence)
    if found is None:
        return under
    path = (found[1] or found[2] or "").partition("[…]")[0]
    steps = [name or index for name, index in _STEP.findall(path)]
    return under + "".join("/" + s.replace("~", "~0").replace("/", "~1") for s in steps)
