"""The main loop of the fork server: forks task processes on request, kills them, reaps them."""

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

FORK, KILL, END = b"f", b"k", b"e"
COMMAND = struct.Struct("!cI")
"""A command of the worker: a verb and the number of a task process. `FORK` brings a socket."""

REPORT = struct.Struct("!Iii")
"""A report of the fork server: the number of a task process, its exit code, and an errno if it
could not be forked."""

_TEAR_DOWN_TIMEOUT = 1.0
"""Seconds for idle task processes to tear down what they hold, when the worker ends."""

_IGNORED = (signal.SIGINT, signal.SIGTERM)
"""Signals that may reach every process of a group: only the worker acts on them."""

_DEFAULT_HANDLERS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class ForkServerProcess:
    """Forks task processes on request; it ends with its worker, and they with it.

    Args:
        channel: the socket to the worker.
        worker: the process of the worker.
        main: the main function of a task process, given its end of a socket.
    """

    def __init__(
        self, channel: socket.socket, worker: int, main: Callable[[socket.socket], None]
    ) -> None:
        self._channel = channel
        self._worker = worker
        self._main = main
        self._numbers: dict[int, int] = {}
        self._deadline: float | None = None
        self._wakeups, self._waker = socket.socketpair()

    def run(self) -> None:
        """Serve the worker until it ends or dies; no task process lives longer."""
        self._set_up()
        try:
            self._serve_commands()
        finally:
            self._kill_all()

    def _serve_commands(self) -> None:
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(self._wakeups, select.POLLIN)
        while not self._is_over():
            for handle, _ in poll.poll(self._poll_timeout()):
                if handle == self._wakeups.fileno():
                    self._wakeups.recv(4096)
                    self._reap()
                elif not self._execute_command():
                    poll.unregister(self._channel)

    def _set_up(self) -> None:
        """Let signals wake the loop, and keep memory shared with task processes while it can be."""
        os.setpgid(0, 0)  # a kill of the worker's group leaves us to clean up
        for end in (self._wakeups, self._waker):
            end.setblocking(False)
        for number in (*_IGNORED, signal.SIGCHLD):
            signal.signal(number, _nothing)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
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

    def _poll_timeout(self) -> float | None:
        """Returns for how many milliseconds to wait; None: for as long as it takes."""
        if self._deadline is None:
            return None
        return max(0.0, 1000 * (self._deadline - time.monotonic())) + 1

    def _execute_command(self) -> bool:
        """Execute the next command of the worker; False when there are no more."""
        try:
            command, sockets, _, _ = socket.recv_fds(self._channel, COMMAND.size, 1)
        except ConnectionResetError:  # it died with a report unread
            command, sockets = b"", []
        if len(command) < COMMAND.size:
            self._deadline = time.monotonic()
            return False
        verb, number = COMMAND.unpack(command)
        match verb:
            case b"f" if not sockets:  # there was no descriptor left for it
                self._report(number, 0, errno.EMFILE)
            case b"f":
                self._fork(number, socket.socket(fileno=sockets[0]))
            case b"k":
                self._kill([pid for pid, known in self._numbers.items() if known == number])
            case _:
                self._deadline = time.monotonic() + _TEAR_DOWN_TIMEOUT
        return True

    def _fork(self, number: int, end: socket.socket) -> None:
        fork_server = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            end.close()
            self._report(number, 0, error.errno or 1)
            return
        if pid == 0:
            only(lambda: self._become_task_process(fork_server, end))
        end.close()
        with suppress(OSError):  # it has done so itself, or is dead already
            os.setpgid(pid, pid)
        self._numbers[pid] = number

    def _become_task_process(self, fork_server: int, end: socket.socket) -> None:
        """In a task process: keep nothing of the fork server's, and die with it."""
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        for ours in (self._channel, self._wakeups, self._waker):
            ours.close()
        die_with_parent(fork_server, signal.SIGKILL)
        volunteer()
        with children_handle(_DEFAULT_HANDLERS):  # in what a task forks
            self._main(end)

    def _reap(self) -> None:
        for pid in list(self._numbers):
            # Looked at first and reaped later: until then, no other process can get its number.
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
            self._channel.sendall(REPORT.pack(number, code, error))


def _nothing(_number: int, _frame: object) -> None:
    """A handler, and not SIG_IGN, which programs that a task starts would inherit."""
