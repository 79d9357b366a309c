"""`on_success` and `on_failure` of steps: called once, at the end, and unable to change it."""

from collections.abc import Callable
from typing import Any

from rotulus._engine.execution import Execution
from rotulus._engine.failure import describe_error
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.states import State
from rotulus._workflows.context import Context
from rotulus._workflows.paths import is_branch
from rotulus.events import CallbackFailed, Events


def callback(run: Execution, outcome: Outcome) -> str | None:
    """Which callback of its step this attempt has come to, if it has; a branch has none."""
    if run.step is None or is_branch(run.job.step):
        return None
    name = {
        State.SUCCEEDED: "on_success",
        State.FAILED: "on_failure",
        State.DEAD: "on_failure",
    }.get(outcome.state)
    return name if name and getattr(run.step, name) is not None else None


def call_back(
    run: Execution, outcome: Outcome, name: str, wait_for: Callable[[Any], Any], events: Events
) -> None:
    """Call it, with a copy of the context; what it raises is told, and nothing else.

    Args:
        run: the attempt.
        outcome: what it came to.
        name: which one.
        wait_for: waits for a coroutine, if that is what it returns.
        events: where it is told that it raised.
    """
    function: Callable[..., Any] = getattr(run.step, name)
    step = run.step.id if run.step is not None else ""
    context = Context(run.context)
    error = [str(outcome.error or outcome.reason)] if name == "on_failure" else []
    try:
        wait_for(function(step, *error, context))
    except BaseException as problem:  # noqa: BLE001 - the step has ended, whatever this raises
        events.emit(CallbackFailed(run.job, name, describe_error(problem)))
