"""The log of requests: a line for each answer, with an id by which the answer is found."""

import logging
import re
import sys
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("rotulus.service.requests")

_HEADER = b"x-request-id"
_ID = re.compile(rb"[\w.:-]{1,128}")
"""The characters of a client's own id that are kept: none that could break a line."""


class RequestLog:
    """Logs each request to `rotulus.service.requests`: method, path, status, milliseconds, id.

    The id is the client's own `X-Request-ID`, if there is one, and stands in the answer, too. The
    query is left out: it may hold secrets. Each record has its data as
    `record.rotulus`, a dict.

    Args:
        app: the application behind the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, begun, status = _id_of(scope), perf_counter(), 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _put(message, request_id)
            await send(message)

        try:
            await self._app(scope, receive, tell)
        finally:
            _log(scope, status, (perf_counter() - begun) * 1000, request_id.decode())


def set_up_logging() -> None:
    """Log to stderr at INFO if no handler has been set up."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    logging.getLogger("rotulus").setLevel(logging.INFO)


def _id_of(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == _HEADER and _ID.fullmatch(value):
            return value
    return uuid4().hex.encode()


def _put(message: MutableMapping[str, Any], request_id: bytes) -> None:
    message["headers"] = [*message.get("headers", ()), (_HEADER, request_id)]


def _log(scope: Scope, status: int, milliseconds: float, request_id: str) -> None:
    data = {"event": "request", "method": scope["method"], "path": scope["path"]}
    data |= {"status": status, "milliseconds": round(milliseconds, 1), "request": request_id}
    logger.info(
        "%s %r %d in %.1f ms (%s)",
        scope["method"],
        scope["path"],
        status,
        milliseconds,
        request_id,
        extra={"rotulus": data},
    )
