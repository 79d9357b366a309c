"""The protection of a whole application: each request is authorised before a route sees it."""

from collections.abc import Iterable, MutableMapping
from typing import Annotated, Any, NamedTuple, cast

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rotulus._app.roles import Role
from rotulus.errors import ConfigurationError, RotulusError
from rotulus.service.access import DOCUMENTS, OPEN_PATHS
from rotulus.service.auth import Auth, auth_of_settings
from rotulus.service.guard import SAFE_METHODS, authorised
from rotulus.service.principal import ANYBODY, Admission, Principal, acting, admit, role_needed
from rotulus.service.problem_kinds import is_page
from rotulus.service.problems import ProblemError, install_problems, problem_of
from rotulus.service.scope import path_within
from rotulus.service.stored_tokens import tokens_of


def protect(app: FastAPI, auth: Auth | None = None) -> None:
    """Guard every request to an application: also its documents, mounts and unknown paths.

    Only `/health`, `/health/live`, `/health/ready` and the pages of problems stay open. Without
    auth, neither here nor as `ROTULUS_TOKEN`, only this machine may call it, and who has a stored
    token. Requests from pages of other sites that would change something are refused in any case.

    Args:
        app: the application; it has not been started.
        auth: the check of callers.
    """
    auth = auth or auth_of_settings()
    gate = None if auth is None or auth.dependency is None else _gate(app, auth.dependency)
    app.add_middleware(GuardMiddleware, auth=auth, gate=gate)


def leave_open(app: FastAPI, *paths: str) -> None:
    """Open some paths of a protected application to every client.

    The endpoints of these paths have to check their callers themselves. The endpoint of Pub/Sub
    does: pushes have tokens of their own, and not the token of the service.

    Args:
        app: the application; it has not been started.
        paths: the paths, as clients request them.

    Raises:
        ConfigurationError: the application is not protected, so no path can be left open.
    """
    guards = [one for one in app.user_middleware if one.cls is GuardMiddleware]
    if not guards:
        raise ConfigurationError("leave_open() is for an application that protect() was called for")
    for one in guards:
        one.kwargs["open_paths"] = {
            *cast("Iterable[str]", one.kwargs.get("open_paths", ())),
            *paths,
        }


class GuardMiddleware:
    """Decides about each request before the application sees it.

    Args:
        app: the application behind the guard.
        auth: the check of callers; None: only this machine.
        gate: an application that answers 204 to requests that pass the dependency of `auth`.
        open_paths: paths that are open to every client, beside `OPEN_PATHS`.
    """

    def __init__(
        self,
        app: ASGIApp,
        auth: Auth | None,
        gate: ASGIApp | None,
        open_paths: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._open_paths = OPEN_PATHS.union(open_paths)
        self._auth = auth
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._is_open(scope):
            admit(scope, ANYBODY)
            await self._app(scope, receive, send)
            return
        try:
            principal = await authorised(HTTPConnection(scope), self._auth, tokens_of(scope))
            _check_query(scope)
        except RotulusError as error:
            await _refuse(problem_of(error).response(scope), scope, receive, send)
            return
        if self._gate is not None:
            answer = await _ask(self._gate, scope)
            if answer.refusal is not None:
                await _refuse(answer.refusal, scope, receive, send)
                return
            principal = answer.principal or principal
        await self._let_in(principal, scope, receive, send)

    async def _let_in(
        self, principal: Principal, scope: Scope, receive: Receive, send: Send
    ) -> None:
        admission = admit(scope, principal)
        with acting(principal):
            await self._answer(admission, scope, receive, send)

    async def _answer(
        self, admission: Admission, scope: Scope, receive: Receive, send: Send
    ) -> None:
        principal = admission.principal
        if principal.role.includes(Role.OPERATOR):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
            refusal = role_needed(principal, Role.OPERATOR).response(scope)
            await _refuse(refusal, scope, receive, send)
        else:
            admission.checked = path_within(scope) in DOCUMENTS
            await self._app(scope, receive, _Unchecked(admission, scope, receive, send))

    def _is_open(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        return path_within(scope) in self._open_paths or is_page(scope)


class _Unchecked:
    """Sends an answer to a viewer, if its route has looked at the role; else a refusal.

    A viewer changes nothing: its request had a safe method. So an answer can be held back.
    """

    def __init__(self, admission: Admission, scope: Scope, receive: Receive, send: Send) -> None:
        self._admission = admission
        self._scope, self._receive, self._send = scope, receive, send
        self._refused = False

    async def __call__(self, message: Message) -> None:
        if self._refused:
            return
        if not self._admission.checked:
            self._refused = True
            refusal = role_needed(self._admission.principal, Role.OPERATOR).response(self._scope)
            await refusal(self._scope, self._receive, self._send)
            return
        await self._send(message)


def _check_query(scope: Scope) -> None:
    """Raise a `ProblemError` for bytes that no URL has, since frameworks fail at them."""
    if not scope["query_string"].isascii():
        raise ProblemError(
            400,
            "invalid_query",
            "The query is not ASCII",
            "Other characters have to be percent-encoded, in UTF-8.",
        )


def _gate(app: FastAPI, dependency: Any) -> FastAPI:
    """An application that only calls the dependency, as the real one would, and before it."""
    gate = FastAPI(openapi_url=None)
    install_problems(gate)
    gate.state = app.state
    gate.dependency_overrides = app.dependency_overrides

    async def admit(request: Request, found: Annotated[object, Depends(dependency)]) -> Response:
        request.scope[_FOUND].append(found)
        return Response(status_code=204)

    gate.add_api_route("/{path:path}", admit, methods=["GET"])
    return gate


class _Asked(NamedTuple):
    """The answer of the gate to a request.

    Attributes:
        refusal: answers the request; None: the request is let in.
        principal: its sender, if the dependency names it.
    """

    refusal: ASGIApp | None
    principal: Principal | None = None


_FOUND = "rotulus.found"
"""Where a gate puts what the dependency has returned."""


async def _ask(gate: ASGIApp, scope: Scope) -> _Asked:
    """Returns the answer of the gate to a request."""
    messages: list[Message] = []
    found: list[object] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope.setdefault("state", {})  # shared: routes read the values that the dependency sets
    get_scope: MutableMapping[str, Any] = {**scope, "type": "http", "method": "GET", _FOUND: found}
    await gate(get_scope, receive, send)
    if messages[0]["status"] == 204:
        return _Asked(None, next((one for one in found if isinstance(one, Principal)), None))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an app
        for message in messages:
            await send(message)

    return _Asked(answer)


async def _refuse(refusal: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await refusal(scope, receive, send)
