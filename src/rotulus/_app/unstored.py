"""Runs calls of tasks here and now, in this process: nothing of them is stored."""

import asyncio
from datetime import datetime
from typing import Any, NamedTuple

from rotulus._app.engine import Engine
from rotulus._engine.execution import Execution
from rotulus._engine.isolation import ForkServer, ProcessPool
from rotulus._engine.threads import Threads
from rotulus._jobs.outcome import Outcome, write_error
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State
from rotulus._tasks.arguments import Call
from rotulus._tasks.task import Task
from rotulus.events import ProgressReported

_TELL_EVERY = 0.2
"""Seconds between two looks at how far a task has got that runs here and now."""


class Finished(NamedTuple):
    """The outcome of a call.

    Attributes:
        job: the record of the call, as it began.
        outcome: what it came to.
        ended_at: when it ended.
        error: what the body raised itself, if it raised.
    """

    job: JobRecord
    outcome: Outcome
    ended_at: datetime
    error: BaseException | None

    @property
    def record(self) -> JobRecord:
        """The record that a store would have kept."""
        return self.job._replace(
            state=self.outcome.state,
            reason=self.outcome.reason,
            result=self.outcome.result,
            error=write_error(self.outcome.error),
            ended_at=micros(self.ended_at),
        )


class UnstoredCalls:
    """Runs calls on the event loop that runs now. Plain functions run in threads.

    Args:
        engine: whose tasks are called.
        keep: how many idle threads are kept.
        fork_server: what forks the processes of isolated tasks, if there are any.
    """

    def __init__(
        self, engine: Engine, keep: int = 1, fork_server: ForkServer | None = None
    ) -> None:
        self._engine = engine
        self._threads = Threads(asyncio.get_running_loop(), "rotulus-task", keep=keep)
        pool = None if fork_server is None else ProcessPool(fork_server, lambda: None)
        self._executor = engine.executor(self._threads, pool)

    async def run(self, record: JobRecord) -> Finished:
        """Run one attempt, as a worker would: it is validated, injected and timed.

        Raises:
            CancelledError: the caller that waits for it is cancelled; the body has not failed.
        """
        engine, execution = self._engine, Execution(record)
        telling = None
        if engine.events.wants(ProgressReported):
            telling = asyncio.create_task(_tell_progress(engine, execution))
        try:
            outcome = await self._executor.execute(execution)
        finally:
            if telling is not None:
                telling.cancel()
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise asyncio.CancelledError
        error, execution.error = execution.error, None
        return Finished(record, outcome, engine.clock.now(), error)

    async def close(self) -> None:
        """Tear down the values that were made for all calls together, and let the threads end."""
        await self._executor.close()
        self.let_go()

    def let_go(self) -> None:
        """Let the threads end as they become idle. May be called from any thread."""
        self._threads.close()


def run_unstored(engine: Engine, task: Task[..., Any, Any], call: Call) -> JobRecord:
    """Run a call on an event loop of its own; the record that a store would have kept.

    Raises:
        ArgumentsError: the call does not fit the task.
    """
    [job] = engine.job_factory.calls(task, [call])
    return run_alone(engine, task, job.arguments).record


def run_alone(engine: Engine, task: Task[..., Any, Any], arguments: str) -> Finished:
    """Run a task on an event loop of its own, with its arguments as JSON text.

    An isolated task runs in a process that is forked for it.
    """
    record = new_record(engine, task, arguments)
    with engine.fork_server([task]) as fork_server:
        return asyncio.run(_run_once(engine, record, fork_server))


def new_record(engine: Engine, task: Task[..., Any, Any], arguments: str) -> JobRecord:
    """Returns the record of a call that runs from now on, with its arguments as JSON text."""
    now = micros(engine.clock.now())
    return JobRecord(
        engine.job_factory.new_id(),
        arguments,
        None,
        None,
        None,
        *task.attached,
        task.name,
        task.options.queue,
        task.options.priority,
        State.RUNNING,
        created_at=now,
        run_at=now,
        started_at=now,
        attempt=1,
    )


async def _run_once(engine: Engine, record: JobRecord, fork_server: ForkServer | None) -> Finished:
    calls = UnstoredCalls(engine, fork_server=fork_server)
    try:
        return await calls.run(record)
    finally:
        await calls.close()


async def _tell_progress(engine: Engine, execution: Execution) -> None:
    """Emit the progress of an attempt that is not in a store."""
    while engine.events.wants(ProgressReported):
        if execution.reached is not None:
            engine.events.emit(ProgressReported(execution.job, execution.reached))
        await asyncio.sleep(_TELL_EVERY)
