"""The protocol between a worker and a task process: frames of JSON on a socket."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

import pydantic_core

from rotulus._jobs.outcome import ErrorInfo, Outcome
from rotulus._jobs.states import State

_HEAD = struct.Struct("!I")


class FrameStream(asyncio.Protocol):
    """One end of the socket between a worker and a task process.

    Args:
        on_message: called with the kind of each message, and its values.
        on_closed: called once, when the other end is gone.
    """

    def __init__(
        self, on_message: Callable[[str, Sequence[Any]], object], on_closed: Callable[[], object]
    ) -> None:
        self._on_message = on_message
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._unsent = bytearray()
        self._closed = False

    def open(self, end: socket.socket) -> "asyncio.Task[Any]":
        """Use this socket from now on; messages that were sent before are not lost."""
        loop = asyncio.get_running_loop()
        self._opening = loop.create_task(loop.create_connection(lambda: self, sock=end))
        return self._opening

    def send(self, kind: str, *values: object) -> None:
        """Send a message; one that cannot arrive any more is lost."""
        frame = pydantic_core.to_json([kind, *values])
        self._unsent += _HEAD.pack(len(frame)) + frame
        self._flush()

    def close(self) -> None:
        """Send and receive no more."""
        self._closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop has taken the socket."""
        self._transport = cast("asyncio.Transport", transport)
        if self._closed:
            self._transport.abort()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """The event loop has read something."""
        self._received += data
        while len(self._received) >= _HEAD.size:
            end = _HEAD.size + _HEAD.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            kind, *values = pydantic_core.from_json(bytes(self._received[_HEAD.size : end]))
            del self._received[:end]
            self._on_message(kind, values)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio asks
        """The other end is gone, or this one has been closed."""
        self._on_closed()

    def _flush(self) -> None:
        if self._transport is not None:
            if not self._transport.is_closing():
                self._transport.write(bytes(self._unsent))
            self._unsent.clear()


def read_outcome(values: Sequence[Any]) -> Outcome:
    """Returns the outcome that was sent as these values."""
    sent = Outcome._make(values)
    return sent._replace(
        state=State(sent.state),
        error=None if sent.error is None else ErrorInfo(*sent.error),
        until=None if sent.until is None else datetime.fromisoformat(str(sent.until)),
    )
