"""The API and the console behind Django's own login: a view that asks a service in this process."""

import json
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from http import HTTPStatus
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast
from urllib.parse import quote, urlencode

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIRequest
from django.db import DEFAULT_DB_ALIAS
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import NoReverseMatch, reverse
from django.views.decorators.csrf import csrf_exempt

from rotulus.django.app import app_of, worker_app
from rotulus.django.compat import task_backends
from rotulus.django.exchanges import Exchange, ServiceLoop


def _behind_login() -> Any:
    """Returns the module that needs FastAPI, which projects without a service do not have."""
    return import_module("rotulus.django.behind_login")


async def _begin() -> Any:
    alias = _alias()
    return await _behind_login().begin(worker_app(alias), app_of(alias))


def _alias() -> str:
    """Returns the database of the first backend that has its jobs in one."""
    for backend in task_backends.all():
        alias = getattr(backend, "database", None)
        if alias is not None:
            return str(alias)
    return DEFAULT_DB_ALIAS


_loop = ServiceLoop(_begin)


@csrf_exempt  # the service refuses requests from pages of other sites by itself
@login_not_required  # asked for below, as programs want another answer than people
async def service(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer with the service of the app: `api/...` and `console/...`, for staff.

    The permissions are those of executions in the admin: who may view them is a viewer, who may
    change them an operator, and a superuser is an admin.
    """
    if find_spec("fastapi") is None:
        raise Http404("The service needs rotulus[service]")
    sender = await sync_to_async(_sender)(request)
    if sender is None:
        return _refused(request, path)
    exchange = await _loop.ask(_scope(request, path, sender), request.body)
    headers = exchange.headers
    if exchange.whole is not None:
        return HttpResponse(exchange.whole, status=exchange.status, headers=headers)
    body = _pieces(exchange) if isinstance(request, ASGIRequest) else _plain_pieces(exchange)
    return StreamingHttpResponse(
        cast("Iterable[bytes]", body), status=exchange.status, headers=headers
    )


def _sender(request: HttpRequest) -> Any:
    user: Any = getattr(request, "user", None)
    return None if user is None else _behind_login().sender_of(user)


def _refused(request: HttpRequest, path: str) -> HttpResponseBase:
    """Returns the way to the login for a person, and a problem for a program."""
    user: Any = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    if path.startswith("console") and request.method == "GET" and not known:
        asked = urlencode({"next": request.get_full_path()}, safe="/")
        return HttpResponseRedirect(f"{_login()}?{asked}")
    status = HTTPStatus.FORBIDDEN if known else HTTPStatus.UNAUTHORIZED
    code = "role_needed" if known else "unauthorized"
    problem = {
        "type": f"urn:rotulus:error:{code}",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": "Staff who may view task executions may ask.",
        "hint": "Log in, or have the permission 'view task execution' given to you.",
    }
    text = json.dumps(problem)
    return HttpResponse(text, status=status, content_type="application/problem+json")


def _login() -> str:
    try:
        return reverse("admin:login")
    except NoReverseMatch:
        return str(settings.LOGIN_URL)


def _scope(request: HttpRequest, path: str, sender: object) -> dict[str, Any]:
    """Returns the ASGI scope of a request, as a server would give it to the service."""
    headers: Mapping[str, str] = request.headers
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": quote(request.path).encode(),
        "root_path": request.path.removesuffix(path).rstrip("/"),
        "query_string": request.META.get("QUERY_STRING", "").encode(),
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "client": (request.META.get("REMOTE_ADDR") or "", 0),
        "server": (request.get_host().partition(":")[0], int(request.get_port() or 0)),
        "state": {},
        "rotulus.sender": sender,
    }


async def _pieces(exchange: Exchange) -> AsyncGenerator[bytes, None]:
    try:
        while piece := await exchange.piece():
            yield piece
    finally:
        exchange.leave()


def _plain_pieces(exchange: Exchange) -> Generator[bytes, None, None]:
    """The same, for a server without an event loop: the stream keeps one of its threads."""
    try:
        while piece := exchange.plain_piece():
            yield piece
    finally:
        exchange.leave()
