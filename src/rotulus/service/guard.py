"""The guard of a service's routes: who may call them, with what role, and with what bodies."""

from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from rotulus._app.resources.tokens import PREFIX
from rotulus._app.roles import Role
from rotulus.service.access import ROLE_KEY, role_of
from rotulus.service.auth import Auth, auth_of_settings, secret_in, unauthorized
from rotulus.service.bodies import check_media_type, strictly
from rotulus.service.local import check_local, check_same_site
from rotulus.service.principal import (
    DEPENDENCY,
    LOCAL,
    SETTINGS,
    Principal,
    acting,
    admission_of,
    admit,
    check_role,
    principal_of,
)
from rotulus.service.problems import (
    PROBLEM_RESPONSES,
    Handler,
    ProblemError,
    ProblemRoute,
    answered,
)
from rotulus.service.scope import header
from rotulus.service.sharing import shared
from rotulus.service.stored_tokens import StoredTokens, tokens_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods of requests that change nothing."""


class Guard:
    """A dependency of routes that refuses unauthorised requests, and bodies that are no JSON.

    In an application under `protect`, requests have been authorised before. In any other
    application they are authorised here: by the token of `ROTULUS_TOKEN`, else only from this
    machine.

    Args:
        role: the least role that may send such requests.
        json: whether bodies have to be JSON.
    """

    def __init__(self, role: Role = Role.OPERATOR, *, json: bool = True) -> None:
        self._role = role
        self._json = json

    async def __call__(self, request: Request) -> None:
        """Raise a `ProblemError` for a request that is refused."""
        admission = admission_of(request.scope)
        if admission is None:
            tokens = tokens_of(request.scope)
            principal = await authorised(request, _auth_of(request), tokens)
            admission = admit(request.scope, principal)
        check_role(admission, self._role)
        if self._json and request.method not in SAFE_METHODS and _has_body(request):
            check_media_type(request)


guard = Depends(Guard())
"""The guard of routes that need an operator and whose bodies are JSON."""


class GuardedRoute(ProblemRoute):
    """A route with the guard in place of a dependency, which is faster.

    Its role is that of the table in `rotulus.service.access`; if the table does not have the route,
    `ConfigurationError` is raised. The document has the role, and so has each copy of the route.
    """

    takes_json = True
    """Whether bodies have to be JSON."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        extra = dict(options.get("openapi_extra") or {})
        methods = options.get("methods") or ("GET",)
        role = Role(extra[ROLE_KEY]) if ROLE_KEY in extra else role_of(methods, path)
        self._guard = Guard(role, json=self.takes_json)
        options["openapi_extra"] = extra | {ROLE_KEY: role.value}
        super().__init__(path, endpoint, **options)

    async def before(self, request: Request) -> None:
        """Raise a `ProblemError` for a request that is refused."""
        await self._guard(request)

    def handler(self) -> Handler:
        """Returns FastAPI's handler, called on behalf of the sender of a request.

        A body that it takes is read strictly before.
        """
        handle = _acting(super().handler())
        return strictly(handle) if self.takes_json and self.body_field is not None else handle


class GuardedBytesRoute(GuardedRoute):
    """A guarded route that takes bodies of any media type."""

    takes_json = False


class SharedRoute(GuardedRoute):
    """A guarded route. What it reads is shared by requests that say how old an answer may be."""

    statements = 1
    """How many statements a reading sends to the store, at most."""

    def handler(self) -> Handler:
        """Returns FastAPI's handler, whose answers are shared if it reads a resource as JSON."""
        handle = super().handler()
        described = self.responses.get(200, {})
        is_json = self.response_model is not None or "model" in described  # and no stream
        return shared(handle, self.statements) if is_json and self.methods == {"GET"} else handle


@lru_cache
def shared_route(statements: int) -> type[SharedRoute]:
    """Returns the class of shared routes of which a reading sends so many statements, at most."""
    return type("SharedRoute", (SharedRoute,), {"statements": statements})


class ResourceRouter(APIRouter):
    """The routes of a resource, each with the guard and the role of the table.

    Args:
        usual: the usual beginning of the paths, which the table has.
        prefix: the beginning of the paths here.
        tags: the tags of the operations.
        route_class: the class of the routes.
        options: those of `APIRouter`.
    """

    def __init__(
        self,
        usual: str,
        prefix: str,
        tags: Sequence[str | Enum],
        *,
        route_class: type[GuardedRoute] = GuardedRoute,
        **options: Any,
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=list(tags),
            route_class=route_class,
            responses=PROBLEM_RESPONSES,
            **options,
        )
        self._usual = usual

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route. Raises `ConfigurationError` if the table of roles does not have it."""
        extra = dict(options.get("openapi_extra") or {})
        role = role_of(options.get("methods") or ("GET",), self._usual + path)
        options["openapi_extra"] = extra | {ROLE_KEY: role.value}
        super().add_api_route(path, endpoint, **options)


def guarded(handle: Handler, role: Role) -> Handler:
    """Returns a Starlette handler with the guard; errors become problem documents.

    Args:
        handle: the handler.
        role: the least role that may send such requests.
    """
    return answered(_acting(handle), Guard(role))


def _acting(handle: Handler) -> Handler:
    """Returns a handler on behalf of the sender of a request, who has been let in."""

    async def act(request: Request) -> Response:
        with acting(principal_of(request)):
            return await handle(request)

    return act


async def authorised(
    connection: HTTPConnection, auth: Auth | None, tokens: StoredTokens | None
) -> Principal:
    """Returns the sender of a request. A dependency of the user's is not asked here.

    Args:
        connection: the request.
        auth: the check of callers; None: who has a stored token, or only this machine.
        tokens: the stored tokens; None: there is no store.

    Raises:
        ProblemError: the request itself shows that it is refused.
        StoreError: the stored tokens cannot be read.
    """
    principal = await _sender(connection, auth, tokens)
    if connection.scope.get("method") not in SAFE_METHODS:
        check_same_site(connection)
    return principal


async def _sender(
    connection: HTTPConnection, auth: Auth | None, tokens: StoredTokens | None
) -> Principal:
    """The sender of a request, by its token if one is asked for, or if it has one of ours."""
    secret = secret_in(connection)
    if auth is None:
        named = secret.startswith(PREFIX)
        if tokens is None or not (named or await tokens.are_asked_for()):
            check_local(connection)
            return LOCAL
    elif auth.token is None:
        return DEPENDENCY
    elif auth.has_token(secret):
        return SETTINGS
    found = None if tokens is None else await tokens.find(secret)
    if found is None:
        raise unauthorized(connection)
    return found


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


def _has_body(request: Request) -> bool:
    length = header(request, b"content-length")
    return (length or "0") != "0" or header(request, b"transfer-encoding") is not None
