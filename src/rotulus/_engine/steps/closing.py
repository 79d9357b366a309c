"""The outcome of a job whose parts have ended: of a workflow, or a step with its branches."""

from collections.abc import Callable, Sequence

from rotulus._jobs.outcome import STEP, ErrorInfo, Outcome, cancelled, failed, read_error, succeeded
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus.store import Count

FAILED = (State.FAILED, State.DEAD)
"""The states that make a run fail."""

_PASSED = (State.SUCCEEDED, State.SKIPPED)
"""The states of branches that hold nothing up: one that an operator skipped has no result."""

NAMED = 3
"""How many of the steps that failed are named."""

_LONGEST = 300
"""How many characters of the error of a step are told of a run."""


def workflow_outcome(
    job: JobRecord, counts: Sequence[Count], culprits: Callable[[], Sequence[JobRecord]]
) -> Outcome:
    """The outcome of a workflow whose steps have ended; its result is still to be filled in.

    It failed if any step failed or was given up, also when later steps succeeded.

    Args:
        job: its job.
        counts: how its steps ended.
        culprits: reads some of those that failed or were given up.
    """
    if any(count.state in FAILED for count in counts):
        lines = [line for step in culprits() for line in _lines(step)][:NAMED]
        error = ErrorInfo("WorkflowFailed", summary(counts), "\n".join(lines))
        return failed(job.id, job.attempt, Reason.ERROR, error)
    if any(count.state is State.CANCELLED for count in counts):
        return cancelled(job.id, job.attempt)
    return succeeded(job.id, job.attempt, "")


def branches_outcome(job: JobRecord, branches: Sequence[JobRecord]) -> Outcome:
    """Returns the outcome of a step that ran for each item; its result is still to be filled in."""
    wrong = [branch for branch in branches if branch.state not in _PASSED]
    if wrong:
        error = ErrorInfo("BranchesFailed", _what_failed(wrong, len(branches)))
        return failed(job.id, job.attempt, Reason.ERROR, error)
    return succeeded(job.id, job.attempt, "")


def summary(counts: Sequence[Count]) -> str:
    """How the steps of a run ended: `1 task(s) failed, 4 completed, 2 skipped`."""
    totals = dict.fromkeys(State, 0)
    for count in counts:
        totals[count.state] += count.jobs
    failures = sum(totals[state] for state in FAILED)
    text = (
        f"{failures} task(s) failed, {totals[State.SUCCEEDED]} completed, "
        f"{totals[State.SKIPPED]} skipped"
    )
    return f"{text}, {totals[State.CANCELLED]} cancelled" if totals[State.CANCELLED] else text


def _lines(step: JobRecord) -> list[str]:
    """How a step failed; of one that is a workflow, how its own steps did."""
    error = read_error(step.error)
    if error is not None and error.steps:
        return error.steps
    how = "was given up" if step.state == State.DEAD else "failed"
    text = " ".join(str(error or step.reason or "").split())
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return [f"{STEP}{step.step!r} (job {step.id}) {how}: {shown}"]


def _what_failed(wrong: Sequence[JobRecord], total: int) -> str:
    first = wrong[0]
    error = read_error(first.error)
    why = error.in_full if error else first.reason or first.state
    return f"{len(wrong)} of {total} did not succeed, the first of them {first.step}: {why}"
