"""The request and the answer of `$execute`: a result or an error in one JSON object."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from starlette.responses import Response

from rotulus import State
from rotulus._app.unstored import Finished
from rotulus._jobs.outcome import ErrorInfo
from rotulus._text import jsontext
from rotulus.service.problems import ProblemError

_HEADER = "Traceback (most recent call last):\n"


class ExecuteRequest(NamedTuple):
    """The arguments of an execution.

    Attributes:
        params: its arguments by name.
        payload: the same, as JSON text.
    """

    params: dict[str, Any]
    payload: str


def read_params(body: Any, others: frozenset[str] = frozenset()) -> ExecuteRequest:
    """Returns the arguments in a body: `{"params": {...}}`, or `{}`.

    Args:
        body: the JSON value.
        others: other keys that the body may hold.

    Raises:
        ProblemError: 422, the body is something else.
    """
    if not isinstance(body, dict):
        raise _unfit("", f"it is {_kind(body)}, not an object")
    members = cast("dict[str, Any]", body)
    for name in members:
        if name != "params" and name not in others:
            raise _unfit(f"/{name}", f"{name!r} is not known here")
    value = members.get("params", {})
    if not isinstance(value, dict):
        raise _unfit("/params", f"it is {_kind(value)}, not an object")
    params = cast("dict[str, Any]", value)
    try:
        return ExecuteRequest(params, jsontext.encode(params))
    except jsontext.NotJSONError as error:
        raise _unfit("/params", f"it {error}") from None


def answer(
    name: str, request: ExecuteRequest, finished: Finished, tracebacks: Callable[[], bool]
) -> Response:
    """Returns the envelope of an execution: 200, also when the task raised.

    Args:
        name: the task.
        request: the arguments.
        finished: the outcome.
        tracebacks: returns whether the answer holds the traceback. If it does not, the answer has
            an `error_id`, and the log line of the failure has the id and the traceback.
    """
    if finished.outcome.state is State.SUCCEEDED:
        result, error = finished.outcome.result or "null", "null"
    else:
        result, error = "null", jsontext.encode(_error(finished, tracebacks=tracebacks()))
    text = (
        f'{{"task_name":{jsontext.encode(name)},"params":{request.payload},'
        f'"result":{result},"error":{error}}}'
    )
    return Response(text, media_type="application/json")


def _error(finished: Finished, *, tracebacks: bool) -> dict[str, str | None]:
    info = finished.outcome.error or _without_error(finished)
    shown: dict[str, str | None] = {"type": info.type, "message": info.message}
    if tracebacks:
        begins = info.traceback.startswith(_HEADER)
        return shown | {"traceback": info.traceback if begins else _HEADER + info.traceback}
    return shown | {"traceback": None, "error_id": finished.job.id}


def _without_error(finished: Finished) -> ErrorInfo:
    """Returns the message for a task that neither returned nor failed."""
    if finished.outcome.state is State.CANCELLED:
        return ErrorInfo("Cancel", finished.outcome.reason or "the task cancelled itself")
    return ErrorInfo(
        "Snooze", "the task asked to be run again later, which only a job can be: enqueue it"
    )


def _unfit(pointer: str, detail: str) -> ProblemError:
    return ProblemError(
        422,
        "invalid_request",
        "The request does not fit",
        f"The body has a mistake: {pointer or 'as a whole'}: {detail}.",
        hint='Send {"params": {...}} with the arguments of the task by name, or {}.',
        errors=[{"pointer": pointer, "detail": detail}],
    )


_KINDS: dict[type, str] = {type(None): "null", bool: "a boolean", str: "a string", list: "an array"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")
