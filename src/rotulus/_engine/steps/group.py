"""The call of the callback of a group: an ordinary task that takes the outcomes of jobs."""

from collections.abc import Iterable

from rotulus._jobs.grouped import EXAMPLE, outcomes_text
from rotulus._jobs.record import JobRecord
from rotulus._tasks.arguments import Call
from rotulus._tasks.plan import TaskPlan
from rotulus._text import jsontext
from rotulus.errors import ArgumentsError


def callback_call(plan: TaskPlan, head: JobRecord, waited_for: Iterable[JobRecord]) -> Call:
    """Returns the call of a callback with the outcomes of the jobs of its group, in their order.

    Raises:
        ArgumentsError: it does not take them.
    """
    members = sorted((job for job in waited_for if job.id != head.id), key=_place)
    return _call(plan, outcomes_text(members))


def check_callback(name: str, plan: TaskPlan) -> None:
    """Raise `ArgumentsError` for a task that does not take the outcomes of jobs."""
    try:
        _call(plan, f"[{EXAMPLE}]")
    except ArgumentsError as error:
        raise ArgumentsError(
            f"then={name} cannot be called when the jobs of the group have ended: it has to take "
            f"one list, as in 'def {name.rpartition('.')[2]}(outcomes: list[JobOutcome])', and all "
            f"else by default or by its type. {error}",
            error.problems,
        ) from None


def _call(plan: TaskPlan, outcomes: str) -> Call:
    names = plan.binder.names
    if not names:
        problem = "takes no argument that a call gives"
        raise ArgumentsError(f"The callback {problem}", [problem])
    return plan.binder.load(f"{{{jsontext.encode(names[0])}:{outcomes}}}")


def _place(job: JobRecord) -> str:
    return job.step or ""
