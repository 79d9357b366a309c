"""Events of attempts: they start, end, lose their lease, wait, and do not stop."""

import logging
from dataclasses import dataclass
from typing import Any

from rotulus._jobs.log_filter import job_fields
from rotulus._jobs.outcome import ErrorInfo, Outcome, outcome_word
from rotulus._jobs.port import Progress
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._text.words import many
from rotulus.events.event import Event


@dataclass(frozen=True)
class AttemptStarted(Event):
    """A worker begins to run a job."""

    job: JobRecord


@dataclass(frozen=True)
class ProgressReported(Event):
    """A task that runs here and now, by `App.run`, says how far it has got."""

    job: JobRecord
    progress: Progress


@dataclass(frozen=True)
class AttemptSucceeded(Event, level=logging.DEBUG):
    """A task returned, after so many seconds."""

    job: JobRecord
    outcome: Outcome
    seconds: float

    def line(self) -> str:
        """Which job it was, and how long it took."""
        return f"succeeded {_attempt(self.job, self.seconds)}"

    def data(self) -> dict[str, Any]:
        """Returns the job, and its outcome."""
        return _attempt_data(self.job, self.outcome, self.seconds, "succeeded")


@dataclass(frozen=True)
class AttemptFailed(Event, level=logging.WARNING):
    """An attempt came to anything else: retried, failed, dead, cancelled or given back.

    `error` is the exception that its task raised, with the traceback from the task on. It is None
    when there was none, and when the task ran in a process of its own: then `outcome.error` has the
    same as text. Do not keep it: it keeps alive what the frames of the task refer to.
    """

    job: JobRecord
    outcome: Outcome
    seconds: float
    error: BaseException | None = None

    @property
    def level(self) -> int:
        """ERROR for a problem that needs a person, WARNING for an attempt that is tried again."""
        if self.outcome.reason == Reason.UNREADABLE:
            return logging.ERROR
        return _LEVELS.get(self.outcome.state, logging.WARNING)

    @property
    def raised(self) -> BaseException | None:
        """The exception of the task in this process."""
        return self.error

    def line(self) -> str:
        """Returns the outcome, the job, and the exception."""
        outcome, what = self.outcome, outcome_word(self.outcome)
        comes_again = what in ("retried", "lost") or outcome.reason == Reason.UNREADABLE
        wait = f"  again in {outcome.delay:.1f} s" if comes_again else ""
        error = f"  {outcome.error}" if outcome.error else ""
        shown = f"began the {many(len(outcome.parts), 'part')} of" if what == "opened" else what
        return f"{shown} {_attempt(self.job, self.seconds)}{wait}{error}"

    def data(self) -> dict[str, Any]:
        """Returns the job, its outcome, and the traceback."""
        data = _attempt_data(self.job, self.outcome, self.seconds, outcome_word(self.outcome))
        return data | _traceback(self.outcome.error)


_LEVELS = {
    State.BLOCKED: logging.DEBUG,
    State.SKIPPED: logging.INFO,
    State.CANCELLED: logging.INFO,
    State.FAILED: logging.ERROR,
    State.DEAD: logging.ERROR,
}


@dataclass(frozen=True)
class CallbackFailed(Event, level=logging.ERROR):
    """The `on_success` or the `on_failure` of a step raised; the step is as it was."""

    job: JobRecord
    callback: str
    error: ErrorInfo

    def line(self) -> str:
        """Which callback raised, and what."""
        return f"{self.callback} of {_name(self.job)} raised {self.error}: the step is as it was"

    def data(self) -> dict[str, Any]:
        """Returns the job, the callback, and the traceback."""
        return {**job_fields(self.job), "callback": self.callback, **_traceback(self.error)}


@dataclass(frozen=True)
class MiddlewareFailed(Event, level=logging.ERROR):
    """A middleware raised around an attempt or an enqueue, which goes on, or ends, without it.

    Attributes:
        job: the job of the attempt; None around an enqueue.
        middleware: the middleware.
        error: what it raised.
        task: the name of the task, or the names, around an enqueue.
    """

    job: JobRecord | None
    middleware: object
    error: BaseException
    task: str = ""

    @property
    def raised(self) -> BaseException:
        """The exception of the middleware."""
        return self.error

    def line(self) -> str:
        """Which middleware raised around which job, and what."""
        what = f"an enqueue of {self.task}" if self.job is None else _name(self.job)
        return f"{type(self.middleware).__name__} raised {self.error!r} around {what}"

    def data(self) -> dict[str, Any]:
        """Returns the job, or the task, and the class of the middleware."""
        about = {"task": self.task} if self.job is None else job_fields(self.job)
        return {**about, "middleware": type(self.middleware).__name__}


