"""Inside the fork server: one loop that forks task processes, kills them and reaps them."""

import errno
import gc
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

from rotulus._engine.isolation.system import die_with_parent, only, volunteer
from rotulus._forking import children_handle

BEAR, KILL, END = b"b", b"k", b"e"
COMMAND = struct.Struct("!cI")
"""What the worker says: a verb and the number of a task process. With `BEAR` comes a socket."""
REPORT = struct.Struct("!Iii")
"""What the fork server says: the number of a task process, its exit code, why it did not fork."""

_PATIENCE = 1.0
"""Seconds for idle task processes to tear down what they hold, when the worker ends."""

_LEFT_ALONE = (signal.SIGINT, signal.SIGTERM)
"""Signals that may reach every process of a group: what they mean is for the worker to decide."""

_USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class ForkServerProcess:
    """Forks task processes on request; when its worker ends, they end with it, and so does this.

    Args:
        line: the socket to the worker.
        worker: the process of the worker.
        live: what a task process does, given its end of a line.
    """

    def __init__(
        self, line: socket.socket, worker: int, live: Callable[[socket.socket], None]
    ) -> None:
        self._line = line
        self._worker = worker
        self._live = live
        self._numbers: dict[int, int] = {}
        self._deadline: float | None = None
        self._bell, self._ringer = socket.socketpair()

    def run(self) -> None:
        """Keep task processes until the worker ends, or dies; none of them lives longer."""
        self._settle_in()
        try:
            self._keep()
        finally:
            self._kill_all()

    def _keep(self) -> None:
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        poll.register(self._bell, select.POLLIN)
        while not self._is_over():
            for handle, _ in poll.poll(self._wait()):
                if handle == self._bell.fileno():
                    self._bell.recv(4096)
                    self._reap()
                elif not self._obey():
                    poll.unregister(self._line)

    def _settle_in(self) -> None:
        """Let signals wake the loop, and keep memory shared with task processes while it can be."""
        os.setpgid(0, 0)  # who kills the worker's group leaves us to clean up
        for end in (self._bell, self._ringer):
            end.setblocking(False)
        for number in (*_LEFT_ALONE, signal.SIGCHLD):
            signal.signal(number, _nothing)
        signal.set_wakeup_fd(self._ringer.fileno(), warn_on_full_buffer=False)
        # A terminal stops a process that reads from it in the background, as task processes would.
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        gc.freeze()
        die_with_parent(self._worker, signal.SIGTERM)

    def _is_over(self) -> bool:
        if os.getppid() != self._worker:
            return True
        if self._deadline is None:
            return False
        return not self._numbers or time.monotonic() > self._deadline

    def _wait(self) -> float | None:
        """Milliseconds."""
        if self._deadline is None:
            return None
        return max(0.0, 1000 * (self._deadline - time.monotonic())) + 1

    def _obey(self) -> bool:
        """Do what the worker says; False when it says no more."""
        try:
            command, sockets, _, _ = socket.recv_fds(self._line, COMMAND.size, 1)
        except ConnectionResetError:  # it died with a report unread
            command, sockets = b"", []
        if len(command) < COMMAND.size:
            self._deadline = time.monotonic()
            return False
        verb, number = COMMAND.unpack(command)
        match verb:
            case b"b" if not sockets:  # there was no descriptor left for it
                self._report(number, 0, errno.EMFILE)
            case b"b":
                self._bear(number, socket.socket(fileno=sockets[0]))
            case b"k":
                self._kill([pid for pid, known in self._numbers.items() if known == number])
            case _:
                self._deadline = time.monotonic() + _PATIENCE
        return True

    def _bear(self, number: int, end: socket.socket) -> None:
        fork_server_process = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            end.close()
            self._report(number, 0, error.errno or 1)
            return
        if pid == 0:
            only(lambda: self._become_cell(fork_server_process, end))
        end.close()
        with suppress(OSError):  # it has done so itself, or is dead already
            os.setpgid(pid, pid)
        self._numbers[pid] = number

    def _become_cell(self, fork_server_process: int, end: socket.socket) -> None:
        """In a task process: hold nothing of the nursery's, and die with it."""
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        for ours in (self._line, self._bell, self._ringer):
            ours.close()
        die_with_parent(fork_server_process, signal.SIGKILL)
        volunteer()
        with children_handle(_USUAL):  # in what a task forks
            self._live(end)

    def _reap(self) -> None:
        for pid in list(self._numbers):
            # Looked at first and reaped later: until then, nobody else can get its number.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            self._kill([pid])
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            self._report(self._numbers.pop(pid), code, 0)

    def _kill(self, pids: list[int]) -> None:
        """Kill task processes, with everything they have started that is still in their group."""
        for pid in pids:
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        self._kill(list(self._numbers))
        for pid in self._numbers:
            os.waitpid(pid, 0)

    def _report(self, number: int, code: int, error: int) -> None:
        with suppress(OSError):  # the worker is gone
            self._line.sendall(REPORT.pack(number, code, error))


def _nothing(_number: int, _frame: object) -> None:
    """A handler, and not SIG_IGN, which programs that a task starts would inherit."""
