"""What a supervisor and its processes say to each other, and a process's end of that line.

Downward come the digits `1`, stop, and `2`, hurry. Upward go beats, which say that the process
gets its turns, and an `r` when it retires and wants to be replaced. When there is nobody at the
other end, the supervisor is dead.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from rotulus._concurrency.starting import start_thread

BEAT = b"."
RETIRING = b"r"
MOST_STOPS = 9

_HURRY = 2
_FAREWELL = 15.0
"""Seconds that a process whose supervisor has died may take to end, before it is made to."""


def beat_every(lease: float) -> float:
    """Seconds between two beats of a process that holds leases of so many seconds."""
    return min(1.0, lease / 12)


class ParentChannel:
    """Hears what the supervisor of this process says, in a thread that no task can block.

    It goes on to the end of the process.

    Args:
        handle: the file descriptor that the supervisor has left open for this process.
        lease: the length of its leases, in seconds.
        stop: told how often the process has been told to stop by now.
    """

    def __init__(self, handle: int, lease: float, stop: Callable[[int], None]) -> None:
        os.set_inheritable(handle, False)  # it is no business of what tasks start
        self._socket = socket.socket(fileno=handle)
        self._socket.settimeout(beat_every(lease))
        self._stop = stop

    def start(self) -> None:
        """Begin. Raises `ThreadNotStartedError`."""
        start_thread(self._listen, "rotulus-parent")

    def tell_retiring(self, _event: object = None) -> None:
        """Ask to be replaced."""
        self._say(RETIRING)

    def _listen(self) -> None:
        self._say(BEAT)
        while (words := self._hear()) != b"":
            self._say(BEAT)
            if words:
                self._stop(max(map(int, words.decode())))
        self._stop(_HURRY)
        time.sleep(_FAREWELL)
        os._exit(1)

    def _hear(self) -> bytes | None:
        """What the supervisor says; None when it is silent, nothing when it is dead."""
        try:
            return self._socket.recv(64)
        except TimeoutError:
            return None
        except OSError:
            return b""

    def _say(self, word: bytes) -> None:
        with suppress(OSError):  # when nobody is there, that is heard next
            self._socket.send(word)
