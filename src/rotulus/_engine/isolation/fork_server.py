"""The fork server, as its worker sees it: forks and kills task processes, reports their ends."""

import os
import signal
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress

from rotulus._engine.isolation.fork_server_process import (
    COMMAND,
    END,
    FORK,
    KILL,
    REPORT,
    ForkServerProcess,
)
from rotulus._engine.isolation.system import flush_output, only

_CLOSE_TIMEOUT = 3.0
"""Seconds for the fork server to end when it is told to."""

Main = Callable[[socket.socket], None]
"""The main function of a task process, given its end of the socket to the worker."""


class ForkServer:
    """Starts the process that forks task processes, and sends it commands.

    It has to be made before there are other threads: a lock that one of them holds at that moment
    stays locked in every task process.

    Args:
        main: the main function of a task process, which ends when this returns.

    Attributes:
        pid: the process.
        gone: whether it has died by itself, and all its task processes with it.
    """

    def __init__(self, main: Main) -> None:
        flush_output()  # or the fork would write it once more
        self._socket, theirs = socket.socketpair()
        parent = os.getpid()
        self.gone = False
        self.pid = _fork()
        if self.pid == 0:
            self._socket.close()
            only(ForkServerProcess(theirs, parent, main).run)
        theirs.close()
        self._unread = b""

    def fileno(self) -> int:
        """Returns the file descriptor to watch: when it is readable, there are `reports`."""
        return self._socket.fileno()

    def fork(self, number: int) -> socket.socket:
        """Fork a task process, known by this number; returns our end of the socket to it."""
        ours, theirs = socket.socketpair()
        with theirs, suppress(OSError):  # gone: then the other end is closed
            socket.send_fds(self._socket, [COMMAND.pack(FORK, number)], [theirs.fileno()])
        return ours

    def kill(self, number: int) -> None:
        """Kill a task process with everything that it has started; a dead one is left alone."""
        with suppress(OSError):
            self._socket.send(COMMAND.pack(KILL, number))

    def reports(self) -> Iterator[tuple[int, int, int]]:
        """Returns the task processes that have ended: number, exit code or minus a signal, errno.

        An errno says that the task process could not be forked at all.
        """
        try:
            read = self._socket.recv(4096)
        except ConnectionResetError:  # it died with a command unread
            read = b""
        self.gone = not read
        self._unread += read
        whole = len(self._unread) - len(self._unread) % REPORT.size
        done, self._unread = self._unread[:whole], self._unread[whole:]
        yield from REPORT.iter_unpack(done)

    def close(self) -> None:
        """Let the task processes end, kill those that do not, and end the process."""
        self._socket.settimeout(_CLOSE_TIMEOUT)
        with suppress(OSError):
            self._socket.send(COMMAND.pack(END, 0))
            while self._socket.recv(4096):
                pass
        self._socket.close()
        with suppress(ProcessLookupError, ChildProcessError):  # it has been reaped elsewhere
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of a fork beside other threads; the caller of this tells of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
