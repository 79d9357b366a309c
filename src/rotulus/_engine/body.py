"""Calls the function of a task, on the event loop or in a thread, and enforces its timeout."""

import asyncio
import inspect
from collections.abc import Awaitable
from functools import partial
from typing import Any

from rotulus._engine.execution import Execution
from rotulus._engine.resolved_task import AttemptKind, Body, ResolvedTask
from rotulus._engine.resources import Resources, filled_here
from rotulus._engine.threads import CallingThread, Threads, captured
from rotulus._jobs.job import Job
from rotulus._jobs.port import JobPort
from rotulus._tasks.arguments import Call
from rotulus.events import BodyStuck, Events

STOP_TIMEOUT = 5.0
"""Seconds that a coroutine which is out of time may take to stop, before it is left to itself."""


class Bodies:
    """Calls the functions of tasks, with the values that they have injected.

    Args:
        port: what the running job asks about itself.
        threads: where functions run.
    """

    def __init__(self, port: JobPort, threads: Threads | CallingThread) -> None:
        self._port = port
        self._threads = threads
        self._resources = Resources()

    def coroutine(
        self,
        resolved: ResolvedTask,
        call: Call,
        execution: Execution,  # noqa: ARG002 - as every body takes it
    ) -> Awaitable[Any]:
        """Call a coroutine that has nothing injected."""
        return resolved.task.function(*call.args, **call.kwargs)

    async def coroutine_with_values(
        self, resolved: ResolvedTask, call: Call, execution: Execution
    ) -> Any:
        """Call a coroutine; its values are made on the event loop."""
        job: Job[Any] = Job(execution.job, self._port, execution)
        async with self._resources.filled(resolved.plan.injection, job) as values:
            return await resolved.task.function(*call.args, **call.kwargs, **values)

    async def function_with_loop_values(
        self, resolved: ResolvedTask, call: Call, execution: Execution
    ) -> Any:
        """Call a function in a thread; its values are made on the event loop."""
        job: Job[Any] = Job(execution.job, self._port, execution)
        async with self._resources.filled(resolved.plan.injection, job) as values:
            function = partial(resolved.task.function, *call.args, **call.kwargs, **values)
            value = await self._threads.run(function)
            return await value if inspect.iscoroutine(value) else value

    def function(self, resolved: ResolvedTask, call: Call, execution: Execution) -> Awaitable[Any]:
        """Call a function in a thread, where its values are made, too."""
        return self._threads.run(partial(self.function_here, resolved, call, execution))

    def function_here(self, resolved: ResolvedTask, call: Call, execution: Execution) -> Any:
        """Call a function in this thread; its values are made here, too."""
        function, injection = resolved.task.function, resolved.plan.injection
        if not injection.parameters:
            value = function(*call.args, **call.kwargs)
        else:
            with filled_here(injection, Job(execution.job, self._port, execution)) as values:
                value = function(*call.args, **call.kwargs, **values)
        return self.awaited(value)

    def awaited(self, value: Any) -> Any:
        """Returns a value; if a function returned a coroutine, the result of that."""
        return self._threads.wait_for(value) if inspect.iscoroutine(value) else value

    async def close(self) -> None:
        """Tear down the values that were made for all jobs together."""
        await self._resources.close()


BODIES: dict[AttemptKind, Body] = {
    AttemptKind.COROUTINE: Bodies.coroutine,
    AttemptKind.COROUTINE_WITH_VALUES: Bodies.coroutine_with_values,
    AttemptKind.FUNCTION: Bodies.function,
    AttemptKind.FUNCTION_WITH_LOOP_VALUES: Bodies.function_with_loop_values,
}
"""How the function of a task is called, by the kind of its attempts."""


async def timed(body: Awaitable[Any], seconds: float, execution: Execution, events: Events) -> Any:
    """Await a body for so many seconds at most.

    Args:
        body: the body.
        seconds: its timeout.
        execution: its attempt.
        events: where a body that does not stop is told of.

    Raises:
        TimeoutError: it took longer.
    """
    inner = asyncio.create_task(captured(body))
    try:
        done, _ = await asyncio.wait({inner}, timeout=seconds)
    except asyncio.CancelledError:
        await _interrupt(inner, execution, events)
        raise
    if not done:
        execution.timed_out = True
        await _interrupt(inner, execution, events)
        raise TimeoutError(f"it took longer than its timeout of {seconds:g} seconds")
    value, error = inner.result()
    if error is not None:
        raise error
    return value


async def _interrupt(inner: "asyncio.Task[Any]", execution: Execution, events: Events) -> None:
    """Cancel a body; one that does not stop is left to itself, and that is told."""
    inner.cancel()
    done, _ = await asyncio.wait({inner}, timeout=STOP_TIMEOUT)
    if not (done and execution.interruptible):
        events.emit(BodyStuck(execution.job, "timeout" if execution.timed_out else "shutdown"))
