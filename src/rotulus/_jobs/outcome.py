"""The outcome of an attempt, from the executor to the store."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from rotulus._jobs.encrypted import UNREADABLE
from rotulus._jobs.fingerprint import fingerprint
from rotulus._jobs.states import Reason, State

OutcomeWord = Literal[
    "succeeded",
    "failed",
    "dead",
    "cancelled",
    "skipped",
    "retried",
    "lost",
    "snoozed",
    "released",
    "opened",
]
"""The outcome of an attempt in one word. The first five end a job."""

STEP = "step "
"""The prefix of the lines in place of the traceback of a run."""


class ErrorInfo(NamedTuple):
    """An error as data. It is never turned back into an exception.

    Attributes:
        type: the name of its class.
        message: its text, shortened.
        traceback: the traceback, shortened, or "" where there is none. Of a run that failed: a
            line for each of the first steps that did.
        fingerprint: twelve hexadecimal digits that failures of one cause share; "" where there is
            none, as of a run.
    """

    type: str
    message: str
    traceback: str = ""
    fingerprint: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type

    @property
    def steps(self) -> list[str]:
        """Of a run that failed: the first steps that did, and how."""
        return self.traceback.splitlines() if self.traceback.startswith(STEP) else []

    @property
    def in_full(self) -> str:
        """Its text; of a run that failed, with the first steps that did."""
        return ": ".join([str(self), *filter(None, ["; ".join(self.steps)])])


def plain_error(kind: str, message: str, traceback: str = "") -> ErrorInfo:
    """Returns an error that no code of a task has raised: those of its kind have one cause."""
    return ErrorInfo(kind, message, traceback, fingerprint(kind))


def write_error(error: ErrorInfo | None) -> str | None:
    """An error as the JSON text that is stored, without the fingerprint, which is a column."""
    return None if error is None else json.dumps(error[:3], ensure_ascii=False)


def read_error(text: str | None, fingerprint: str | None = None) -> ErrorInfo | None:
    """The error of a stored JSON text, with its fingerprint."""
    return None if text is None else ErrorInfo(*json.loads(text), fingerprint=fingerprint or "")


class Outcome(NamedTuple):
    """The outcome of one attempt. The store applies it only while that attempt is running.

    Attributes:
        id: the job.
        attempt: the attempt; together they are the fence.
        state: the state to move to: an ended one, `queued` to run again, or `blocked` to wait for
            its parts and run again then.
        reason: why, unless it succeeded; a `Reason`, or a task's own words for a cancellation.
        result: JSON text of what the task returned, when it succeeded.
        error: what was raised, if anything was.
        delay: seconds to wait before it may run again, for `queued`.
        until: the moment to wait for instead of a delay, for `queued`.
        failed: whether the attempt counts as a failure.
        progress: JSON text of the last progress the task reported, if any.
        lost: whether the attempt counts as a loss: the process that ran it died.
        parts: the jobs to add, for `blocked`.
    """

    id: str
    attempt: int
    state: State
    reason: str | None = None
    result: str | None = None
    error: ErrorInfo | None = None
    delay: float = 0.0
    until: datetime | None = None
    failed: bool = False
    progress: str | None = None
    lost: bool = False
    parts: Sequence[Any] = ()


def succeeded(job: str, attempt: int, result: str) -> Outcome:
    """The task returned."""
    return Outcome(job, attempt, State.SUCCEEDED, None, result)


def failed(job: str, attempt: int, reason: Reason, error: ErrorInfo) -> Outcome:
    """Returns the outcome of a task that failed for the last time."""
    return Outcome(job, attempt, State.FAILED, reason, error=error, failed=True)


def retried(job: str, attempt: int, error: ErrorInfo, delay: float) -> Outcome:
    """The task failed, and gets another attempt after a delay in seconds."""
    return Outcome(job, attempt, State.QUEUED, Reason.RETRY, error=error, delay=delay, failed=True)


def snoozed(job: str, attempt: int, delay: float, until: datetime | None) -> Outcome:
    """The task asked to be run later."""
    return Outcome(job, attempt, State.QUEUED, Reason.SNOOZE, delay=delay, until=until)


def released(job: str, attempt: int) -> Outcome:
    """The worker gives the job back; nothing is counted against it."""
    return Outcome(job, attempt, State.QUEUED, Reason.SHUTDOWN)


def unstarted(job: str, attempt: int) -> Outcome:
    """The worker had no slot for the job in time; nothing is counted at all."""
    return Outcome(job, attempt, State.QUEUED, Reason.UNSTARTED)


def unreadable(job: str, attempt: int, releases: int) -> Outcome:
    """The worker cannot decrypt its values: left to others for a second, then for twice as long."""
    delay = min(2.0**releases, LONGEST_UNREAD)
    error = plain_error("Unreadable", UNREADABLE)
    return Outcome(job, attempt, State.QUEUED, Reason.UNREADABLE, error=error, delay=delay)


def dead(job: str, attempt: int, reason: Reason, error: ErrorInfo) -> Outcome:
    """The framework gave up without an answer from the task."""
    return Outcome(job, attempt, State.DEAD, reason, error=error)


def skipped(job: str, attempt: int, reason: Reason) -> Outcome:
    """It was not to be run."""
    return Outcome(job, attempt, State.SKIPPED, reason)


def opened(job: str, attempt: int, parts: Sequence[Any]) -> Outcome:
    """It is made of parts, which are to be run first."""
    return Outcome(job, attempt, State.BLOCKED, Reason.OPENED, parts=parts)


def cancelled(job: str, attempt: int, reason: str = Reason.CANCELLED) -> Outcome:
    """The job is not wanted any more."""
    return Outcome(job, attempt, State.CANCELLED, reason)


def is_release(outcome: Outcome) -> bool:
    """Whether a job that had begun goes back without anything being counted against it."""
    return (
        outcome.state is State.QUEUED
        and outcome.reason != Reason.UNSTARTED
        and not (outcome.failed or outcome.lost)
    )


def outcome_word(outcome: Outcome) -> OutcomeWord:
    """Returns the outcome of an attempt in one word: its state, or why the job runs again."""
    if outcome.state is State.BLOCKED:
        return "opened"
    if outcome.state not in (State.QUEUED, State.DELAYED):
        return _ENDS[outcome.state]
    if outcome.failed:
        return "retried"
    if outcome.lost:
        return "lost"
    return "snoozed" if outcome.reason == Reason.SNOOZE else "released"


_ENDS: Mapping[State, OutcomeWord] = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.DEAD: "dead",
    State.CANCELLED: "cancelled",
    State.SKIPPED: "skipped",
}


def lost(job: str, attempt: int, losses: int, error: ErrorInfo) -> Outcome:
    """The process that ran it died: again at once the first time, later after that, or never."""
    losses += 1
    if losses >= MAX_LOSSES:
        return Outcome(job, attempt, State.DEAD, Reason.CRASH_LOOP, error=error, lost=True)
    delay = 0.0 if losses == 1 else 2.0**losses
    return Outcome(job, attempt, State.QUEUED, Reason.LOST, error=error, delay=delay, lost=True)


LONGEST_UNREAD = 300.0
"""Seconds for which a job at most is left whose values a worker could not decrypt."""

MAX_LOSSES = 3
"""A job whose process died this many times while running it is given up as `dead(crash_loop)`."""

LOST = plain_error("WorkerLost", "the worker that ran it died, or did not renew its lease in time")
"""The error of an attempt whose worker never came back."""
