"""Server-sent events: the text of an event, the answer that sends them, and how many are open."""

import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from rotulus._forking import follow_forks
from rotulus.service.problems import ProblemError, answered
from rotulus.service.state import app_of

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

KEEPALIVE = 15.0
"""Seconds of silence after which a comment is sent, which keeps proxies from ending the stream."""

STILL_HERE = ": still here\n\n"
"""That comment."""

RETRY = "retry: 2000\n\n"
"""The beginning of a stream: the milliseconds after which a client should connect again."""

_RETRY_AFTER = "10"


def event(number: int | str, kind: str, data: Mapping[str, Any]) -> str:
    """Returns the text of an event.

    Args:
        number: its id, which a client that comes back sends as `Last-Event-ID`.
        kind: its type.
        data: its data, as JSON data.
    """
    # JSON has no line feeds, so one line of data is enough.
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"


class OpenStreams:
    """The streams that a process has open, of every kind together."""

    def __init__(self) -> None:
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        self._lock = threading.Lock()
        self._open = 0

    @property
    def count(self) -> int:
        """How many are open."""
        return self._open

    @contextmanager
    def one_more(self, most: int) -> Generator[None, None, None]:
        """Have one more open in a block. Raises `ProblemError` (503) if there are too many then.

        Args:
            most: how many may be open, this one included.
        """
        with self._lock:
            if self._open >= most:
                raise _too_many(most)
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1


OPEN_STREAMS = OpenStreams()
"""The streams of this process."""


def most_streams(request: Request) -> int:
    """Returns how many streams the process of a request may have open. Raises `NoAppError`."""
    most: int = app_of(request).settings["streams"].value
    return most


class EventStream(StreamingResponse):
    """An answer that sends events until they end, or the client goes away.

    It begins with the first event: an error before that is answered with a problem document.
    Nothing is left of it when the client goes away, as the generator is closed then.

    Args:
        events: the texts to send.
        most: how many streams this process may have open.
    """

    def __init__(self, events: AsyncGenerator[str, None], most: int) -> None:
        super().__init__(events, headers=HEADERS, media_type=MEDIA_TYPE)
        self._events = events
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        async with AsyncExitStack() as stack:

            async def begin(_: Request) -> Response:
                stack.enter_context(OPEN_STREAMS.one_more(self._most))
                await stack.enter_async_context(aclosing(self._events))
                told = _all(await anext(self._events), self._events)
                return StreamingResponse(told, headers=HEADERS, media_type=MEDIA_TYPE)

            answer = await answered(begin)(Request(scope, receive))
            with suppress(ClientDisconnect):  # some servers tell it so
                await answer(scope, receive, send)


async def _all(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for text in rest:
        yield text


def _too_many(most: int) -> ProblemError:
    return ProblemError(
        503,
        "too_many_streams",
        "Too many streams are open",
        f"This process has {most} streams open, which is as many as it may have.",
        hint="Try again later, or have more with ROTULUS_STREAMS.",
        headers={"Retry-After": _RETRY_AFTER},
    )
