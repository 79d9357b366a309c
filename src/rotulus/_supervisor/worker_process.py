"""A worker process, as its supervisor sees it: start it, hear its heartbeat, stop it."""

import asyncio
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from rotulus._concurrency.starting import start_thread
from rotulus._supervisor.parent_channel import DRAINED, MOST_STOPS, RETIRING
from rotulus._supervisor.proc import is_running


class WorkerProcess:
    """A worker in a process of its own. Make it on the event loop.

    It is a new program, not a fork, and in a process group of its own: Ctrl-C reaches only the
    supervisor, which forwards it.

    Args:
        command: the words of the command; its name and its end of the channel are added.
        name: the worker's name.
        monotonic: the clock, in seconds.

    Attributes:
        name: the worker's name.
        pid: its process.
        started_at: when it was started, by the clock.
        heard_at: when it was heard last; None before the first time.
        code: its exit code, or minus the signal that killed it; None while it is there.
        drained: whether it was drained, so that no other one takes its place.
        replaceable: set when it has ended, and already when it retires.
        ended: set when it has ended.

    Raises:
        OSError: the system refuses to start it.
        ThreadNotStartedError: it refuses the thread that waits for its end.
    """

    def __init__(self, command: Sequence[str], name: str, monotonic: Callable[[], float]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            words = [*command, "--name", name, "--parent", str(theirs.fileno())]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    words,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    process_group=0,
                )
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        self.name = name
        self.pid = self._process.pid
        self.started_at = monotonic()
        self.heard_at: float | None = None
        self.code: int | None = None
        self.drained = False
        self.replaceable = asyncio.Event()
        self.ended = asyncio.Event()
        self._channel = ours
        self._monotonic = monotonic
        self._loop = asyncio.get_running_loop()
        try:
            start_thread(self._wait_for_end, f"rotulus-{self.pid}")
        except BaseException:
            ours.close()
            self._process.kill()
            self._process.wait()
            raise
        self._loop.add_reader(ours, self._receive)

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return self._monotonic() - self.started_at

    @property
    def is_running(self) -> bool:
        """Whether it is there and not stopped, as SIGSTOP does that."""
        return is_running(self.pid)

    def tell_stop(self, times: int) -> None:
        """Send the number of stop requests so far."""
        with suppress(OSError):  # it has ended
            self._channel.send(b"%d" % min(times, MOST_STOPS))

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self._process.kill()

    def close(self) -> None:
        """Close the channel: the process gives back the jobs that it holds, and ends."""
        self._loop.remove_reader(self._channel)
        self._channel.close()

    def _wait_for_end(self) -> None:
        code = self._process.wait()
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._end, code)

    def _end(self, code: int) -> None:
        self._receive()  # what it has said last
        self.code = code
        self.close()
        self.ended.set()
        self.replaceable.set()

    def _receive(self) -> None:
        try:
            words = self._channel.recv(4096)
        except OSError:
            words = b""
        if not words:
            self._loop.remove_reader(self._channel)
            return
        self.heard_at = self._monotonic()
        self.drained = self.drained or DRAINED in words
        if RETIRING in words:
            self.replaceable.set()
