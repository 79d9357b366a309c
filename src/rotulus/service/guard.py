"""The guard of a service: only this machine may call it, unless an auth is configured."""

from collections.abc import Iterable, MutableMapping
from typing import Any, cast

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rotulus.errors import ConfigurationError
from rotulus.service.auth import Auth, auth_of_settings
from rotulus.service.bodies import check_media_type
from rotulus.service.local import check_local, check_same_site
from rotulus.service.problems import (
    Handler,
    ProblemError,
    ProblemRoute,
    answered,
    install_problems,
)
from rotulus.service.scope import header, path_within

OPEN_PATHS = frozenset({"/health", "/health/live", "/health/ready"})
"""Paths that are open to every client, because health probes have no token."""

_ADMITTED = "rotulus.admitted"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """A dependency of routes that refuses unauthorised requests, and bodies that are no JSON.

    In an application under `protect`, requests have been authorised before. In any other
    application they are authorised here: by the token of `ROTULUS_TOKEN`, else only from this
    machine.

    Args:
        json: whether bodies have to be JSON.
    """

    def __init__(self, *, json: bool = True) -> None:
        self._json = json

    async def __call__(self, request: Request) -> None:
        """Raise a `ProblemError` for a request that is refused."""
        self.check(request)

    def check(self, request: Request) -> None:
        """The same for code outside of an event loop, and for hot paths."""
        if not request.scope.get(_ADMITTED):
            _admit(request, _auth_of(request))
        if self._json and request.method not in _SAFE and _has_body(request):
            check_media_type(request)


_GUARD = Guard()

guard = Depends(_GUARD)
"""The guard of routes whose bodies are JSON: `APIRouter(dependencies=[guard])`."""


class GuardedRoute(ProblemRoute):
    """A route with the guard in place of a dependency, which is faster."""

    def before(self, request: Request) -> None:
        """Raise a `ProblemError` for a request that is refused."""
        _GUARD.check(request)


def guarded(handle: Handler) -> Handler:
    """Returns a Starlette handler with the guard; errors become problem documents."""
    return answered(handle, _GUARD.check)


def protect(app: FastAPI, auth: Auth | None = None) -> None:
    """Guard every request to an application: also its documents, mounts and unknown paths.

    Only `/health`, `/health/live` and `/health/ready` stay open. Without auth, neither here nor as
    `ROTULUS_TOKEN`, only this machine may call it. Requests from pages of other sites that would
    change something are refused in any case.

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
        if not self._is_open(scope):
            refusal = self._refusal(scope)
            if refusal is None and self._gate is not None:
                refusal = await _ask(self._gate, scope)
            if refusal is not None:
                await _refuse(refusal, scope, receive, send)
                return
        scope[_ADMITTED] = True
        await self._app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        return scope["type"] == "http" and path_within(scope) in self._open_paths

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        try:
            _admit(HTTPConnection(scope), self._auth)
            _check_query(scope)
        except ProblemError as error:
            return error.response()
        return None


def _admit(connection: HTTPConnection, auth: Auth | None) -> None:
    """Raise a `ProblemError` if the request itself shows that it is refused."""
    if auth is None:
        check_local(connection)
    else:
        auth.check_token(connection)
    if connection.scope.get("method") not in _SAFE:
        check_same_site(connection)


def _auth_of(request: Request) -> Auth | None:
    """Returns the auth of an application that is not under `protect`."""
    state = request.app.state
    if not hasattr(state, "rotulus_auth"):  # once: the settings are in files
        state.rotulus_auth = getattr(getattr(state, "rotulus", None), "auth", None)
        state.rotulus_auth = state.rotulus_auth or auth_of_settings()
    auth: Auth | None = state.rotulus_auth
    if auth is not None and auth.dependency is not None:
        raise ProblemError(
            403,
            "forbidden",
            "Forbidden",
            "The dependency that checks the callers is not called.",
            hint="Call rotulus.service.protect(app, auth) for the application.",
        )
    return auth


def _check_query(scope: Scope) -> None:
    """Raise a `ProblemError` for bytes that no URL has, since frameworks fail at them."""
    if not scope["query_string"].isascii():
        raise ProblemError(
            400,
            "invalid_query",
            "The query is not ASCII",
            "Other characters have to be percent-encoded, in UTF-8.",
        )


def _has_body(request: Request) -> bool:
    length = header(request, b"content-length")
    return (length or "0") != "0" or header(request, b"transfer-encoding") is not None


def _gate(app: FastAPI, dependency: Any) -> FastAPI:
    """An application that only calls the dependency, as the real one would, and before it."""
    gate = FastAPI(openapi_url=None, dependencies=[Depends(dependency)])
    install_problems(gate)
    gate.state = app.state
    gate.dependency_overrides = app.dependency_overrides

    async def admit() -> Response:
        return Response(status_code=204)

    gate.add_api_route("/{path:path}", admit, methods=["GET"])
    return gate


async def _ask(gate: ASGIApp, scope: Scope) -> ASGIApp | None:
    """Returns the answer of the gate to a request; None when it lets the request in."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope.setdefault("state", {})  # shared: routes read the values that the dependency sets
    get_scope: MutableMapping[str, Any] = {**scope, "type": "http", "method": "GET"}
    await gate(get_scope, receive, send)
    if messages[0]["status"] == 204:
        return None

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an app
        for message in messages:
            await send(message)

    return answer


async def _refuse(refusal: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await refusal(scope, receive, send)
