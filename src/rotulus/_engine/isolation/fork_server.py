"""The fork server, seen from its worker: asked to fork task processes, it tells how they ended."""

import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress

from rotulus._engine.isolation.fork_server_process import (
    BEAR,
    COMMAND,
    END,
    KILL,
    REPORT,
    ForkServerProcess,
)
from rotulus._engine.isolation.system import only

_FAREWELL = 3.0
"""Seconds for the fork server to end when it is told to."""

Live = Callable[[socket.socket], None]
"""What a task process does, given its end of the line."""


class ForkServer:
    """Starts the process that forks task processes, and speaks with it.

    Make one before there are other threads: a lock that one of them holds at that moment stays
    locked in every task process.

    Args:
        live: what a task process does; the task process ends when this returns.

    Attributes:
        pid: the process.
        gone: whether it has died by itself; then so have all its task processes.
    """

    def __init__(self, live: Live) -> None:
        _flush()
        self._socket, theirs = socket.socketpair()
        parent = os.getpid()
        self.gone = False
        self.pid = _fork()
        if self.pid == 0:
            self._socket.close()
            only(ForkServerProcess(theirs, parent, live).run)
        theirs.close()
        self._rest = b""

    def fileno(self) -> int:
        """To be watched: when there is something to read, there are `reports`."""
        return self._socket.fileno()

    def bear(self, number: int) -> socket.socket:
        """Fork a task process, to be known by this number; our end of the line to it."""
        ours, theirs = socket.socketpair()
        with theirs, suppress(OSError):  # gone: then nobody is at the other end
            socket.send_fds(self._socket, [COMMAND.pack(BEAR, number)], [theirs.fileno()])
        return ours

    def kill(self, number: int) -> None:
        """Kill a task process, with all it has started; one that is dead already stays so."""
        with suppress(OSError):
            self._socket.send(COMMAND.pack(KILL, number))

    def reports(self) -> Iterator[tuple[int, int, int]]:
        """The task processes that have ended: number, exit code (or minus a signal), and errno.

        An errno says that the task process could not be forked at all.
        """
        try:
            read = self._socket.recv(4096)
        except ConnectionResetError:  # it died with a command unread
            read = b""
        self.gone = not read
        self._rest += read
        whole = len(self._rest) - len(self._rest) % REPORT.size
        done, self._rest = self._rest[:whole], self._rest[whole:]
        yield from REPORT.iter_unpack(done)

    def close(self) -> None:
        """Let the task processes end, kill those that do not, and end the process."""
        self._socket.settimeout(_FAREWELL)
        with suppress(OSError):
            self._socket.send(COMMAND.pack(END, 0))
            while self._socket.recv(4096):
                pass
        self._socket.close()
        with suppress(ProcessLookupError, ChildProcessError):  # somebody else has reaped it
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of a fork beside other threads; whoever makes a fork server tells of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _flush() -> None:
    """What is printed and not written yet must not be written twice."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # anything may stand there, or nothing
            stream.flush()
