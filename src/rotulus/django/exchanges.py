"""Asks the service of an app on an event loop of its own, for views with or without a loop."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, MutableMapping
from concurrent.futures import Future
from typing import Any

from asgiref.sync import sync_to_async

from rotulus._concurrency.starting import start_thread

Message = MutableMapping[str, Any]

_MOST_WAITING = 16
"""Pieces of a body that wait for the client: then the service waits."""


class Exchange:
    """A request to a service, and its answer.

    Attributes:
        status: the HTTP status.
        headers: the headers.
        whole: the body, if it came in one piece; None: it comes piece by piece.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, body: bytes) -> None:
        self.status = 500
        self.headers: dict[str, str] = {}
        self.whole: bytes | None = None
        self._loop = loop
        self._body: bytes | None = body
        self._pieces = asyncio.Queue[bytes](_MOST_WAITING)
        self._begun = asyncio.Event()
        self._left = asyncio.Event()

    async def run(self, service: Any, scope: dict[str, Any]) -> None:
        """Have the service answer. Runs on the loop of the service."""
        try:
            await service(scope, self._receive, self._send)
        finally:
            self._begun.set()
            if not self._left.is_set():
                await self._pieces.put(b"")

    async def begun(self) -> "Exchange":
        """Returns this when the status, the headers, and a body in one piece are there."""
        await self._begun.wait()
        return self

    async def piece(self) -> bytes:
        """Returns the next piece of the body, for a coroutine of another loop; empty: the end."""
        return await asyncio.wrap_future(self._next())

    def plain_piece(self) -> bytes:
        """Returns the next piece of the body, for a thread without a loop; empty: the end."""
        return self._next().result()

    def leave(self) -> None:
        """The client is gone: the service is told."""
        self._loop.call_soon_threadsafe(self._leave)

    def _next(self) -> Future[bytes]:
        return asyncio.run_coroutine_threadsafe(self._pieces.get(), self._loop)

    def _leave(self) -> None:
        self._left.set()
        while not self._pieces.empty():
            self._pieces.get_nowait()

    async def _receive(self) -> Message:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1"): text.decode("latin-1") for name, text in message["headers"]
            }
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if not more and not self._begun.is_set():
            self.whole = body
        self._begun.set()
        if body and self.whole is None and not self._left.is_set():
            await self._pieces.put(body)


class ServiceLoop:
    """A service of this process, on an event loop in a thread, begun at the first request.

    A process that is forked later begins its own.

    Args:
        begin: makes the service, and begins it.
    """

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._begin = begin
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._service: Any = None
        self._running = set[asyncio.Task[None]]()

    async def ask(self, scope: dict[str, Any], body: bytes) -> Exchange:
        """Returns the answer of the service as soon as it begins; on any loop."""
        loop = await sync_to_async(self._running_loop, thread_sensitive=False)()
        asked = asyncio.run_coroutine_threadsafe(self._ask(scope, body), loop)
        return await asyncio.wrap_future(asked)

    async def _ask(self, scope: dict[str, Any], body: bytes) -> Exchange:
        exchange = Exchange(asyncio.get_running_loop(), body)
        running = asyncio.create_task(exchange.run(self._service, scope))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return await exchange.begun()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                loop = asyncio.new_event_loop()
                start_thread(loop.run_forever, "rotulus-service")
                try:
                    begun = asyncio.run_coroutine_threadsafe(self._begin(), loop)
                    self._service = begun.result()
                except BaseException:
                    loop.call_soon_threadsafe(loop.stop)
                    raise
                self._loop, self._pid = loop, os.getpid()
            return self._loop
