"""What a job comes to whose parts have ended: a workflow, or a step with its branches."""

from collections.abc import Sequence

from rotulus._jobs.outcome import ErrorInfo, Outcome, cancelled, failed, read_error, succeeded
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._text import jsontext
from rotulus.store import Count

_FAILED = (State.FAILED, State.DEAD)


def workflow_outcome(job: JobRecord, counts: Sequence[Count]) -> Outcome:
    """The outcome of a workflow whose steps have ended; its result is still to be filled in.

    It failed if any step failed or was given up, whatever came after that.
    """
    if any(count.state in _FAILED for count in counts):
        error = ErrorInfo("WorkflowFailed", summary(counts))
        return failed(job.id, job.attempt, Reason.ERROR, error)
    if any(count.state is State.CANCELLED for count in counts):
        return cancelled(job.id, job.attempt)
    return succeeded(job.id, job.attempt, "")


def branches_outcome(job: JobRecord, branches: Sequence[JobRecord]) -> Outcome:
    """The outcome of a step that ran for each item; its result is still to be filled in."""
    wrong = [branch for branch in branches if branch.state != State.SUCCEEDED]
    if wrong:
        error = ErrorInfo("BranchesFailed", _what_failed(wrong, len(branches)))
        return failed(job.id, job.attempt, Reason.ERROR, error)
    return succeeded(job.id, job.attempt, "")


def results_of(branches: Sequence[JobRecord]) -> str:
    """All results in order, as the text of an array; they are texts, and need not be read."""
    return f"[{','.join(branch.result or 'null' for branch in branches)}]"


def sized(text: str, job: JobRecord, max_bytes: int, *, of_branches: bool = False) -> str:
    """The text of a result, unless it is too large; of which step it is, is said then.

    Raises:
        NotJSONError: it is, or nests too deeply.
    """
    try:
        jsontext.check_text(text, max_bytes)
    except jsontext.TooLargeError as error:
        whose = f"of step {job.step!r}" if job.step else "of the run"
        rest = "; no branch runs again" if of_branches else ""
        raise jsontext.TooLargeError(
            f"{whose} {error}: give the app a larger max_bytes, and retry{rest}"
        ) from None
    return text


def summary(counts: Sequence[Count]) -> str:
    """How the steps of a run ended: `1 task(s) failed, 4 completed, 2 skipped`."""
    totals = dict.fromkeys(State, 0)
    for count in counts:
        totals[count.state] += count.jobs
    failures = sum(totals[state] for state in _FAILED)
    text = (
        f"{failures} task(s) failed, {totals[State.SUCCEEDED]} completed, "
        f"{totals[State.SKIPPED]} skipped"
    )
    return f"{text}, {totals[State.CANCELLED]} cancelled" if totals[State.CANCELLED] else text


def _what_failed(wrong: Sequence[JobRecord], total: int) -> str:
    first = wrong[0]
    why = read_error(first.error) or first.reason or first.state
    return f"{len(wrong)} of {total} did not succeed, the first of them {first.step}: {why}"