@dataclass(frozen=True)
class ConditionFailed(Event, level=logging.WARNING):
    """The condition of a step that is deferred raised; it counts as one that does not hold."""

    job: JobRecord
    error: ErrorInfo

    def line(self) -> str:
        """Which job waits for the condition, and what was raised."""
        text = f"the condition that {_name(self.job)} waits for raised {self.error}"
        return f"{text}: it does not hold"

    def data(self) -> dict[str, Any]:
        """Returns the job, and the traceback."""
        return {**job_fields(self.job), **_traceback(self.error)}


@dataclass(frozen=True)
class DefinitionChanged(Event, level=logging.WARNING):
    """A step needs something else now than when its run began, and is run as the run began."""

    job: JobRecord
    stored: tuple[str, ...]
    declared: tuple[str, ...]

    def line(self) -> str:
        """Returns the needs of the step, then and as declared now."""
        job = self.job
        return (
            f"step {job.step!r} of {job.workflow} {job.run} waited for {_names(self.stored)}, and "
            f"is declared to need {_names(self.declared)} by now: the run goes on as it began"
        )

    def data(self) -> dict[str, Any]:
        """Returns the job, and its place in its run."""
        return {"job": self.job.id, "run": self.job.run, "step": self.job.step}


@dataclass(frozen=True)
class OutcomeRefused(Event, level=logging.WARNING):
    """The store did not take an outcome: another attempt has begun, or the job has ended."""

    job_id: str
    attempt: int

    def line(self) -> str:
        """Which attempt it was."""
        return f"outcome of {self.job_id} attempt {self.attempt} refused: it is no longer ours"

    def data(self) -> dict[str, Any]:
        """Returns the job, and the attempt."""
        return {"job": self.job_id, "attempt": self.attempt}


@dataclass(frozen=True)
class ResultAwaited(Event, level=logging.WARNING):
    """A task waits for the result of another job and keeps its slot; told once for each task.

    When all slots are taken by jobs that wait like that, nothing runs what they wait for.
    """

    job: JobRecord
    awaited: str

    def line(self) -> str:
        """Which job waits, for which one, and what to do instead."""
        return (
            f"{_name(self.job)} waits for the result of job {self.awaited} within a task, and "
            f"keeps its slot: when all slots are taken by jobs that wait, nothing runs what they "
            f"wait for. Make them steps of a workflow (told once for each task)"
        )

    def data(self) -> dict[str, Any]:
        """Returns the job that waits, and the one that it waits for."""
        return {**job_fields(self.job), "awaited": self.awaited}


@dataclass(frozen=True)
class LeaseLost(Event, level=logging.WARNING):
    """A job that runs here belongs to somebody else by now; its body is told to stop."""

    job_id: str
    attempt: int

    def line(self) -> str:
        """Which attempt it was."""
        return f"lease of {self.job_id} attempt {self.attempt} lost: its body is told to stop"

    def data(self) -> dict[str, Any]:
        """Returns the job, and the attempt."""
        return {"job": self.job_id, "attempt": self.attempt}


@dataclass(frozen=True)
class BodyStuck(Event, level=logging.WARNING):
    """A body was told to stop and did not. Its slot is free again; it runs on in the process."""

    job: JobRecord
    reason: str

    def line(self) -> str:
        """Which job it is, and why it was told to stop."""
        return (
            f"{_name(self.job)} did not stop ({self.reason}): its slot is free, its body runs on "
            f"in this process until it ends by itself"
        )

    def data(self) -> dict[str, Any]:
        """Returns the job, and the reason."""
        return {**job_fields(self.job), "reason": self.reason}


def _attempt(job: JobRecord, seconds: float) -> str:
    return f"{_name(job)} attempt {job.attempt} {seconds * 1000:.0f} ms"


def _name(job: JobRecord) -> str:
    """A job in a line: its task and its id, and, of a part of a run, which step that is."""
    text = f"{job.task} {job.id}"
    return f"{text} (step {job.step} of run {job.run})" if job.step else text


def _names(steps: tuple[str, ...]) -> str:
    return ", ".join(map(repr, steps)) or "nothing"


def _attempt_data(job: JobRecord, outcome: Outcome, seconds: float, what: str) -> dict[str, Any]:
    return {
        "event": "attempt",
        "outcome": what,
        **job_fields(job),
        "queue": job.queue,
        "reason": outcome.reason,
        "error": str(outcome.error) if outcome.error else None,
        "duration_ms": round(seconds * 1000, 3),
    }


def _traceback(error: ErrorInfo | None) -> dict[str, str]:
    return {"traceback": error.traceback} if error is not None and error.traceback else {}
