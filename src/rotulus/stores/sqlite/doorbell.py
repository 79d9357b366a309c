"""Wakes other threads and processes that wait for a change of the same file.

A listener binds a Unix datagram socket in a folder beside the file; whoever has changed something
sends one byte to each. A bell is a hint: where there are no such sockets, or one is full, the
listener finds out by itself a little later.
"""

import os
import selectors
import socket
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

from rotulus._forking import follow_forks

Kind = Literal["work", "done"]
KINDS: tuple[Kind, ...] = ("work", "done")

_LONGEST_PATH = 103
"""Bytes in the path of a socket on every Unix (macOS has the least)."""

_NAME = 12


class Listener(Protocol):
    """Waits for a bell."""

    @property
    def hears_everyone(self) -> bool:
        """False where others may change the file unheard: then it has to be looked at often."""
        ...

    def wait(self, timeout: float) -> bool:
        """Whether the bell rang within so many seconds."""
        ...


class Doorbell:
    """The bells of one file, or those of one process for a store in memory.

    Args:
        folder: where the sockets are; None for a store in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._in_memory = folder is None
        self._folder = folder if folder is not None and _has_room(folder) else None
        self._events: dict[threading.Event, Kind] = {}
        self._sender: socket.socket | None = None
        self._idle: dict[Kind, list[_SocketListener]] = {"work": [], "done": []}
        self._closed = False
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: leave the parent's listeners where they are."""
        self._events = {}
        for listeners in self._idle.values():
            while listeners:
                listeners.pop().leave()

    @contextmanager
    def listen(self, kind: Kind) -> Generator[Listener, None, None]:
        """Be woken by bells of a kind, from now until the end of the block.

        Where no socket can be had, by those of this process only.
        """
        listener = self._idle_or_new(kind)
        if listener is None:
            event = threading.Event()
            self._events[event] = kind
            try:
                yield _EventListener(event, hears_everyone=self._in_memory)
            finally:
                del self._events[event]
            return
        try:
            yield listener
        finally:
            self._idle[kind].append(listener)
            if self._closed:
                self.close()

    def _idle_or_new(self, kind: Kind) -> "_SocketListener | None":
        """A listener that nobody uses: making one costs more than most waits. None: there is none.

        There may be no descriptor left, or no right to write here.
        """
        if self._folder is None:
            return None
        with suppress(IndexError):
            listener = self._idle[kind].pop()
            listener.wait(0.0)  # forget what was rung when nobody listened
            return listener
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            return _SocketListener(self._folder / f"{uuid.uuid4().hex[:_NAME]}.{kind}")
        return None

    def ring(self, kind: Kind) -> None:
        """Wake everybody who listens to this kind; a listener that cannot be woken looks soon."""
        for event, wanted in list(self._events.items()):
            if wanted == kind:
                event.set()
        if self._folder is not None:
            with suppress(OSError):  # what is to be told has happened: nothing may come of it
                for name in os.listdir(self._folder):  # noqa: PTH208 - at every commit, so be quick
                    if name.endswith(kind):
                        self._ring_one(f"{self._folder}/{name}")

    def close(self) -> None:
        """Stop ringing, and wake the listeners of this process."""
        self._closed = True
        for event in list(self._events):
            event.set()
        for listeners in self._idle.values():
            while listeners:
                listeners.pop().close()
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def _ring_one(self, path: str) -> None:
        sender = self._sender  # another thread may close it meanwhile
        if sender is None:
            sender = self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sender.setblocking(False)
        try:
            sender.sendto(b"!", path)
        except ConnectionRefusedError:
            # Its listener was killed before it could take its socket away.
            with suppress(OSError):
                Path(path).unlink()
        except OSError:
            pass  # gone, or full: then it has been rung already


class _EventListener:
    def __init__(self, event: threading.Event, *, hears_everyone: bool) -> None:
        self._event = event
        self.hears_everyone = hears_everyone

    def wait(self, timeout: float) -> bool:
        rung = self._event.wait(timeout)
        self._event.clear()
        return rung


class _SocketListener:
    hears_everyone = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._bell.bind(str(path))
        except OSError:
            self._bell.close()
            raise
        self._bell.setblocking(False)
        # `select` takes no descriptor from 1,024 up, and epoll and kqueue need one more.
        self._ready = selectors.PollSelector()
        self._ready.register(self._bell, selectors.EVENT_READ)

    def wait(self, timeout: float) -> bool:
        if not self._ready.select(timeout):
            return False
        with suppress(BlockingIOError):
            while self._bell.recv(16):
                pass
        return True

    def leave(self) -> None:
        self._bell.close()

    def close(self) -> None:
        self._bell.close()
        self._path.unlink(missing_ok=True)


def _has_room(folder: Path) -> bool:
    longest = len(os.fsencode(folder)) + len("/.work") + _NAME
    return hasattr(socket, "AF_UNIX") and longest <= _LONGEST_PATH
