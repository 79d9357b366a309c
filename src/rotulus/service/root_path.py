"""Serves an application below a path, whether or not a proxy removes that path."""

import re
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from rotulus.errors import OptionError

_PATH = re.compile(r"[^\s?#\\]*")

_OURS = ("/api/v1", "/console", "/health", "/metrics", "/docs", "/redoc", "/openapi.json")
"""Beginnings of paths of a service."""


class RootPath:
    """An application of ASGI below a path, for which a proxy stands in front of it.

    The proxy may remove the path from requests, or leave it on: both are understood, one request
    at a time.

    Args:
        application: the application.
        path: the path, as `read_root_path` returns it.
    """

    def __init__(self, application: ASGIApp, path: str) -> None:
        self._application = application
        self._path = path
        self._written = quote(path).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, as an application of ASGI."""
        if scope["type"] != "lifespan":
            scope = self._below(scope)
        await self._application(scope, receive, send)

    def _below(self, scope: Scope) -> dict[str, Any]:
        """Returns the scope of a request with the path on it."""
        path: str = scope["path"]
        if f"{path}/".startswith(f"{self._path}/"):
            return {**scope, "root_path": self._path}
        written = self._written + (scope.get("raw_path") or quote(path).encode())
        return {**scope, "root_path": self._path, "path": self._path + path, "raw_path": written}


def read_root_path(text: str) -> str:
    """Returns a path with a slash in front and none at its end; "" for that of a whole host.

    Raises:
        OptionError: the text is no path: it has spaces, a backslash, `?` or `#`, or names a host.
            Or paths of a service begin with it: nobody could tell whether a proxy has removed it.
    """
    if "//" in text or not _PATH.fullmatch(text):
        raise OptionError(f"The root path {text!r} is no path: write it like /jobs")
    inside = unquote(text).strip("/")
    path = f"/{inside}" if inside else ""
    for own in _OURS if path else ():
        if f"{own}/".startswith(f"{path}/") or f"{path}/".startswith(f"{own}/"):
            raise OptionError(
                f"The root path {text!r} is where the service has paths of its own ({own}): choose "
                f"another one, such as /jobs"
            )
    return path
