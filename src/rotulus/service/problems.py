"""Problem documents (RFC 9457): the answer of a service to every failure."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from rotulus.errors import ArgumentsError, RotulusError
from rotulus.service.problem_kinds import code_of, page_of
from rotulus.service.problem_table import INTERNAL, Kind, kind_of, pointer_of

MEDIA_TYPE = "application/problem+json"

URN = "urn:rotulus:error:"
"""The beginning of the `type` of a problem that has no page; its code follows."""

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457).",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "code"],
                    "properties": {
                        "type": {"type": "string", "format": "uri-reference"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "instance": {"type": "string"},
                        "code": {"type": "string"},
                        "hint": {"type": "string"},
                        "error_id": {"type": "string"},
                        "errors": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    }
}
"""The `responses=` of routes that answer with problems, for the OpenAPI document."""

_log = logging.getLogger("rotulus.service")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
"""Answers a request."""


class ProblemError(RotulusError):
    """A request is refused with a problem document.

    Args:
        status: the HTTP status.
        code: the stable word for the kind of problem; docs/errors.md lists them.
        title: the kind of problem, in a few words.
        detail: the problem of this request.
        hint: advice.
        errors: every mistake: `{"pointer": "/params/a", "detail": "..."}`.
        headers: headers of the answer.
        instance: a URI for this one occurrence.
        members: further members of the document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        hint: str | None = None,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        instance: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.headers = status, code, dict(headers or {})
        document: dict[str, Any] = {"type": URN + code, "title": title, "status": status}
        document |= {"detail": detail, "code": code}
        optional = {"hint": hint, "instance": instance, "errors": [dict(e) for e in errors]}
        self.document = document | {k: v for k, v in optional.items() if v} | dict(members or {})

    def response(self, scope: Scope | None = None) -> Response:
        """Returns the answer with the document.

        Args:
            scope: the scope of the request: `type` leads to the page of the problem, if the service
                has one.
        """
        page = None if scope is None else page_of(scope, self.code)
        document = self.document if page is None else {**self.document, "type": page}
        return JSONResponse(document, self.status, self.headers, MEDIA_TYPE)


def problem_of(error: Exception, *, arguments_at: str = "/params") -> ProblemError:
    """Returns the problem of an error for the client.

    An error that is not the client's is logged under an `error_id`, with its traceback unless the
    error is of a known kind. The document has the `error_id`, and not the text of the error.

    Args:
        error: the exception.
        arguments_at: the JSON Pointer to the task's arguments in the body.
    """
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_request(error)
    if isinstance(error, ClientDisconnect):
        return ProblemError(
            400, "body_incomplete", "The body is incomplete", "The client went away while it sent."
        )
    kind = kind_of(error)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _server_side(error, kind)
    errors: list[dict[str, Any]] = []
    detail = kind.detail or str(error)
    if isinstance(error, ArgumentsError):
        detail = "; ".join(error.problems)  # the message names a file of the server, too
        errors = [{"pointer": pointer_of(p, arguments_at), "detail": p} for p in error.problems]
    return ProblemError(kind.status, kind.code, kind.title, detail, hint=kind.hint, errors=errors)


Before = Callable[[Request], Awaitable[object]]
"""Checks a request."""


class ProblemRoute(APIRoute):
    """A route that answers errors with problem documents, in every application."""

    async def before(self, request: Request) -> None:
        """Check a request before the handler does; an exception here is answered, too."""

    def get_route_handler(self) -> Handler:
        """Returns FastAPI's handler, with answers for its errors."""
        return answered(self.handler(), self.before)

    def handler(self) -> Handler:
        """Returns FastAPI's handler; its errors are answered."""
        return super().get_route_handler()


async def _unchecked(request: Request) -> None:
    """Check nothing."""


def answered(handle: Handler, before: Before = _unchecked) -> Handler:
    """Returns a handler that answers errors with problem documents.

    Args:
        handle: the handler.
        before: called with each request before the handler; its exceptions are answered, too.
    """

    async def answer(request: Request) -> Response:
        try:
            await before(request)
            return await handle(request)
        except Exception as error:
            if _has_handler(request, error):
                raise
            if isinstance(error, HTTPException):
                return await _answer_http(request, error)
            return problem_of(error).response(request.scope)

    return answer


def install_problems(app: FastAPI) -> None:
    """Answer every error of an application with a problem document, also those of its own routes.

    Args:
        app: the application.
    """
    app.add_exception_handler(HTTPException, _answer_http)
    for kind in (RotulusError, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    return problem_of(error).response(request.scope)


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer a status that the framework, or a route of the user's, has raised."""
    error = cast("HTTPException", error)
    status, detail = error.status_code, cast("Any", error.detail)
    if status < HTTPStatus.BAD_REQUEST or not isinstance(detail, str):
        return await http_exception_handler(request, error)
    title = _phrase(status)
    problem = ProblemError(status, code_of(title), title, detail, headers=error.headers)
    return problem.response(request.scope)


def _has_handler(request: Request, error: Exception) -> bool:
    """Returns whether the application has a handler of its own for such errors."""
    handlers = request.app.exception_handlers
    found = next((kind for kind in type(error).__mro__ if kind in handlers), Exception)
    usual = (_answer, _answer_http, http_exception_handler, request_validation_exception_handler)
    return found is not Exception and handlers[found] not in usual


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _server_side(error: Exception, kind: Kind) -> ProblemError:
    error_id = secrets.token_hex(8)
    known = kind is not INTERNAL
    _log.error(
        "Error %s (%s): %s: %s",
        error_id,
        kind.code,
        type(error).__name__,
        error,
        exc_info=None if known else error,
        extra={"error_id": error_id},
    )
    return ProblemError(
        kind.status,
        kind.code,
        kind.title,
        kind.detail,
        hint=kind.hint,
        headers=kind.headers,
        members={"error_id": error_id},
    )


def _invalid_request(error: RequestValidationError) -> ProblemError:
    found = [_invalid(one) for one in error.errors()]
    detail = "; ".join(one["detail"] for one in found)
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return ProblemError(400, "invalid_json", "The body is not JSON", detail)
    return ProblemError(
        422,
        "invalid_request",
        "The request does not fit",
        detail,
        hint="The service's /openapi.json says what each route takes.",
        errors=found,
    )


def _invalid(error: Mapping[str, Any]) -> dict[str, str]:
    """Returns the errors of pydantic with their places: a pointer into the body, or a parameter."""
    source, *steps = error["loc"]
    place = "".join("/" + str(s).replace("~", "~0").replace("/", "~1") for s in steps)
    where = {"pointer": place} if source == "body" else {"in": source, "parameter": place[1:]}
    return {**where, "detail": f"{place[1:] or source}: {error['msg']}"}
