"""Sends a request with a slash too many, or too few, to the path that exists."""

from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Match, Router
from starlette.types import Receive, Scope, Send


class RedirectSlashes:
    """Answers what no route matches: with a redirect (307), or that there is nothing (404).

    The router's own redirects are absolute: behind a proxy they lead to its host without TLS, or
    past its prefix. These are relative to the request, and right behind any proxy.

    Args:
        router: the routes; its `default` becomes this object, its own redirects are off.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        router.redirect_slashes = False
        router.default = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as an application of ASGI."""
        if scope["type"] == "http" and self._exists(scope):
            redirect = Response(status_code=307, headers={"Location": _location(scope)})
            await redirect(scope, receive, send)
        else:
            await self._router.not_found(scope, receive, send)

    def _exists(self, scope: Scope) -> bool:
        path: str = scope["path"]
        other = {**scope, "path": path[:-1] if path.endswith("/") else f"{path}/"}
        return any(route.matches(other)[0] is not Match.NONE for route in self._router.routes)


def _location(scope: Scope) -> str:
    """Returns the same path with a slash at its end, or without, relative to a request."""
    written: bytes = (scope.get("raw_path") or quote(scope["path"]).encode()).partition(b"?")[0]
    last = written.rstrip(b"/").rpartition(b"/")[2].decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    target = f"../{last}" if written.endswith(b"/") else f"./{last}/"
    return f"{target}?{query.decode('latin-1')}" if query else target
