"""The one door to user code: a job goes in, its outcome comes out, and nothing is raised."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, cast

from rotulus._engine.around import Around, MiddlewareList
from rotulus._engine.body import BODIES, Bodies, timed
from rotulus._engine.execution import Execution
from rotulus._engine.isolation import ProcessPool
from rotulus._engine.log_capture import LogPolicy
from rotulus._engine.resolved_task import AttemptKind, AttemptMethods, ResolvedTask, kind_here
from rotulus._engine.steps import EarlyOutcome, Steps
from rotulus._engine.threads import CallingThread, Threads
from rotulus._engine.verdict import NotRunnableError, Verdict
from rotulus._jobs.current import CURRENT
from rotulus._jobs.encrypted import is_encrypted
from rotulus._jobs.grouped import is_group
from rotulus._jobs.outcome import Outcome, succeeded, unreadable
from rotulus._jobs.port import JobPort
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._tasks.arguments import Call
from rotulus._tasks.known import KnownTasks
from rotulus._tasks.plan import Plans, TaskPlan
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.paths import is_branch
from rotulus._workflows.tasks import StepTask
from rotulus.errors import TaskNotFoundError
from rotulus.events import Events


class Executor:
    """Runs jobs: resolve the name, load the arguments, inject, call, judge what came out.

    Args:
        tasks: where names are resolved; they do not change meanwhile.
        plans: how each task is called.
        port: what the running job asks about itself.
        threads: where functions run.
        steps: the calls and results of jobs that have parts, or are parts.
        verdict: decides on the exception of a body.
        monotonic: the clock, in seconds.
        events: where a body that does not stop is told of.
        middleware: what surrounds each attempt.
        log_policy: which lines are kept of attempts.
        max_bytes: the largest result, in bytes.
        pool: the task processes of isolated tasks; None inside of a task process.
    """

    def __init__(
        self,
        tasks: KnownTasks,
        plans: Plans,
        port: JobPort,
        threads: Threads | CallingThread,
        steps: Steps,
        verdict: Verdict,
        monotonic: Callable[[], float],
        events: Events,
        middleware: MiddlewareList,
        log_policy: LogPolicy,
        max_bytes: int = jsontext.MAX_BYTES,
        pool: ProcessPool | None = None,
    ) -> None:
        self._tasks = tasks
        self._plans = plans
        self._threads = threads
        self._steps = steps
        self._verdict = verdict
        self._monotonic = monotonic
        self._events = events
        self._middleware = middleware
        self._log_level = log_policy.level
        self._port = port
        self._max_bytes = max_bytes
        self._pool = pool
        self._bodies = Bodies(port, threads)
        self._resolved: dict[str, ResolvedTask] = {}

    def prepare(self, jobs: list[JobRecord], ended: Iterable[JobRecord] = ()) -> None:
        """Read at once what several jobs will need, before they are executed. In a thread.

        Args:
            jobs: the jobs.
            ended: jobs as they ended in the transaction that claimed these.
        """
        self._steps.prepare(jobs, ended)

    def runs_in_thread(self, execution: Execution) -> bool:
        """Whether `execute_in_thread` is for this attempt; the event loop is not needed then."""
        try:
            return self._resolve(execution.job.task).in_thread
        except BaseException:  # noqa: BLE001 - what is wrong with it comes out when it is run
            return False

    def needs_no_loop(self, execution: Execution) -> bool:
        """Whether `execute_in_thread` is for this attempt where something else keeps its time.

        That is also so for an attempt that is given up before its body is called.
        """
        try:
            return self._resolve(execution.job.task).kind is AttemptKind.FUNCTION
        except BaseException:  # noqa: BLE001 - what is wrong with it comes out when it is run
            return True

    def execute_in_thread(self, execution: Execution) -> Outcome:
        """`execute` for functions, from beginning to end in this thread.

        To be called in a context of its own.
        """
        CURRENT.set(execution)
        execution.log_level = self._log_level
        if self._middleware.attempts:
            outcome = self._around(execution).run_here(self._attempt_here, self._bodies.awaited)
        else:
            outcome = self._attempt_here(execution)
        execution.ended = True
        if call_back := self._steps.callback(execution, outcome):
            call_back(self._bodies.awaited)
        return outcome

    async def execute(self, execution: Execution) -> Outcome:
        """Run one attempt of a job. It never raises, whatever the task does.

        To be called in a context of its own.
        """
        CURRENT.set(execution)
        execution.log_level = self._log_level
        if self._middleware.attempts and not self._is_isolated(execution):
            outcome = await self._around(execution).run(self._attempt, self.outcome_of_error)
        else:
            outcome = await self._attempt(execution)
        execution.ended = True
        if call_back := self._steps.callback(execution, outcome):
            with suppress(asyncio.CancelledError):  # the outcome stands
                await self._threads.run(partial(call_back, self._bodies.awaited))
        return outcome

    def _attempt_here(self, execution: Execution) -> Outcome:
        try:
            resolved = self._resolve(execution.job.task)
            self._refuse_expired(execution)
            _leave_unreadable(execution.job)
            if self._steps.is_step(execution.job, resolved.task):
                return self._run_step_here(resolved, execution)
            return self._run_job_here(resolved, execution)
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is an outcome
            return self.outcome_of_error(execution, error)

    async def _attempt(self, execution: Execution) -> Outcome:
        try:
            resolved = self._resolve(execution.job.task)
            self._refuse_expired(execution)
            _leave_unreadable(execution.job)
            is_step = self._steps.is_step(execution.job, resolved.task)
            method = resolved.methods.step if is_step else resolved.methods.job
            return await method(self, resolved, execution)
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is an outcome
            return self.outcome_of_error(execution, error)

    def _is_isolated(self, execution: Execution) -> bool:
        """Returns whether the attempt is made, and surrounded by middleware, in a task process."""
        try:
            return self._resolve(execution.job.task).kind is AttemptKind.ISOLATED
        except BaseException:  # noqa: BLE001 - what is wrong with it comes out when it is run
            return False

    def _around(self, execution: Execution) -> Around:
        resolved = self._resolved.get(execution.job.task)
        isolated = resolved is not None and resolved.task.isolation is not None
        of = self._middleware.attempts, execution, self._port, self._events
        return Around(*of, isolated=isolated)

    def outcome_of_error(self, execution: Execution, error: BaseException) -> Outcome:
        """Returns the outcome of an attempt that raised, or was stopped before it began."""
        if isinstance(error, EarlyOutcome):
            return error.outcome
        resolved = self._resolved.get(execution.job.task)
        return self._verdict.judge(error, resolved.task.retry if resolved else None, execution)

    async def close(self) -> None:
        """Tear down the values that were made for all jobs together."""
        if self._pool is not None:
            self._pool.close()
        await self._bodies.close()

    def _resolve(self, name: str) -> ResolvedTask:
        resolved = self._resolved.get(name)
        if resolved is None:
            try:
                task = self._tasks.get(name)
            except TaskNotFoundError as error:
                raise NotRunnableError(Reason.UNKNOWN_TASK, error) from None
            resolved = self._resolved[name] = self._resolve_task(task)
        return resolved

    def _resolve_task(self, task: Task[..., Any, Any]) -> ResolvedTask:
        plan = self._plans.of(task)
        here = kind_here(task, plan)
        kind = AttemptKind.ISOLATED if task.isolation and self._pool else here
        # The time of an attempt in a task process is kept outside of it.
        watched = task.isolation is None or kind is AttemptKind.ISOLATED
        return ResolvedTask(
            task,
            plan,
            kind,
            body=BODIES[here],
            in_thread=kind is AttemptKind.FUNCTION and task.timeout is None,
            timeout=task.timeout if watched else None,
            methods=self._METHODS[kind],
        )

    def _refuse_expired(self, execution: Execution) -> None:
        """Give up a job that is not worth starting any more.

        The clock of the store decides: its time at the claim, and the seconds that have passed
        since.
        """
        job, claimed_at = execution.job, execution.claimed_at
        if job.expires_at is None or job.started_at is None:
            return
        waited = 0.0 if claimed_at is None else self._monotonic() - claimed_at
        if job.expires_at <= job.started_at + waited * 1e6:
            raise NotRunnableError(Reason.EXPIRED, TimeoutError("nobody started it in time"))

    async def _run_job(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        call = _load(resolved.plan, execution)
        body = resolved.body(self._bodies, resolved, call, execution)
        value = await self._within_timeout(body, resolved, execution)
        return self._succeeded(resolved, execution, value)

    async def _run_step(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        call = await self._threads.run(partial(self._load_step, resolved, execution))
        _raise_if_stopped(execution)
        body = resolved.body(self._bodies, resolved, call, execution)
        value = await self._within_timeout(body, resolved, execution)
        return self._step_succeeded(resolved, execution, value)

    async def _run_step_in_thread(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        whole = self._threads.run(partial(self._run_step_here, resolved, execution))
        return await self._within_timeout(whole, resolved, execution)

    def _run_job_here(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        """Returns an attempt of a function from beginning to end, in this thread."""
        call = _load(resolved.plan, execution)
        value = self._bodies.function_here(resolved, call, execution)
        return self._succeeded(resolved, execution, value)

    def _run_step_here(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        call = self._load_step(resolved, execution)
        value = self._bodies.function_here(resolved, call, execution)
        return self._step_succeeded(resolved, execution, value)

    async def _run_job_isolated(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        return await self._in_process(resolved, execution, execution.job)

    async def _run_step_isolated(self, resolved: ResolvedTask, execution: Execution) -> Outcome:
        """Returns an attempt of a step in a task process, which knows nothing of the workflow."""
        call = await self._threads.run(partial(self._load_step, resolved, execution))
        payload = resolved.plan.binder.bind(call.args, call.kwargs, self._max_bytes).payload
        job = execution.job._replace(arguments=payload, run=None, step=None, workflow=None)
        outcome = await self._in_process(resolved, execution, job)
        if outcome.state is not State.SUCCEEDED or is_group(execution.job):
            return outcome
        return self._handed_on(resolved, execution, jsontext.decode(outcome.result or "null"))

    async def _in_process(
        self, resolved: ResolvedTask, execution: Execution, job: JobRecord
    ) -> Outcome:
        """Have an executor like this one make an attempt, in a task process."""
        _raise_if_stopped(execution)
        execution.interruptible = True
        pool = cast("ProcessPool", self._pool)  # there is one, or nothing was isolated
        attempt = pool.run(execution, job, resolved.task.memory)
        if resolved.timeout is None:
            return await attempt
        return await timed(attempt, resolved.timeout, execution, self._events)

    def _within_timeout(
        self, body: Awaitable[Any], resolved: ResolvedTask, execution: Execution
    ) -> Awaitable[Any]:
        execution.interruptible = resolved.task.is_async
        if resolved.timeout is None:
            return body
        return timed(body, resolved.timeout, execution, self._events)

    def _load_step(self, resolved: ResolvedTask, execution: Execution) -> Call:
        call = self._steps.load(resolved.task, resolved.plan, execution)
        _raise_if_stopped(execution)
        return call

    def _succeeded(self, resolved: ResolvedTask, execution: Execution, value: Any) -> Outcome:
        text = resolved.plan.result.write(value, self._max_bytes)
        return succeeded(execution.job.id, execution.job.attempt, text)

    def _step_succeeded(self, resolved: ResolvedTask, execution: Execution, value: Any) -> Outcome:
        if is_group(execution.job):  # its callback is an ordinary task
            return self._succeeded(resolved, execution, value)
        return self._handed_on(resolved, execution, _in_context(resolved, execution, value))

    def _handed_on(self, resolved: ResolvedTask, execution: Execution, value: Any) -> Outcome:
        text = self._steps.write(resolved.task, execution, value)
        return succeeded(execution.job.id, execution.job.attempt, text)

    _METHODS: ClassVar[dict[AttemptKind, AttemptMethods]] = {
        AttemptKind.COROUTINE: AttemptMethods(_run_job, _run_step),
        AttemptKind.COROUTINE_WITH_VALUES: AttemptMethods(_run_job, _run_step),
        AttemptKind.FUNCTION: AttemptMethods(_run_job, _run_step_in_thread),
        AttemptKind.FUNCTION_WITH_LOOP_VALUES: AttemptMethods(_run_job, _run_step),
        AttemptKind.ISOLATED: AttemptMethods(_run_job_isolated, _run_step_isolated),
    }
    """The method that makes an attempt, by kind: of an ordinary job, and of a step."""


def _leave_unreadable(job: JobRecord) -> None:
    """Raise `EarlyOutcome` for a job whose arguments could not be decrypted: others may."""
    if is_encrypted(job.arguments):
        raise EarlyOutcome(unreadable(job.id, job.attempt, job.releases))


def _raise_if_stopped(execution: Execution) -> None:
    if execution.stopped_by is not None:
        raise asyncio.CancelledError


def _load(plan: TaskPlan, execution: Execution) -> Call:
    """Returns the call of an ordinary job, unless its attempt is to stop."""
    try:
        call = plan.binder.load(execution.job.arguments)
    except jsontext.NotJSONError as error:
        raise NotRunnableError(Reason.CORRUPT, error) from None
    except Exception as error:  # noqa: BLE001 - a type's own validator may raise anything
        raise NotRunnableError(Reason.INVALID_ARGUMENTS, error) from None
    _raise_if_stopped(execution)
    return call


def _in_context(resolved: ResolvedTask, execution: Execution, value: Any) -> Any:
    """Returns the value of an ordinary task as a context holds it: in its JSON form.

    An object is one value, though its JSON form is a dict: it stands under the id of its step.
    """
    if value is None or isinstance(value, Context) or isinstance(resolved.task, StepTask):
        return value
    plain: Any = resolved.plan.result.plain(value)
    is_object = isinstance(plain, dict) and not isinstance(value, Mapping)
    if is_object and execution.step is not None and not is_branch(execution.job.step):
        return {execution.step.id: cast("Any", plain)}
    return cast("Any", plain)
