"""The process pool of a worker: runs isolated attempts, also when their process dies."""

import asyncio
import itertools
import socket
from collections.abc import Callable, Sequence
from typing import Any

from rotulus._engine.execution import Execution, Stop
from rotulus._engine.isolation.fork_server import ForkServer
from rotulus._engine.isolation.frames import FrameStream, read_outcome
from rotulus._engine.isolation.system import how_it_ended
from rotulus._jobs.outcome import Outcome, lost, plain_error, released
from rotulus._jobs.record import JobRecord

MOST_ATTEMPTS = 100
"""How many attempts a task process runs before a fresh one replaces it."""

GRACE = 1.0
"""Seconds for a body that is told to stop, before its task process is killed."""

_SHORT_GRACE = 0.1
"""The same when the worker stops or the lease is lost: another worker may begin the job soon."""

_REPORT_WITHIN = 5.0
"""Seconds for the fork server to report how a task process ended."""

_LAST_FRAMES = 0.2
"""Seconds to read the frames that a task process sent before it ended."""

_CLOSE_TIMEOUT = 5.0
"""Seconds for a task process that is not needed any more to tear down what it holds."""

_PAUSE = 1.0
"""Seconds to wait before another try, when the system can start no more processes, or has no
descriptor for the socket to one."""


class TaskProcess:
    """A task process, as its worker sees it.

    Attributes:
        number: the number by which the fork server knows it.
        spent: whether it must not run another attempt.
        stopped: whether its last attempt was told to stop; it may go on inside.
        ended: its exit code, or minus the signal that killed it, as soon as it is known.
    """

    def __init__(self, number: int, end: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.channel = FrameStream(self._receive, self.conclude)
        self.channel.open(end)
        self.ended: asyncio.Future[int | None] = loop.create_future()
        self.spent = False
        self.stopped = False
        self._attempts = 0
        self._execution: Execution | None = None
        self._answer: asyncio.Future[Outcome | None] = loop.create_future()

    async def attempt(
        self, execution: Execution, job: JobRecord, memory: int | None
    ) -> Outcome | None:
        """Run an attempt; returns its outcome, or None if the process died before it had one.

        When this is cancelled the body is told to stop. If it does not within its grace, this
        raises, and the task process is to be killed.
        """
        self._execution = execution
        self._attempts += 1
        self.channel.send("run", job, memory)
        try:
            await asyncio.wait({self._answer})
        except asyncio.CancelledError:
            await self._stop(execution)
            if not self._answer.done() or self._answer.result() is None:
                raise
        outcome = self._answer.result()
        self._answer = asyncio.get_running_loop().create_future()
        self.spent = self.spent or outcome is None or self._attempts >= MOST_ATTEMPTS
        return outcome

    def conclude(self) -> None:
        """Take note that no more frames will come."""
        self.spent = True
        if not self._answer.done():
            self._answer.set_result(None)

    async def _stop(self, execution: Execution) -> None:
        self.spent = self.stopped = True
        hurry = execution.stopped_by in (Stop.SHUTDOWN, Stop.LOST)
        self.channel.send("stop", execution.stopped_by or Stop.CANCELLED)
        await asyncio.wait({self._answer}, timeout=_SHORT_GRACE if hurry else GRACE)

    def _receive(self, kind: str, values: Sequence[Any]) -> None:
        if kind == "progress" and self._execution is not None:
            self._execution.relay(values[0])
        elif kind == "awaits" and self._execution is not None:
            self._execution.relay_waiting(values[0])
        elif kind == "logs" and self._execution is not None:
            self._execution.relay_logs(values[0])
        elif not self._answer.done():
            self._answer.set_result(read_outcome(values))


class ProcessPool:
    """Runs attempts in task processes: as many as there are attempts at once, each used again.

    Args:
        fork_server: forks them.
        gone: called when the fork server has died by itself, and with it all task processes.
    """

    def __init__(self, fork_server: ForkServer, gone: Callable[[], object]) -> None:
        self._fork_server = fork_server
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._known: dict[int, TaskProcess] = {}
        self._idle: list[TaskProcess] = []
        self._loop.add_reader(fork_server, self._read_reports)

    async def run(self, execution: Execution, job: JobRecord, memory: int | None) -> Outcome:
        """Run an attempt in a task process.

        Args:
            execution: the attempt.
            job: the job, as it is to be run there.
            memory: how much it may allocate, in MiB; None for as much as there is.
        """
        while not self._fork_server.gone:
            try:
                process = self._idle_or_new()
            except OSError:  # no descriptors left
                await asyncio.sleep(_PAUSE)
                continue
            try:
                outcome = await process.attempt(execution, job, memory)
                if outcome is None:
                    outcome = await self._lost(process, execution)
            except BlockingIOError:
                await asyncio.sleep(_PAUSE)
                continue
            finally:
                self._put_back(process)
            return outcome
        return released(execution.job.id, execution.job.attempt)

    def close(self) -> None:
        """Kill the busy task processes, and let the idle ones end."""
        self._loop.remove_reader(self._fork_server)
        for process in self._known.values():
            if process not in self._idle:
                self._fork_server.kill(process.number)
            process.channel.close()

    def _idle_or_new(self) -> TaskProcess:
        """Returns a task process that is idle, and alive as far as we know; else a new one."""
        while self._idle:
            process = self._idle.pop()
            if not process.spent:
                return process
        number = next(self._numbers)
        end = self._fork_server.fork(number)
        self._known[number] = process = TaskProcess(number, end)
        return process

    def _put_back(self, process: TaskProcess) -> None:
        if not process.spent:
            self._idle.append(process)
            return
        process.channel.close()
        patience = 0.0 if process.stopped else _CLOSE_TIMEOUT
        self._loop.call_later(patience, self._fork_server.kill, process.number)

    async def _lost(self, process: TaskProcess, execution: Execution) -> Outcome:
        """Returns the outcome of an attempt whose process is gone; raises if none was forked."""
        self._fork_server.kill(process.number)  # it may have closed its socket, and live on
        await asyncio.wait({process.ended}, timeout=_REPORT_WITHIN)
        code = process.ended.result() if process.ended.done() else None
        job = execution.job
        return lost(job.id, job.attempt, job.losses, plain_error("ProcessLost", how_it_ended(code)))

    def _read_reports(self) -> None:
        for number, code, error in self._fork_server.reports():
            process = self._known.pop(number)
            if error:
                process.ended.set_exception(BlockingIOError(error, "no room for another process"))
                process.ended.exception()  # or asyncio complains that nobody asks
                self._loop.call_soon(process.conclude)
                continue
            process.ended.set_result(code)
            # The last frames may not have been read yet.
            self._loop.call_later(_LAST_FRAMES, process.conclude)
        if self._fork_server.gone:
            self._loop.remove_reader(self._fork_server)
            for process in self._known.values():
                process.ended.set_result(None)
            self._known.clear()
            self._gone()
