"""`on_success` and `on_failure` of steps: called once, at the end, and unable to change it."""

from collections.abc import Callable
from typing import Any

from rotulus._engine.execution import Execution
from rotulus._engine.verdict import describe_error
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.states import State
from rotulus._workflows.context import Context
from rotulus._workflows.paths import is_branch
from rotulus.events import CallbackFailed, Events


def callback(execution: Execution, outcome: Outcome) -> str | None:
    """Returns the name of the callback that an outcome calls for; None: none. A branch has none."""
    if execution.step is None or is_branch(execution.job.step):
        return None
    name = {
        State.SUCCEEDED: "on_success",
        State.FAILED: "on_failure",
        State.DEAD: "on_failure",
    }.get(outcome.state)
    return name if name and getattr(execution.step, name) is not None else None


def call_back(
    execution: Execution,
    outcome: Outcome,
    name: str,
    wait_for: Callable[[Any], Any],
    events: Events,
) -> None:
    """Call a callback, with a copy of the context; an error of it is told, and changes nothing.

    Args:
        execution: the attempt.
        outcome: its outcome.
        name: the name of the callback.
        wait_for: waits for a coroutine, if that is what it returns.
        events: where it is told that it raised.
    """
    function: Callable[..., Any] = getattr(execution.step, name)
    step = execution.step.id if execution.step is not None else ""
    context = Context(execution.context)
    error = [str(outcome.error or outcome.reason)] if name == "on_failure" else []
    try:
        wait_for(function(step, *error, context))
    except BaseException as problem:  # noqa: BLE001 - the step has ended, whatever this raises
        events.emit(CallbackFailed(execution.job, name, describe_error(problem)))
