"""What a job comes to whose parts have ended: a workflow, or a step with its branches."""

from collections.abc import Sequence
from typing import Any

from rotulus._jobs.outcome import ErrorInfo, Outcome, cancelled, failed, read_error, succeeded
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._text import jsontext
from rotulus.store import Count

_FAILED = (State.FAILED, State.DEAD)


def close_workflow(
    job: JobRecord, counts: Sequence[Count], final: dict[str, Any], max_bytes: int
) -> Outcome:
    """The outcome of a workflow whose steps have ended; its result is the final context.

    It failed if any step failed or was given up, whatever came after that.
    """
    result = jsontext.encode(final, max_bytes=max_bytes)
    if any(count.state in _FAILED for count in counts):
        error = ErrorInfo("WorkflowFailed", summary(counts))
        return failed(job.id, job.attempt, Reason.ERROR, error)._replace(result=result)
    if any(count.state is State.CANCELLED for count in counts):
        return cancelled(job.id, job.attempt)._replace(result=result)
    return succeeded(job.id, job.attempt, result)


def close_branches(
    job: JobRecord,
    step: str,
    given: dict[str, Any],
    branches: Sequence[JobRecord],
    max_bytes: int,
) -> Outcome:
    """The outcome of a step that ran for each item: all results in order, under its id."""
    wrong = [branch for branch in branches if branch.state != State.SUCCEEDED]
    if wrong:
        error = ErrorInfo("BranchesFailed", _what_failed(wrong, len(branches)))
        return failed(job.id, job.attempt, Reason.ERROR, error)
    # Each result is the text of a JSON value already: nothing is gained by reading them.
    results = f"[{','.join(branch.result or 'null' for branch in branches)}]"
    rest = {key: value for key, value in given.items() if key != step}
    before = jsontext.encode(rest, max_bytes=max_bytes)[:-1]
    text = f"{before}{',' if rest else ''}{jsontext.encode(step)}:{results}}}"
    jsontext.check_text(text, max_bytes)
    return succeeded(job.id, job.attempt, text)


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
