"""The protocol between a supervisor and its processes, and a process's end of the channel.

The supervisor sends the digits `1`, stop, and `2`, hurry. A process sends beats, which say that
its threads run, an `r` when it retires and is to be replaced, and a `d` when it is drained and is
not. When the other end is closed, the supervisor is dead.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from rotulus._concurrency.starting import start_thread
from rotulus.events import WorkerRetiring

BEAT = b"."
RETIRING = b"r"
DRAINED = b"d"
MOST_STOPS = 9

_HURRY = 2
_CLOSE_TIMEOUT = 15.0
"""Seconds for a process to end after the death of its supervisor, before it is killed."""


def beat_every(lease: float) -> float:
    """Seconds between two beats of a process that holds leases of so many seconds."""
    return min(1.0, lease / 12)


class ParentChannel:
    """Receives what the supervisor of this process sends, in a thread that no task can block.

    It goes on to the end of the process.

    Args:
        handle: the file descriptor that the supervisor has left open for this process.
        lease: the length of its leases, in seconds.
        stop: told how often the process has been told to stop by now.
    """

    def __init__(self, handle: int, lease: float, stop: Callable[[int], None]) -> None:
        os.set_inheritable(handle, False)  # programs that tasks start must not have it
        self._socket = socket.socket(fileno=handle)
        self._socket.settimeout(beat_every(lease))
        self._stop = stop

    def start(self) -> None:
        """Begin. Raises `ThreadNotStartedError`."""
        start_thread(self._listen, "rotulus-parent")

    def tell_retiring(self, event: WorkerRetiring) -> None:
        """Ask to be replaced, unless the process was drained."""
        self._send(DRAINED if event.drained else RETIRING)

    def _listen(self) -> None:
        self._send(BEAT)
        while (words := self._receive()) != b"":
            self._send(BEAT)
            if words:
                self._stop(max(map(int, words.decode())))
        self._stop(_HURRY)
        time.sleep(_CLOSE_TIMEOUT)
        os._exit(1)

    def _receive(self) -> bytes | None:
        """Returns what the supervisor sends; None when it is silent, nothing when it is dead."""
        try:
            return self._socket.recv(64)
        except TimeoutError:
            return None
        except OSError:
            return b""

    def _send(self, word: bytes) -> None:
        with suppress(OSError):  # a closed channel is noticed by what is received next
            self._socket.send(word)
