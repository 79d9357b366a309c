"""The one door to user code: a job goes in, its outcome comes out, and nothing is ever raised."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from rotulus import _json
from rotulus._arguments import Call
from rotulus._injection import InjectionPlan
from rotulus._job import Job, JobDesk
from rotulus._outcome import Outcome, succeeded
from rotulus._plan import Plans, TaskPlan
from rotulus._record import JobRecord, moment
from rotulus._registry import TaskRegistry
from rotulus._resources import Resources, filled_here
from rotulus._run import Run
from rotulus._states import Reason
from rotulus._task import Task
from rotulus._threads import Threads
from rotulus._verdict import GivenUpError, Verdict
from rotulus.errors import TaskNotFoundError
from rotulus.events import BodyStuck, Events

PATIENCE = 5.0
"""Seconds that a coroutine which is out of time may take to stop, before it is left to itself."""


class Ready(NamedTuple):
    """A task with everything that is needed to run it."""

    task: Task[..., Any, Any]
    plan: TaskPlan


class Executor:
    """Runs jobs: resolve the name, load the arguments, inject, call, judge what came out.

    Args:
        registry: where names are resolved; it does not change meanwhile.
        plans: how each task is called.
        desk: what the running job asks about itself.
        threads: where plain functions run.
        verdict: what it means that a body raised.
        now: the clock.
        events: where a body that does not stop is told of.
        max_bytes: the largest result, in bytes.
    """

    def __init__(
        self,
        registry: TaskRegistry,
        plans: Plans,
        desk: JobDesk,
        threads: Threads,
        verdict: Verdict,
        now: Callable[[], datetime],
        events: Events,
        max_bytes: int = _json.MAX_BYTES,
    ) -> None:
        self._registry = registry
        self._plans = plans
        self._desk = desk
        self._threads = threads
        self._verdict = verdict
        self._now = now
        self._events = events
        self._max_bytes = max_bytes
        self._resources = Resources()
        self._ready: dict[str, Ready] = {}

    async def execute(self, run: Run) -> Outcome:
        """Run one attempt of a job. It never raises, whatever the task does."""
        try:
            return await self._attempt(run)
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is an outcome
            return self.interrupted(run, error)

    def interrupted(self, run: Run, error: BaseException) -> Outcome:
        """The outcome of an attempt that raised, or that was stopped before it began."""
        ready = self._ready.get(run.job.task)
        return self._verdict.judge(error, ready.task.retry if ready else None, run)

    async def close(self) -> None:
        """Tear down what was made for all jobs together."""
        await self._resources.close()

    async def _attempt(self, run: Run) -> Outcome:
        job = run.job
        task, plan = self._ready.get(job.task) or self._prepare(job)
        if job.expires_at is not None and moment(job.expires_at) <= self._now():
            raise GivenUpError(Reason.EXPIRED, TimeoutError("nobody started it in time"))
        call = _load(plan, job)
        if run.stopped_by is not None:
            raise asyncio.CancelledError
        body = self._body(task, plan.injection, call, run)
        run.interruptible = task.is_async
        value = await (body if task.timeout is None else self._timed(body, task, run))
        text = "null" if value is None else _json.encode(value, max_bytes=self._max_bytes)
        return succeeded(job.id, job.attempt, text)

    def _prepare(self, job: JobRecord) -> Ready:
        try:
            task = self._registry.get(job.task)
        except TaskNotFoundError as error:
            raise GivenUpError(Reason.UNKNOWN_TASK, error) from None
        ready = self._ready[job.task] = Ready(task, self._plans.of(task))
        return ready

    def _body(
        self, task: Task[..., Any, Any], injection: InjectionPlan, call: Call, run: Run
    ) -> Awaitable[Any]:
        if injection.parameters:
            return self._injected(task, injection, call, run)
        if task.is_async:
            return task.function(*call.args, **call.kwargs)
        return self._in_thread(partial(task.function, *call.args, **call.kwargs))

    async def _in_thread(self, body: Callable[[], Any]) -> Any:
        value = await self._threads.run(body)
        # A plain function may still hand back a coroutine: what counts is what that comes to.
        return await value if inspect.iscoroutine(value) else value

    async def _injected(
        self, task: Task[..., Any, Any], injection: InjectionPlan, call: Call, run: Run
    ) -> Any:
        job: Job[Any] = Job(run.job, self._desk, run)
        if task.is_async or injection.needs_loop:
            async with self._resources.filled(injection, job) as values:
                body = partial(task.function, *call.args, **call.kwargs, **values)
                return await (body() if task.is_async else self._in_thread(body))

        def fill_and_call() -> Any:
            with filled_here(injection, job) as values:
                return task.function(*call.args, **call.kwargs, **values)

        return await self._in_thread(fill_and_call)

    async def _timed(self, body: Awaitable[Any], task: Task[..., Any, Any], run: Run) -> Any:
        """The value of a body, which has as long as its task's timeout."""
        inner = asyncio.create_task(_captured(body))
        try:
            done, _ = await asyncio.wait({inner}, timeout=task.timeout)
        except asyncio.CancelledError:
            await self._interrupt(inner, task, run)
            raise
        if not done:
            run.timed_out = True
            await self._interrupt(inner, task, run)
            raise TimeoutError(f"it took longer than its timeout of {task.timeout:g} seconds")
        value, error = inner.result()
        if error is not None:
            raise error
        return value

    async def _interrupt(
        self, inner: "asyncio.Task[Any]", task: Task[..., Any, Any], run: Run
    ) -> None:
        """Stop a body; one that does not heed it is left to itself, and that is told."""
        inner.cancel()
        done, _ = await asyncio.wait({inner}, timeout=PATIENCE)
        if not (done and task.is_async):
            self._events.emit(BodyStuck(run.job, "timeout" if run.timed_out else "shutdown"))


def _load(plan: TaskPlan, job: JobRecord) -> Call:
    try:
        return plan.binder.load(job.arguments)
    except _json.NotJSONError as error:
        raise GivenUpError(Reason.CORRUPT, error) from None
    except Exception as error:  # noqa: BLE001 - a type's own validator may raise anything
        raise GivenUpError(Reason.INVALID_ARGUMENTS, error) from None


async def _captured(body: Awaitable[Any]) -> tuple[Any, BaseException | None]:
    """What a body returns or raises, as a value.

    In a task of its own, a body that raises SystemExit would end the event loop.
    """
    try:
        return await body, None
    except BaseException as error:  # noqa: BLE001 - handed on to who waits for it
        return None, error
