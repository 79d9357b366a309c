"""`/console`: the page of the console and its files."""

from types import MappingProxyType
from urllib.parse import unquote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from rotulus.console.files import ConsoleFile, ConsoleFiles
from rotulus.service.guard import ResourceRouter

_FILES = ConsoleFiles()
_USUAL = "/console"

_FIRST = MappingProxyType({"jobs": ("me", "jobs?limit=100")})
"""What screens read first, by their path, if their address has no filters; others: who looks."""


def make_console_router(prefix: str = _USUAL, api: str = "/api/v1") -> APIRouter:
    """Returns the routes of the console, for `app.include_router(...)`.

    The console steers an app over its HTTP API, so the resources have to be served beside it:
    `ServiceBuilder.with_resources()` does that. All addresses are relative: it works under any
    mount and behind any proxy.

    Args:
        prefix: where the console is.
        api: where the API is, in the same application.
    """
    place = prefix.rstrip("/")
    router = ResourceRouter(_USUAL, place, ["console"], include_in_schema=False)
    api_from_here = f"{'../' * place.count('/')}{api.strip('/')}/"

    @router.get("")
    async def enter() -> Response:
        return RedirectResponse(f"{place.rpartition('/')[2]}/", status_code=308)

    @router.get("/{path:path}")
    async def show(request: Request, path: str) -> Response:
        asset = _FILES.assets.get(path)
        if asset is not None:
            return _answer(request, asset)
        if path.startswith("assets/"):  # of another version: no page is a script
            return Response(status_code=404)
        reads = ("me",) if request.url.query else _FIRST.get(path, ("me",))
        return _answer(request, _FILES.page(api_from_here, _depth(request, path), reads))

    return router


def _depth(request: Request, path: str) -> int:
    """Returns the slashes in the path of a screen, as the browser counts them: %2F is none."""
    raw = request.scope.get("raw_path") or b""
    parts = raw.decode("latin-1").split("/")
    for start in range(len(parts)):
        if unquote("/".join(parts[start:])) == path:
            return len(parts) - start - 1
    return path.count("/")


def _answer(request: Request, file: ConsoleFile) -> Response:
    headers = {
        **file.headers,
        "Cache-Control": file.cache_control,
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
    }
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = file.zipped, "gzip"
    return Response(content, headers=headers, media_type=file.media_type)
