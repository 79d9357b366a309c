"""The one door to user code: a job goes in, its outcome comes out, and nothing is ever raised."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

from rotulus._engine.execution import Execution
from rotulus._engine.isolation import ProcessPool
from rotulus._engine.resources import Resources, filled_here
from rotulus._engine.steps import EarlyOutcome, Steps
from rotulus._engine.threads import CallingThread, Threads, captured
from rotulus._engine.verdict import NotRunnableError, Verdict
from rotulus._jobs.current import CURRENT
from rotulus._jobs.job import Job, JobPort
from rotulus._jobs.outcome import Outcome, succeeded
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._tasks.arguments import Call
from rotulus._tasks.plan import Plans, TaskPlan
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.paths import is_branch
from rotulus._workflows.tasks import StepTask
from rotulus.errors import TaskNotFoundError
from rotulus.events import BodyStuck, Events

PATIENCE = 5.0
"""Seconds that a coroutine which is out of time may take to stop, before it is left to itself."""


class ResolvedTask(NamedTuple):
    """A task with everything that is needed to run it.

    Attributes:
        task: the task.
        plan: how it is called.
        in_thread: whether an attempt is made in a thread from beginning to end: the function is a
            plain one, and nothing for it has to be made on the event loop.
        plain: whether it is, and nobody watches its time.
        task processes: where its attempts are made, unless it is here.
    """

    task: Task[..., Any, Any]
    plan: TaskPlan
    in_thread: bool
    plain: bool
    cells: ProcessPool | None


class Executor:
    """Runs jobs: resolve the name, load the arguments, inject, call, judge what came out.

    Args:
        registry: where names are resolved; it does not change meanwhile.
        plans: how each task is called.
        port: what the running job asks about itself.
        threads: where plain functions run.
        steps: what jobs are called with, and come to, that have parts or are parts.
        verdict: what it means that a body raised.
        monotonic: the clock, in seconds.
        events: where a body that does not stop is told of.
        max_bytes: the largest result, in bytes.
        task processes: where attempts of isolated tasks are made; None inside of a task process.
    """

    def __init__(
        self,
        registry: TaskRegistry,
        plans: Plans,
        port: JobPort,
        threads: Threads | CallingThread,
        steps: Steps,
        verdict: Verdict,
        monotonic: Callable[[], float],
        events: Events,
        max_bytes: int = jsontext.MAX_BYTES,
        cells: ProcessPool | None = None,
    ) -> None:
        self._registry = registry
        self._plans = plans
        self._port = port
        self._threads = threads
        self._steps = steps
        self._verdict = verdict
        self._monotonic = monotonic
        self._events = events
        self._max_bytes = max_bytes
        self._cells = cells
        self._resources = Resources()
        self._ready: dict[str, ResolvedTask] = {}

    def prepare(self, jobs: list[JobRecord], ended: Iterable[JobRecord] = ()) -> None:
        """Read at once what several jobs will need, before they are executed. In a thread.

        Args:
            jobs: the jobs.
            ended: jobs as they ended in the transaction that claimed these.
        """
        self._steps.prepare(jobs, ended)

    def is_plain(self, run: Execution) -> bool:
        """Whether `execute_plain` is for this attempt; then it need not bother the event loop."""
        try:
            return self._resolve(run.job.task).plain
        except BaseException:  # noqa: BLE001 - what is wrong with it comes out when it is run
            return False

    def is_in_thread(self, run: Execution) -> bool:
        """Whether an attempt needs no event loop; `execute_plain` is for it where its time is kept.

        Also of one that is given up before its body is called.
        """
        try:
            return self._resolve(run.job.task).in_thread
        except BaseException:  # noqa: BLE001 - what is wrong with it comes out when it is run
            return True

    def execute_plain(self, run: Execution) -> Outcome:
        """`execute` for plain functions, from beginning to end in this thread.

        To be called in a context of its own.
        """
        CURRENT.set(run)
        try:
            ready = self._resolve(run.job.task)
            self._refuse_expired(run)
            outcome = self._whole(ready, run)
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is an outcome
            outcome = self.interrupted(run, error)
        run.ended = True
        if call_back := self._steps.callback(run, outcome):
            call_back(self._awaited)
        return outcome

    async def execute(self, run: Execution) -> Outcome:
        """Run one attempt of a job. It never raises, whatever the task does.

        To be called in a context of its own.
        """
        CURRENT.set(run)
        try:
            ready = self._resolve(run.job.task)
            self._refuse_expired(run)
            outcome = await self._execute(ready, run)
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is an outcome
            outcome = self.interrupted(run, error)
        run.ended = True
        if call_back := self._steps.callback(run, outcome):
            with suppress(asyncio.CancelledError):  # the outcome stands
                await self._threads.run(partial(call_back, self._awaited))
        return outcome

    def interrupted(self, run: Execution, error: BaseException) -> Outcome:
        """The outcome of an attempt that raised, or that was stopped before it began."""
        if isinstance(error, EarlyOutcome):
            return error.outcome
        ready = self._ready.get(run.job.task)
        return self._verdict.judge(error, ready.task.retry if ready else None, run)

    async def close(self) -> None:
        """Tear down what was made for all jobs together."""
        if self._cells is not None:
            self._cells.close()
        await self._resources.close()

    def _resolve(self, name: str) -> ResolvedTask:
        ready = self._ready.get(name)
        if ready is None:
            try:
                task = self._registry.get(name)
            except TaskNotFoundError as error:
                raise NotRunnableError(Reason.UNKNOWN_TASK, error) from None
            plan = self._plans.of(task)
            cells = self._cells if task.isolation else None
            in_thread = not (cells or task.is_async or plan.injection.needs_loop)
            plain = in_thread and task.timeout is None
            ready = self._ready[name] = ResolvedTask(task, plan, in_thread, plain, cells)
        return ready

    def _refuse_expired(self, run: Execution) -> None:
        """Give up a job that is not worth starting any more.

        The store's clock says so: as it stood at the claim, and as it has gone on since.
        """
        job = run.job
        if job.expires_at is None or job.started_at is None:
            return
        waited = 0.0 if run.taken_at is None else self._monotonic() - run.taken_at
        if job.expires_at <= job.started_at + waited * 1e6:
            raise NotRunnableError(Reason.EXPIRED, TimeoutError("nobody started it in time"))

    async def _execute(self, ready: ResolvedTask, run: Execution) -> Outcome:
        is_step = self._steps.concern(run.job, ready.task)
        if ready.cells is not None and not is_step:
            return await self._elsewhere(ready.cells, ready.task, run, run.job)
        if is_step and ready.in_thread:
            whole = self._threads.run(partial(self._whole, ready, run))
            return await (
                whole if ready.task.timeout is None else self._timed(whole, ready.task, run)
            )
        # What a step is given is read from the store, which is not for the event loop to wait for.
        load = partial(self._load, ready, run)
        call = await self._threads.run(load) if is_step else load()
        if ready.cells is not None:
            return await self._step_elsewhere(ready, ready.cells, call, run)
        if run.stopped_by is not None:  # while its context was read
            raise asyncio.CancelledError
        body = self._body(ready, call, run)
        run.interruptible = ready.task.is_async
        # The time of an attempt in a task process is kept outside of it.
        if ready.task.timeout is not None and ready.task.isolation is None:
            body = self._timed(body, ready.task, run)
        return self._succeeded(ready, run, await body)

    def _whole(self, ready: ResolvedTask, run: Execution) -> Outcome:
        """An attempt of a plain function from beginning to end, in this thread."""
        call = self._load(ready, run)
        return self._succeeded(ready, run, self._call_plain(ready, call, run))

    def _load(self, ready: ResolvedTask, run: Execution) -> Call:
        job = run.job
        if self._steps.concern(job, ready.task):
            call = self._steps.load(ready.task, ready.plan, run)
        else:
            call = _bound(ready.plan, job.arguments)
        if run.stopped_by is not None:
            raise asyncio.CancelledError
        return call

    def _succeeded(self, ready: ResolvedTask, run: Execution, value: Any) -> Outcome:
        if self._steps.concern(run.job, ready.task):
            return self._handed_on(ready, run, _plain(ready, run, value))
        text = ready.plan.result.write(value, self._max_bytes)
        return succeeded(run.job.id, run.job.attempt, text)

    def _handed_on(self, ready: ResolvedTask, run: Execution, value: Any) -> Outcome:
        text = self._steps.write(ready.task, run, value)
        return succeeded(run.job.id, run.job.attempt, text)

    def _call_plain(self, ready: ResolvedTask, call: Call, run: Execution) -> Any:
        function, injection = ready.task.function, ready.plan.injection
        if not injection.parameters:
            value = function(*call.args, **call.kwargs)
        else:
            with filled_here(injection, Job(run.job, self._port, run)) as values:
                value = function(*call.args, **call.kwargs, **values)
        return self._awaited(value)

    def _awaited(self, value: Any) -> Any:
        """What counts of a coroutine that a plain function hands back is what it comes to."""
        return self._threads.wait_for(value) if inspect.iscoroutine(value) else value

    async def _elsewhere(
        self, cells: ProcessPool, task: Task[..., Any, Any], run: Execution, job: JobRecord
    ) -> Outcome:
        """The outcome of an attempt in a task process, where an executor like this one makes it."""
        if run.stopped_by is not None:
            raise asyncio.CancelledError
        run.interruptible = True
        attempt = cells.run(run, job, task.memory)
        return await (attempt if task.timeout is None else self._timed(attempt, task, run))

    async def _step_elsewhere(
        self, ready: ResolvedTask, cells: ProcessPool, call: Call, run: Execution
    ) -> Outcome:
        """The same for a step: the task process knows nothing of what it is a part of."""
        payload = ready.plan.binder.bind(call.args, call.kwargs, self._max_bytes).payload
        job = run.job._replace(arguments=payload, run=None, step=None, workflow=None)
        outcome = await self._elsewhere(cells, ready.task, run, job)
        if outcome.state is not State.SUCCEEDED:
            return outcome
        value = jsontext.decode(outcome.result or "null")
        return self._handed_on(ready, run, value)

    def _body(self, ready: ResolvedTask, call: Call, run: Execution) -> Awaitable[Any]:
        task = ready.task
        if task.is_async and not ready.plan.injection.parameters:
            return task.function(*call.args, **call.kwargs)
        if task.is_async or ready.plan.injection.needs_loop:
            return self._injected(ready, call, run)
        return self._threads.run(partial(self._call_plain, ready, call, run))

    async def _injected(self, ready: ResolvedTask, call: Call, run: Execution) -> Any:
        job: Job[Any] = Job(run.job, self._port, run)
        async with self._resources.filled(ready.plan.injection, job) as values:
            body = partial(ready.task.function, *call.args, **call.kwargs, **values)
            if ready.task.is_async:
                return await body()
            value = await self._threads.run(body)
            return await value if inspect.iscoroutine(value) else value

    async def _timed(self, body: Awaitable[Any], task: Task[..., Any, Any], run: Execution) -> Any:
        """The value of a body, which has as long as its task's timeout."""
        inner = asyncio.create_task(captured(body))
        try:
            done, _ = await asyncio.wait({inner}, timeout=task.timeout)
        except asyncio.CancelledError:
            await self._interrupt(inner, run)
            raise
        if not done:
            run.timed_out = True
            await self._interrupt(inner, run)
            raise TimeoutError(f"it took longer than its timeout of {task.timeout:g} seconds")
        value, error = inner.result()
        if error is not None:
            raise error
        return value

    async def _interrupt(self, inner: "asyncio.Task[Any]", run: Execution) -> None:
        """Stop a body; one that does not heed it is left to itself, and that is told."""
        inner.cancel()
        done, _ = await asyncio.wait({inner}, timeout=PATIENCE)
        if not (done and run.interruptible):
            self._events.emit(BodyStuck(run.job, "timeout" if run.timed_out else "shutdown"))


def _bound(plan: TaskPlan, arguments: str) -> Call:
    try:
        return plan.binder.load(arguments)
    except jsontext.NotJSONError as error:
        raise NotRunnableError(Reason.CORRUPT, error) from None
    except Exception as error:  # noqa: BLE001 - a type's own validator may raise anything
        raise NotRunnableError(Reason.INVALID_ARGUMENTS, error) from None


def _plain(ready: ResolvedTask, run: Execution, value: Any) -> Any:
    """What an ordinary task returned, as a context holds it: in the JSON form of its annotation.

    An object is one value, though its JSON form is a dict: it stands under the id of its step.
    """
    if value is None or isinstance(value, Context) or isinstance(ready.task, StepTask):
        return value
    plain: Any = ready.plan.result.plain(value)
    is_object = isinstance(plain, dict) and not isinstance(value, Mapping)
    if is_object and run.step is not None and not is_branch(run.job.step):
        return {run.step.id: cast("Any", plain)}
    return cast("Any", plain)
