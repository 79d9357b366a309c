"""The task processes of a worker: attempts go in, outcomes come out, also when a process dies."""

import asyncio
import itertools
import socket
from collections.abc import Callable, Sequence
from typing import Any

from rotulus._engine.execution import Execution, Stop
from rotulus._engine.isolation.fork_server import ForkServer
from rotulus._engine.isolation.frames import FrameStream, read_outcome
from rotulus._engine.isolation.system import how_it_ended
from rotulus._jobs.outcome import ErrorInfo, Outcome, lost, released
from rotulus._jobs.record import JobRecord

MOST_ATTEMPTS = 100
"""How many attempts a task process runs before it makes room for a fresh one."""

GRACE = 1.0
"""Seconds for a body that is told to stop, before its task process is killed."""

_SHORT_GRACE = 0.1
"""The same when the worker stops or the lease is lost: somebody else may begin the job."""

_REPORT_WITHIN = 5.0
_LAST_WORDS = 0.2
_FAREWELL = 5.0
"""Seconds for a task process that is not needed any more to tear down what it holds."""

_PAUSE = 1.0
"""Seconds to wait before another try, when the system has no room for one more process, or no
descriptor for the line to it."""


class TaskProcess:
    """One process, as the worker sees it.

    Attributes:
        number: what the fork server knows it by.
        spent: whether it must not run another attempt.
        stopped: whether its last attempt was told to stop; it may go on inside.
        ended: its exit code, or minus the signal that killed it, as soon as it is known.
    """

    def __init__(self, number: int, end: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.line = FrameStream(self._hear, self.conclude)
        self.line.open(end)
        self.ended: asyncio.Future[int | None] = loop.create_future()
        self.spent = False
        self.stopped = False
        self._attempts = 0
        self._run: Execution | None = None
        self._answer: asyncio.Future[Outcome | None] = loop.create_future()

    async def attempt(self, run: Execution, job: JobRecord, memory: int | None) -> Outcome | None:
        """Run an attempt; its outcome, or None if the process did not live to tell it.

        Whoever cancels this has the body told to stop. If it does not within its grace, this
        raises, and the task process is to be killed.
        """
        self._run = run
        self._attempts += 1
        self.line.say("run", job, memory)
        try:
            await asyncio.wait({self._answer})
        except asyncio.CancelledError:
            await self._stop(run)
            if not self._answer.done() or self._answer.result() is None:
                raise
        outcome = self._answer.result()
        self._answer = asyncio.get_running_loop().create_future()
        self.spent = self.spent or outcome is None or self._attempts >= MOST_ATTEMPTS
        return outcome

    def conclude(self) -> None:
        """Nothing more will be heard."""
        self.spent = True
        if not self._answer.done():
            self._answer.set_result(None)

    async def _stop(self, run: Execution) -> None:
        self.spent = self.stopped = True
        hurry = run.stopped_by in (Stop.SHUTDOWN, Stop.LOST)
        self.line.say("stop", run.stopped_by or Stop.CANCELLED)
        await asyncio.wait({self._answer}, timeout=_SHORT_GRACE if hurry else GRACE)

    def _hear(self, kind: str, values: Sequence[Any]) -> None:
        if kind == "progress" and self._run is not None:
            self._run.relay(values[0])
        elif kind == "awaits" and self._run is not None:
            self._run.relay_waiting(values[0])
        elif not self._answer.done():
            self._answer.set_result(read_outcome(values))


class ProcessPool:
    """Runs attempts in task processes: as many as there are attempts at once, each used again.

    Args:
        fork server: forks them.
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

    async def run(self, run: Execution, job: JobRecord, memory: int | None) -> Outcome:
        """Run an attempt in a task process.

        Args:
            run: the attempt.
            job: the job, as it is to be run there.
            memory: how much it may allocate, in MiB; None for as much as there is.
        """
        while not self._fork_server.gone:
            try:
                cell = self._take()
            except OSError:  # no descriptors left
                await asyncio.sleep(_PAUSE)
                continue
            try:
                outcome = await cell.attempt(run, job, memory)
                if outcome is None:
                    outcome = await self._lost(cell, run)
            except BlockingIOError:
                await asyncio.sleep(_PAUSE)
                continue
            finally:
                self._put_back(cell)
            return outcome
        return released(run.job.id, run.job.attempt)

    def close(self) -> None:
        """Kill what runs, and let the others end."""
        self._loop.remove_reader(self._fork_server)
        for cell in self._known.values():
            if cell not in self._idle:
                self._fork_server.kill(cell.number)
            cell.line.hang_up()

    def _take(self) -> TaskProcess:
        """A task process that is idle, and lives as far as we know; else a new one."""
        while self._idle:
            cell = self._idle.pop()
            if not cell.spent:
                return cell
        number = next(self._numbers)
        end = self._fork_server.bear(number)
        self._known[number] = cell = TaskProcess(number, end)
        return cell

    def _put_back(self, cell: TaskProcess) -> None:
        if not cell.spent:
            self._idle.append(cell)
            return
        cell.line.hang_up()
        patience = 0.0 if cell.stopped else _FAREWELL
        self._loop.call_later(patience, self._fork_server.kill, cell.number)

    async def _lost(self, cell: TaskProcess, run: Execution) -> Outcome:
        """The outcome of an attempt whose task process is gone. Raises when there never was one."""
        self._fork_server.kill(cell.number)  # it may have closed its line, and live on
        await asyncio.wait({cell.ended}, timeout=_REPORT_WITHIN)
        code = cell.ended.result() if cell.ended.done() else None
        job = run.job
        return lost(job.id, job.attempt, job.losses, ErrorInfo("ProcessLost", how_it_ended(code)))

    def _read_reports(self) -> None:
        for number, code, error in self._fork_server.reports():
            cell = self._known.pop(number)
            if error:
                cell.ended.set_exception(BlockingIOError(error, "no room for another process"))
                cell.ended.exception()  # it may be that nobody asks
                self._loop.call_soon(cell.conclude)
                continue
            cell.ended.set_result(code)
            # What it said last may not have been read yet.
            self._loop.call_later(_LAST_WORDS, cell.conclude)
        if self._fork_server.gone:
            self._loop.remove_reader(self._fork_server)
            for cell in self._known.values():
                cell.ended.set_result(None)
            self._known.clear()
            self._gone()
