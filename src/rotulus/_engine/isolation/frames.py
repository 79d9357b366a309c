"""The line between a worker and a task process: messages as frames of JSON on a socket."""

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
    """One end of a line.

    Args:
        hear: told the kind of each message, and its values.
        hung_up: called once, when the other end is gone.
    """

    def __init__(
        self, hear: Callable[[str, Sequence[Any]], object], hung_up: Callable[[], object]
    ) -> None:
        self._hear = hear
        self._hung_up = hung_up
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._unsaid = bytearray()
        self._over = False

    def open(self, end: socket.socket) -> "asyncio.Task[Any]":
        """Speak and hear on this socket from now on; what is said sooner is not lost."""
        loop = asyncio.get_running_loop()
        self._opening = loop.create_task(loop.create_connection(lambda: self, sock=end))
        return self._opening

    def say(self, kind: str, *values: object) -> None:
        """Send a message; one that cannot arrive any more is lost."""
        frame = pydantic_core.to_json([kind, *values])
        self._unsaid += _HEAD.pack(len(frame)) + frame
        self._send()

    def hang_up(self) -> None:
        """Say and hear no more."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop has taken the socket."""
        self._transport = cast("asyncio.Transport", transport)
        if self._over:
            self._transport.abort()
        self._send()

    def data_received(self, data: bytes) -> None:
        """The event loop has read something."""
        self._received += data
        while len(self._received) >= _HEAD.size:
            end = _HEAD.size + _HEAD.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            kind, *values = pydantic_core.from_json(bytes(self._received[_HEAD.size : end]))
            del self._received[:end]
            self._hear(kind, values)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio asks
        """The other end is gone, or we have hung up."""
        self._hung_up()

    def _send(self) -> None:
        if self._transport is not None:
            if not self._transport.is_closing():
                self._transport.write(bytes(self._unsaid))
            self._unsaid.clear()


def read_outcome(values: Sequence[Any]) -> Outcome:
    """The outcome that was sent as these values."""
    sent = Outcome._make(values)
    return sent._replace(
        state=State(sent.state),
        error=None if sent.error is None else ErrorInfo(*sent.error),
        until=None if sent.until is None else datetime.fromisoformat(str(sent.until)),
    )
