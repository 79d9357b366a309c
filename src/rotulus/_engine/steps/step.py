"""A job that is a step: whether it runs, with which call, and what it hands on."""

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, cast

from rotulus._engine.execution import Execution
from rotulus._engine.parts import Parts, arguments_by_name
from rotulus._engine.steps.callbacks import call_back, callback
from rotulus._engine.steps.closing import (
    FAILED,
    NAMED,
    branches_outcome,
    results_of,
    sized,
    workflow_outcome,
)
from rotulus._engine.steps.handle import TaskHandle, forgotten
from rotulus._engine.steps.inputs import StepInputs
from rotulus._engine.steps.needs import stored_of
from rotulus._engine.verdict import NotRunnableError
from rotulus._jobs.outcome import Outcome, opened, released, skipped, succeeded
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._tasks.arguments import Call
from rotulus._tasks.plan import TaskPlan
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.paths import is_branch, split_path
from rotulus._workflows.rules import Need
from rotulus._workflows.stored import ITEM
from rotulus._workflows.tasks import StepTask, WorkflowTask
from rotulus._workflows.trigger import decide
from rotulus._workflows.workflow import Step
from rotulus.errors import (
    ArgumentsError,
    ContextError,
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
    """What a step comes to without its task being called."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Steps:
    """Runs steps: what the executor asks about jobs that have parts, or are parts.

    Args:
        store: where the runs are.
        contexts: what steps are given.
        parts: makes their parts.
        events: where callbacks and conditions that raise are told.
        max_bytes: the largest result, in bytes.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        contexts: StepInputs,
        parts: Parts,
        events: Events,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._contexts = contexts
        self._parts = parts
        self._events = events
        self._max_bytes = max_bytes

    def prepare(self, jobs: Iterable[JobRecord], ended: Iterable[JobRecord] = ()) -> None:
        """Read at once what several steps will need. A store that fails is found out later."""
        steps = [job for job in jobs if job.run is not None]
        if steps:
            with suppress(StoreError, OSError, MemoryError):
                self._contexts.fetch(steps, ended)

    def concern(self, job: JobRecord, task: AnyTask) -> bool:
        """Whether a job has or is a part, or takes a context."""
        return job.run is not None or isinstance(task, _WITH_CONTEXT)

    def load(self, task: AnyTask, plan: TaskPlan, run: Execution) -> Call:
        """The call of a step. Reads from the store.

        Raises:
            EarlyOutcome: it is not called, as it is skipped, made of parts, or has had them.
            NotRunnableError: the step is not known here, or its context does not hold what its task
                takes.
        """
        try:
            return self._load(task, plan, run)
        except StoreError:  # nothing is wrong with the step
            raise EarlyOutcome(released(run.job.id, run.job.attempt)) from None
        except (TaskNotFoundError, StepNotFoundError) as error:
            raise NotRunnableError(Reason.UNKNOWN_TASK, error) from None
        except ArgumentsError as error:
            raise NotRunnableError(Reason.INVALID_ARGUMENTS, error) from None

    def _load(self, task: AnyTask, plan: TaskPlan, run: Execution) -> Call:
        job, contexts = run.job, self._contexts
        step = run.step = contexts.definition(job)
        whole = None if is_branch(job.step) else step
        waited_for = contexts.waited_for(job)
        needs = contexts.needs(job, waited_for)
        if whole is not None:
            self._compare(job, whole, needs)
        if job.opened:
            parts = [part for part in waited_for if split_path(part.step)[0] == job.step]
            raise EarlyOutcome(self._closed(run, needs, parts[::-1]))
        if whole is not None:
            self._skip(whole, job, needs)
        given = run.given = contexts.given(job, needs)
        if whole is not None and whole.for_each is not None:
            raise EarlyOutcome(self._branch_out(whole, whole.for_each, job, given))
        if isinstance(task, WorkflowTask):
            raise EarlyOutcome(self._begin(task, job, given))
        run.context = Context(given)
        if isinstance(task, StepTask):
            return task.arguments(
                run.context, TaskHandle(run, self._events, is_async=task.is_async)
            )
        return _by_name(plan, run.context, is_branch(job.step))

    def _compare(self, job: JobRecord, step: Step, needs: list[JobRecord]) -> None:
        """Tell that a step waited for something else than it is declared to need by now."""
        stored = tuple(split_path(need.step)[1] for need in needs)
        if set(stored) != set(step.needs):
            self._events.emit(DefinitionChanged(job, stored, step.needs))

    def write(self, task: AnyTask, run: Execution, value: Any) -> str:
        """What a step hands on, or what a branch comes to, given what its task returned."""
        if forgotten(run):
            raise WorkflowError(
                f"{task.name} has called handle.defer_until(...), which has not waited: in an "
                f"async step, write: await handle.defer_until(...)"
            )
        context = Context() if run.context is None else run.context  # it may be empty
        given = HandedOn() if run.given is None else run.given
        if is_branch(run.job.step):
            return self._encode(_branch_value(given, context, value), run.job)
        if isinstance(value, Context):
            context = run.context = value
        elif isinstance(value, Mapping):
            context.update_from_dict(cast("Mapping[str, Any]", value))
        elif value is not None and isinstance(task, StepTask):
            raise ContextError(
                f"{task.name} returned {type(value).__name__}: a step returns its context, a dict "
                f"of what to set there, or nothing"
            )
        elif value is not None:
            context.set(run.step.id if run.step else "result", value)
        return self._text(run.job, given, context)

    def callback(
        self, run: Execution, outcome: Outcome
    ) -> Callable[[Callable[[Any], Any]], None] | None:
        """What is to be called, in a thread, now that a step has ended, if anything is.

        It is given a function that waits for a coroutine.
        """
        name = callback(run, outcome)
        if name is None:
            return None
        return lambda wait_for: call_back(run, outcome, name, wait_for, self._events)

    def _skip(self, step: Step, job: JobRecord, ended: list[JobRecord]) -> None:
        """Raise `EarlyOutcome` if a step is not to run. One that is replayed is."""
        if stored_of(job).edited:
            return
        needs = [Need(split_path(n.step)[1], State(n.state), n.reason) for n in ended]
        reason = decide(step.trigger, needs, lambda: self._contexts.given(job, ended))
        if reason is not None:
            raise EarlyOutcome(skipped(job.id, job.attempt, reason))

    def _branch_out(self, step: Step, key: str, job: JobRecord, given: HandedOn) -> Outcome:
        items: Any = given.get(key)
        if not isinstance(items, list):
            what = f"a {type(items).__name__}" if key in given else "missing"
            raise WorkflowError(
                f"Step {step.id!r} runs for each item of {key!r}, which is {what} in its context: "
                f"it has to be an array"
            )
        if not items:
            return succeeded(job.id, job.attempt, self._with_results(job, step.id, given, "[]"))
        parts = self._parts.of_items(step, job, given, cast("list[Any]", items))
        return opened(job.id, job.attempt, parts)

    def _begin(self, task: WorkflowTask, job: JobRecord, given: Context) -> Outcome:
        path = job.step or ""
        if path.count("/") >= DEEPEST:
            raise WorkflowError(
                f"Workflow {task.name!r} is at {path!r}, {DEEPEST} workflows deep: does one of "
                f"them contain itself?"
            )
        if job.limit_to is not None:  # who enqueued it did not know that it is a workflow
            raise WorkflowError(
                f"Workflow {task.name!r} was enqueued with limit={job.limit_to}: a run holds no "
                f"place while its steps run. Give limit= to the task of a step"
            )
        parts = self._parts.of_workflow(
            task.workflow, given.to_json(), job.queue, job.priority, path
        )
        return opened(job.id, job.attempt, parts)

    def _closed(self, run: Execution, needs: list[JobRecord], parts: list[JobRecord]) -> Outcome:
        """What a job comes to whose parts have ended. They say what it is, and not today's code."""
        job = run.job
        if all(is_branch(part.step) for part in parts):
            outcome = branches_outcome(job, parts)
            if outcome.state is State.SUCCEEDED:
                step, given = split_path(job.step)[1], self._contexts.given(job, needs)
                text = self._with_results(job, step, given, results_of(parts))
                outcome = outcome._replace(result=text)
        else:
            counts = self._store().count("step", job.run, job.step or "")
            outcome = workflow_outcome(job, counts, partial(self._culprits, job, counts))
            outcome = outcome._replace(result=self._final(job, needs, parts))
        if outcome.result is not None:
            run.context = HandedOn.from_text(outcome.result)
        return outcome

    def _culprits(self, job: JobRecord, counts: Iterable[Count]) -> list[JobRecord]:
        """A few of the steps of a workflow that failed or were given up."""
        paths = [count.group for count in counts if count.state in FAILED]
        store = self._store()
        return [
            step for path in paths[:NAMED] for step in store.find(Filter(run=job.run, step=path), 1)
        ]

    def _final(self, job: JobRecord, needs: list[JobRecord], parts: list[JobRecord]) -> str:
        """What the last steps of a workflow hand on; of a branch, what they have changed."""
        final = self._contexts.merged(parts)
        if not job.step:
            return sized(final.to_json(), job, self._max_bytes)
        given = self._contexts.given(job, needs)
        if is_branch(job.step):
            return self._encode(_branch_value(given, final, None), job)
        return self._text(job, given, final)

    def _with_results(self, job: JobRecord, step: str, given: HandedOn, results: str) -> str:
        """What a step with branches hands on; their results need no reading for that."""
        place = stored_of(job).place
        handed = given.with_text(step, results, place)
        text = sized(handed.to_json(), job, self._max_bytes, of_branches=True)
        return text if place is None else handed.to_text()

    def _text(self, job: JobRecord, given: HandedOn, after: Context) -> str:
        """What a step hands on, as it is stored."""
        text = sized(after.to_json(), job, self._max_bytes)
        place = stored_of(job).place if job.step else None
        return text if place is None else given.changed_to(after, place).to_text()

    def _encode(self, value: Any, job: JobRecord) -> str:
        return sized(jsontext.encode(value, max_bytes=sys.maxsize), job, self._max_bytes)


def _by_name(plan: TaskPlan, context: Context, branch: bool) -> Call:
    """A call of an ordinary task, its parameters taken from the context by their names."""
    item = [context[ITEM]] if branch else []
    values = arguments_by_name(plan.binder.names, context, item)
    # What it is given has been stored, so it is not too large.
    return plan.binder.load(jsontext.encode(values, max_bytes=sys.maxsize))


def _branch_value(given: Context, context: Context, value: Any) -> Any:
    """What a branch comes to: what it returned, or else what it changed in its context."""
    if value is not None and not isinstance(value, Context):
        return value
    after = context if value is None else value
    changes = after.changes_since(given)
    changes.pop(ITEM, None)
    return changes
