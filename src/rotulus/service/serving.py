"""Runs a service on a port of this machine, for `rotulus serve`."""

import signal
import socket
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from rotulus import App
from rotulus.errors import ConfigurationError
from rotulus.service.auth import Auth, auth_of_settings
from rotulus.service.builder import ServiceBuilder
from rotulus.service.local import is_local
from rotulus.service.protection import GuardMiddleware, protect
from rotulus.service.root_path import RootPath, read_root_path
from rotulus.service.state import ServiceInfo, ServiceState

_GOODBYE = 5
"""Seconds for open answers to end when the server stops; streams have no end of their own."""


def service_of(app: App, *, worker: bool = False) -> FastAPI:
    """Returns a service of an app with every feature: tasks, jobs, artifacts, health and metrics.

    Args:
        app: the app.
        worker: whether a worker runs in the same process.
    """
    builder = (
        ServiceBuilder(info=ServiceInfo(display_name="Rotulus"), app=app)
        .with_landing_page()
        .with_console()
        .with_health()
        .with_system()
        .with_metrics()
        .with_jobs()
        .with_artifacts()
        .with_resources()
        .with_tasks()
    )
    return (builder.with_worker() if worker else builder).build()


def serve(
    application: Any, host: str, port: int, tell: Callable[[str], None], *, root_path: str = ""
) -> None:
    """Serve an application until SIGTERM or SIGINT.

    An unprotected application is protected here, with the token of `ROTULUS_TOKEN` if it is set.

    Args:
        application: an ASGI application.
        host: the address or name to listen at; without auth only a loopback one.
        port: the port; 0 for any that is free.
        tell: called with the URL once the service can be reached.
        root_path: the path below which a proxy has the application, which the proxy may remove from
            requests or leave on: `/jobs`. Unless given, it has all paths of its host.

    Raises:
        ConfigurationError: the address is not this machine's own and there is no auth; the port
            cannot be had; or the application did not start.
        OptionError: the root path is no path.
    """
    below = read_root_path(root_path)
    application, auth = _guarded(application)
    if auth is None and not is_local(host):
        _insist_on_tokens(application, host)
    with _listen(host, port) as listening:
        name = f"[{host}]" if ":" in host else host
        tell(f"http://{name}:{listening.getsockname()[1]}{quote(below)}")
        config = uvicorn.Config(
            RootPath(application, below) if below else application,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GOODBYE,
        )
        server = uvicorn.Server(config)
        stopped = _stop_by_signals(server)
        server.run(sockets=[listening])
    if not server.started and not stopped:
        raise ConfigurationError("The application did not start: the log says why")


def _insist_on_tokens(application: Any, host: str) -> None:
    """Have callers asked for a stored token. Raises `ConfigurationError` without a valid one."""
    state = getattr(getattr(application, "state", None), "rotulus", None)
    tokens = None if state is None else cast("ServiceState", state).tokens
    if tokens is None or not tokens.any_valid():
        raise ConfigurationError(
            f"{host} can be reached from other machines, and this service has no token and no "
            f"auth: add a token with 'rotulus token add NAME', set ROTULUS_TOKEN, give --token, or "
            f"call rotulus.service.protect(app, Auth(dependency=...)). Or listen at 127.0.0.1"
        )
    tokens.ask()


def _stop_by_signals(server: uvicorn.Server) -> list[int]:
    """Let signals stop a server, which is no failure. Returns the signals that came.

    A running server has handlers of its own, and raises the signal once more at the end.
    """
    came: list[int] = []

    def stop(number: int, _frame: object) -> None:
        came.append(number)
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return came


def _guarded(application: Any) -> tuple[Any, Auth | None]:
    """Returns the application, with a guard if it had none, and the auth of the guard."""
    if not isinstance(application, FastAPI):
        auth = auth_of_settings()
        return GuardMiddleware(application, auth, None), auth
    guards = [one for one in application.user_middleware if one.cls is GuardMiddleware]
    if guards:
        return application, cast("Auth | None", guards[0].kwargs["auth"])
    protect(application)
    return application, auth_of_settings()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found_addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # Of several, the IPv4 one: most programs mean it by localhost.
        family, kind, protocol, _, address = min(found_addresses, key=_is_ipv6)
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"{host} is no address of this machine: {error}") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(2048)
    except (OSError, OverflowError) as error:
        found.close()
        raise ConfigurationError(
            f"Cannot listen at {host}, port {port}: {error}. Choose another one with --port"
        ) from None
    return found


def _is_ipv6(address: tuple[Any, ...]) -> bool:
    return address[0] == socket.AF_INET6
