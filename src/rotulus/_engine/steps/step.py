"""The attempt of a step: whether it runs, with which call, or which parts it opens."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from rotulus._engine.execution import Execution
from rotulus._engine.job_factory import Parts, arguments_by_name, inherit
from rotulus._engine.steps.callbacks import call_back, callback
from rotulus._engine.steps.closing import (
    FAILED,
    NAMED,
    branches_outcome,
    workflow_outcome,
)
from rotulus._engine.steps.group import callback_call
from rotulus._engine.steps.handle import TaskHandle, forgotten
from rotulus._engine.steps.inputs import StepInputs
from rotulus._engine.steps.needs import stored_of
from rotulus._engine.steps.results import StepResults
from rotulus._engine.verdict import NotRunnableError
from rotulus._jobs.encrypted import UnreadableError
from rotulus._jobs.grouped import is_group, is_member
from rotulus._jobs.outcome import Outcome, opened, released, skipped, succeeded, unreadable
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._tasks.arguments import Call
from rotulus._tasks.plan import TaskPlan
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.paths import is_branch, split_path
from rotulus._workflows.stored import ITEM
from rotulus._workflows.tasks import StepTask, WorkflowTask
from rotulus._workflows.trigger import Need, decide, lacks_success
from rotulus._workflows.workflow import Step
from rotulus.errors import (
    ArgumentsError,
    StepNotFoundError,
    StoreError,
    TaskNotFoundError,
    WorkflowError,
)
from rotulus.events import DefinitionChanged, Events
from rotulus.store import Count, Filter, Store

DEEPEST = 16
"""How many workflows may run within each other: one that contains itself would never end."""

AnyTask = Task[..., Any, Any]

_WITH_CONTEXT = (WorkflowTask, StepTask)


class EarlyOutcome(Exception):  # noqa: N818 - a signal to the executor, not an error
    """The outcome of a step whose task is not called."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Steps:
    """Loads the calls of steps and writes their results, for the executor.

    Args:
        store: where the runs are.
        inputs: reads the contexts that steps begin with.
        parts: makes their parts.
        events: where callbacks and conditions that raise are told.
        max_bytes: the largest result, in bytes.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        inputs: StepInputs,
        parts: Parts,
        events: Events,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._inputs = inputs
        self._parts = parts
        self._events = events
        self._results = StepResults(max_bytes)

    def prepare(self, jobs: Iterable[JobRecord], ended: Iterable[JobRecord] = ()) -> None:
        """Read at once what several steps need.

        Where the store fails, or not all of it can be decrypted, each reads by itself.
        """
        steps = [job for job in jobs if job.run is not None]
        if steps:
            with suppress(StoreError, UnreadableError, OSError, MemoryError):
                self._inputs.fetch(steps, ended)

    def is_step(self, job: JobRecord, task: AnyTask) -> bool:
        """Returns whether a job is a step, a branch, a workflow or a group, or takes a context."""
        in_run = job.run is not None and not is_member(job)
        return in_run or isinstance(task, _WITH_CONTEXT)

    def load(self, task: AnyTask, plan: TaskPlan, execution: Execution) -> Call:
        """Returns the call of a step. Reads from the store.

        Raises:
            EarlyOutcome: it is not called, as it is skipped, made of parts, or has had them.
            NotRunnableError: the step is not known here, or its context does not hold what its task
                takes.
        """
        try:
            return self._load(task, plan, execution)
        except UnreadableError:
            job = execution.job
            raise EarlyOutcome(unreadable(job.id, job.attempt, job.releases)) from None
        except StoreError:  # nothing is wrong with the step
            raise EarlyOutcome(released(execution.job.id, execution.job.attempt)) from None
        except (TaskNotFoundError, StepNotFoundError) as error:
            raise NotRunnableError(Reason.UNKNOWN_TASK, error) from None
        except ArgumentsError as error:
            raise NotRunnableError(Reason.INVALID_ARGUMENTS, error) from None

    def _load(self, task: AnyTask, plan: TaskPlan, execution: Execution) -> Call:
        job, inputs = execution.job, self._inputs
        if is_group(job):
            return callback_call(plan, job, inputs.waited_for(job))
        if is_member(job):
            raise WorkflowError(
                f"{task.name!r} is a workflow or a step of one, and was added to a group where "
                f"that was not known: a group is made of jobs of ordinary tasks"
            )
        if not job.opened and job.workflow is not None and job.step and stored_of(job).skip:
            raise EarlyOutcome(skipped(job.id, job.attempt, self._why_skipped(job)))
        step = execution.step = inputs.definition(job)
        whole = None if is_branch(job.step) else step
        waited_for = inputs.waited_for(job)
        needs = inputs.needs(job, waited_for)
        if whole is not None:
            self._compare(job, whole, needs)
        if job.opened:
            parts = [part for part in waited_for if split_path(part.step)[0] == job.step]
            raise EarlyOutcome(self._close(execution, needs, parts[::-1]))
        if whole is not None:
            self._raise_if_skipped(whole, job, needs)
        step_input = execution.step_input = inputs.of(job, needs)
        if whole is not None and whole.for_each is not None:
            raise EarlyOutcome(self._open_branches(whole, whole.for_each, job, step_input))
        if isinstance(task, WorkflowTask):
            raise EarlyOutcome(self._open_workflow(task, job, step_input))
        execution.context = Context(step_input)
        if isinstance(task, StepTask):
            return task.arguments(
                execution.context, TaskHandle(execution, self._events, is_async=task.is_async)
            )
        return _by_name(plan, execution.context, is_branch(job.step))

    def _compare(self, job: JobRecord, step: Step, needs: list[JobRecord]) -> None:
        """Emit an event if the needs of a step are not those that its workflow declares now."""
        stored = tuple(split_path(need.step)[1] for need in needs)
        if set(stored) != set(step.needs):
            self._events.emit(DefinitionChanged(job, stored, step.needs))

    def write(self, task: AnyTask, execution: Execution, value: Any) -> str:
        """Returns the result of a step or a branch as JSON text, given what its task returned."""
        if forgotten(execution):
            raise WorkflowError(
                f"{task.name} has called handle.defer_until(...), which has not waited: in an "
                f"async step, write: await handle.defer_until(...)"
            )
        return self._results.of_returned(task, execution, value)

    def callback(
        self, execution: Execution, outcome: Outcome
    ) -> Callable[[Callable[[Any], Any]], None] | None:
        """Returns a function that calls the callback of a step that has ended, if it has one.

        To be called in a thread, with a function that waits for a coroutine.
        """
        name = callback(execution, outcome)
        if name is None:
            return None
        return lambda wait_for: call_back(execution, outcome, name, wait_for, self._events)

    def _raise_if_skipped(self, step: Step, job: JobRecord, ended: list[JobRecord]) -> None:
        """Raise `EarlyOutcome` if a step is not to run; a step that is replayed runs."""
        if stored_of(job).edited:
            return
        reason = decide(step.trigger, _as_needs(ended), lambda: self._inputs.of(job, ended))
        if reason is not None:
            raise EarlyOutcome(skipped(job.id, job.attempt, reason))

    def _why_skipped(self, job: JobRecord) -> Reason:
        """Returns why a step that an operator has skipped before its turn does not run.

        A failure before the step comes first, unless the step would have run all the same.
        """
        if stored_of(job).edited:
            return Reason.OPERATOR
        rule = None
        with suppress(TaskNotFoundError, StepNotFoundError):  # skipped, though it is not known
            step = self._inputs.definition(job)
            rule = None if step is None else step.trigger
        ended = self._inputs.needs(job, self._inputs.waited_for(job))
        return Reason.NEED_FAILED if lacks_success(rule, _as_needs(ended)) else Reason.OPERATOR

    def _open_branches(self, step: Step, key: str, job: JobRecord, step_input: HandedOn) -> Outcome:
        items: Any = step_input.get(key)
        if not isinstance(items, list):
            what = f"a {type(items).__name__}" if key in step_input else "missing"
            raise WorkflowError(
                f"Step {step.id!r} runs for each item of {key!r}, which is {what} in its context: "
                f"it has to be an array"
            )
        if not items:
            result = self._results.of_branches(job, step.id, step_input, [])
            return succeeded(job.id, job.attempt, result)
        parts = self._parts.of_items(step, job, step_input, cast("list[Any]", items))
        return opened(job.id, job.attempt, inherit(parts, job))

    def _open_workflow(self, task: WorkflowTask, job: JobRecord, step_input: Context) -> Outcome:
        path = job.step or ""
        if path.count("/") >= DEEPEST:
            raise WorkflowError(
                f"Workflow {task.name!r} is at {path!r}, {DEEPEST} workflows deep: does one of "
                f"them contain itself?"
            )
        if job.limit_to is not None:  # it was enqueued where the task was not known
            raise WorkflowError(
                f"Workflow {task.name!r} was enqueued with limit={job.limit_to}: a run holds no "
                f"place while its steps run. Give limit= to the task of a step"
            )
        parts = self._parts.of_workflow(
            task.workflow, step_input.to_json(), job.queue, job.priority, path
        )
        return opened(job.id, job.attempt, inherit(parts, job))

    def _close(
        self, execution: Execution, needs: list[JobRecord], parts: list[JobRecord]
    ) -> Outcome:
        """Returns the outcome of a job whose parts have ended.

        The parts say whether it is a workflow or has branches: the code may have changed.
        """
        job = execution.job
        if all(is_branch(part.step) for part in parts):
            outcome = branches_outcome(job, parts)
            if outcome.state is State.SUCCEEDED:
                step, step_input = split_path(job.step)[1], self._inputs.of(job, needs)
                result = self._results.of_branches(job, step, step_input, parts)
                outcome = outcome._replace(result=result)
        else:
            counts = self._store().count("step", job.run, job.step or "")
            outcome = workflow_outcome(job, counts, partial(self._culprits, job, counts))
            final = self._inputs.merged(parts)
            step_input = self._inputs.of(job, needs) if job.step else None
            result = self._results.of_workflow(job, step_input, final)
            outcome = outcome._replace(result=result)
        if outcome.result is not None:
            execution.context = HandedOn.from_text(outcome.result)
        return outcome

    def _culprits(self, job: JobRecord, counts: Iterable[Count]) -> list[JobRecord]:
        """Returns a few of the steps of a workflow that failed or were given up."""
        paths = [count.group for count in counts if count.state in FAILED]
        store = self._store()
        return [
            step for path in paths[:NAMED] for step in store.find(Filter(run=job.run, step=path), 1)
        ]


def _as_needs(ended: Iterable[JobRecord]) -> list[Need]:
    """Returns jobs as trigger rules see them."""
    return [Need(split_path(job.step)[1], State(job.state), job.reason) for job in ended]


def _by_name(plan: TaskPlan, context: Context, branch: bool) -> Call:
    """Returns a call of an ordinary task, its parameters taken from the context by their names."""
    item = [context[ITEM]] if branch else []
    values = arguments_by_name(plan.binder.names, context, item)
    # What it is given has been stored, so it is not too large.
    return plan.binder.load(jsontext.encode(values, max_bytes=sys.maxsize))
