"""The main function of a task process: runs the attempts that come, sends back their outcomes."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from rotulus._engine.execution import Execution, Stop
from rotulus._engine.isolation.frames import FrameStream
from rotulus._engine.isolation.system import flush_output, memory_limit
from rotulus._engine.log_capture import capturing
from rotulus._engine.loop import run_to_end
from rotulus._engine.threads import Threads
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord

_REPORT_EVERY = 0.5
"""Seconds between two looks for progress to report."""


class AttemptExecutor(Protocol):
    """Runs attempts: the executor, which is made of things above this module."""

    async def execute(self, execution: Execution) -> Outcome:
        """Run one attempt."""
        ...

    def outcome_of_error(self, execution: Execution, error: BaseException) -> Outcome:
        """Returns the outcome of an attempt that raised, or was stopped before it began."""
        ...

    async def close(self) -> None:
        """Tear down the values that were made for all jobs together."""
        ...


class _Request(NamedTuple):
    """An attempt to make, and how many MiB it may allocate."""

    job: JobRecord
    memory: int | None


def run_task_process(
    end: socket.socket, make_executor: Callable[[Threads], AttemptExecutor]
) -> None:
    """Run attempts until the worker closes the socket. Signals are left to the worker."""
    with capturing():
        run_to_end(_Attempts(make_executor).serve(end), lambda: None)


class _Attempts:
    def __init__(self, make_executor: Callable[[Threads], AttemptExecutor]) -> None:
        self._make_executor = make_executor
        self._channel = FrameStream(self._receive, self._end)
        self._requests: asyncio.Queue[_Request | None] = asyncio.Queue()
        self._execution: Execution | None = None
        self._reported_awaits: str | None = None

    async def serve(self, end: socket.socket) -> None:
        """Run the requests that come, until no more will."""
        threads = Threads(asyncio.get_running_loop(), "rotulus-task", keep=1)
        executor = self._make_executor(threads)
        await self._channel.open(end)
        while request := await self._requests.get():
            await self._run_attempt(request, executor)
        await executor.close()
        threads.close()

    def _receive(self, kind: str, values: Sequence[Any]) -> None:
        if kind == "run":
            record, memory = values
            self._requests.put_nowait(_Request(JobRecord._make(record), memory))
        elif self._execution is not None:
            self._execution.stop(Stop(values[0]))

    def _end(self) -> None:
        if self._execution is not None:
            os._exit(0)  # nobody waits for its outcome
        self._requests.put_nowait(None)

    async def _run_attempt(self, request: _Request, executor: AttemptExecutor) -> None:
        execution = self._execution = Execution(request.job)
        with memory_limit(request.memory):
            outcome = await self._execute(execution, executor)
        self._execution = None
        if execution.logs is not None:
            execution.logs.close()
        self._report(execution)
        flush_output()  # this process may be killed at any time
        self._channel.send("outcome", *outcome)

    async def _execute(self, execution: Execution, executor: AttemptExecutor) -> Outcome:
        body = asyncio.create_task(executor.execute(execution))
        execution.interrupt = body.cancel
        while not (await asyncio.wait({body}, timeout=_REPORT_EVERY))[0]:
            self._report(execution)
        try:
            return body.result()
        except asyncio.CancelledError as error:
            return executor.outcome_of_error(execution, error)

    def _report(self, execution: Execution) -> None:
        """Report how far an attempt has got, which job it waits for, and what it has logged."""
        if execution.awaits != self._reported_awaits:
            self._reported_awaits = execution.awaits
            self._channel.send("awaits", execution.awaits)
        text = execution.unstored_progress()
        if text is not None:
            self._channel.send("progress", text)
            execution.progress_stored(text)
        if execution.logs is not None and (lines := execution.logs.lines()):
            self._channel.send("logs", lines)
            execution.logs.stored(lines)
