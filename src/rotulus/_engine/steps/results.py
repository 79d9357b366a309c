"""The results of steps, branches and workflows: the texts that are stored, and handed on."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rotulus._engine.execution import Execution
from rotulus._engine.steps.needs import stored_of
from rotulus._jobs.record import JobRecord
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._workflows.context import Context, changes
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.paths import is_branch
from rotulus._workflows.stored import ITEM
from rotulus._workflows.tasks import StepTask
from rotulus.errors import ContextError


class StepResults:
    """Writes results as JSON text.

    Every method raises `NotJSONError` for one that is too large.

    Args:
        max_bytes: the largest result, in bytes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def of_returned(self, task: Task[..., Any, Any], execution: Execution, value: Any) -> str:
        """Returns the result of a step or a branch whose task returned a value.

        Raises:
            ContextError: a step cannot return that.
        """
        context = Context() if execution.context is None else execution.context  # it may be empty
        step_input = HandedOn() if execution.step_input is None else execution.step_input
        if is_branch(execution.job.step):
            return self._of_branch(execution.job, step_input, context, value)
        if isinstance(value, Context):
            context = execution.context = value
        elif isinstance(value, Mapping):
            context.update_from_dict(cast("Mapping[str, Any]", value))
        elif value is not None and isinstance(task, StepTask):
            raise ContextError(
                f"{task.name} returned {type(value).__name__}: a step returns its context, a dict "
                f"of what to set there, or nothing"
            )
        elif value is not None:
            context.set(execution.step.id if execution.step else "result", value)
        return self._of_step(execution.job, step_input, context)

    def of_branches(
        self, job: JobRecord, step: str, step_input: HandedOn, branches: Sequence[JobRecord]
    ) -> str:
        """Returns the result of a step whose branches have succeeded, or were skipped.

        Their own results are texts, in order those of an array: they need no reading for that. In
        the place of one that was skipped stands `null`.
        """
        array = f"[{','.join(branch.result or 'null' for branch in branches)}]"
        place = stored_of(job).place
        handed = step_input.with_text(step, array, place)
        text = self._sized(handed.to_json(), job, of_branches=True)
        return text if place is None else handed.to_text()

    def of_workflow(self, job: JobRecord, step_input: HandedOn | None, final: HandedOn) -> str:
        """Returns the result of a workflow: what its last steps hand on.

        Args:
            job: its job: a run, or a step or a branch of another workflow.
            step_input: the context that a step or a branch began with; None of a run.
            final: what the last steps hand on, merged.
        """
        if step_input is None:
            return self._sized(final.to_json(), job)
        if is_branch(job.step):
            return self._of_branch(job, step_input, final, None)
        return self._of_step(job, step_input, final)

    def _of_step(self, job: JobRecord, step_input: HandedOn, after: Context) -> str:
        text = self._sized(after.to_json(), job)
        place = stored_of(job).place if job.step else None
        return text if place is None else step_input.changed_to(after, place).to_text()

    def _of_branch(self, job: JobRecord, step_input: Context, context: Context, value: Any) -> str:
        """The value of a branch: what it returned, or else what it changed in its context."""
        if value is None or isinstance(value, Context):
            after = context if value is None else value
            value = changes(step_input, after)
            value.pop(ITEM, None)
        return self._sized(jsontext.encode(value, max_bytes=sys.maxsize), job)

    def _sized(self, text: str, job: JobRecord, *, of_branches: bool = False) -> str:
        """Returns the text of a result. Raises `NotJSONError` if it is too large."""
        try:
            jsontext.check_text(text, self._max_bytes)
        except jsontext.TooLargeError as error:
            whose = f"of step {job.step!r}" if job.step else "of the run"
            rest = "; no branch runs again" if of_branches else ""
            raise jsontext.TooLargeError(
                f"{whose} {error}: give the app a larger max_bytes, and retry{rest}"
            ) from None
        return text
