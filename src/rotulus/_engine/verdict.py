"""The verdict on an attempt that raised: a retry, a failure, a release; and its error as data."""

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rotulus._engine.execution import Execution, Stop
from rotulus._jobs import outcome as outcomes
from rotulus._jobs.fingerprint import fingerprint, fingerprint_of
from rotulus._jobs.outcome import ErrorInfo, Outcome
from rotulus._jobs.retry import NO_RETRY, Retry
from rotulus._jobs.signals import Cancel, Snooze
from rotulus._jobs.states import Reason
from rotulus._text.jsontext import NotJSONError
from rotulus.errors import CipherError, ResultError, StoreRefusedError

UNWRITABLE = (StoreRefusedError, CipherError, ValueError, TypeError, OverflowError)
"""What a store raises for an outcome, and raises again for the same one. Other errors may pass."""

LONGEST_MESSAGE = 2_000
LONGEST_TRACEBACK = 16_000

_OURS = str(Path(__file__).parent.parent)
_SHOP = str(Path(_OURS) / "demo")
"""Where tasks are that come with us: their frames are those of a task."""


class NotRunnableError(Exception):
    """A job is dead: the framework gives it up before its task is called."""

    def __init__(self, reason: Reason, cause: BaseException) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Verdict:
    """Judges what attempts raised.

    Attributes:
        retry: the policy of tasks that have none of their own.
        chance: random numbers from 0 to 1, to spread delays.
        carried: the policy of a task that is carried to an endpoint, by its name.
    """

    retry: Retry
    chance: Callable[[], float]
    carried: Callable[[str], Retry | None]

    def judge(self, error: BaseException, policy: Retry | None, execution: Execution) -> Outcome:
        """Returns the outcome of an attempt that raised this.

        Args:
            error: what was raised.
            policy: the task's own retry policy.
            execution: the attempt.
        """
        job, attempt = execution.job.id, execution.job.attempt
        policy = policy or self.carried(execution.job.task)
        if isinstance(error, NotRunnableError):
            return outcomes.dead(job, attempt, error.reason, _described(error.cause, execution))
        if execution.stopped_by in (Stop.SHUTDOWN, Stop.LOST):
            return outcomes.released(job, attempt)
        if execution.stopped_by is Stop.CANCELLED and isinstance(
            error, asyncio.CancelledError | Cancel
        ):
            return outcomes.cancelled(job, attempt)
        match error:
            case Snooze():
                return outcomes.snoozed(job, attempt, error.delay or 0.0, error.until)
            case Cancel():
                return outcomes.cancelled(job, attempt, describe_error(error).message)
            case ResultError():
                return outcomes.failed(job, attempt, Reason.RESULT, _described(error, execution))
            case NotJSONError():
                problem = ResultError(f"the result {error}")
                return outcomes.failed(job, attempt, Reason.RESULT, _described(problem, execution))
            case Retry():
                return self._again(error, policy or self._standing() or error, execution)
            case _:
                return self._failed(error, policy or self.retry, execution)

    def _standing(self) -> Retry | None:
        return None if self.retry is NO_RETRY else self.retry

    def _again(self, request: Retry, policy: Retry, execution: Execution) -> Outcome:
        """Returns the outcome of an attempt that asked for another one."""
        return self._decide(request.__cause__ or request, policy, execution, request.after)

    def _failed(self, error: BaseException, policy: Retry, execution: Execution) -> Outcome:
        return self._decide(error, policy if policy.wants(error) else NO_RETRY, execution, None)

    def _decide(
        self, error: BaseException, policy: Retry, execution: Execution, after: float | None
    ) -> Outcome:
        job, failures = execution.job, execution.job.failures + 1
        info = _described(error, execution)
        if failures >= policy.attempts:
            reason = Reason.TIMEOUT if execution.timed_out else Reason.ERROR
            return outcomes.failed(job.id, job.attempt, reason, info)
        delay = policy.seconds(failures, self.chance()) if after is None else after
        return outcomes.retried(job.id, job.attempt, info, delay)


def _described(error: BaseException, execution: Execution) -> ErrorInfo:
    """Returns the error as data; the attempt keeps the exception until its event is emitted."""
    execution.error = BaseException.with_traceback(error, own_frames(error.__traceback__))
    return describe_error(error)


def describe_error(error: BaseException) -> ErrorInfo:
    """Returns what is kept of an exception: the frames of the task's own code, and its text.

    It never raises, also when the exception's own methods do.
    """
    group = fingerprint(type(error).__qualname__)
    try:
        frames = own_frames(error.__traceback__)
        group = fingerprint_of(error, frames)
        text = "".join(traceback.TracebackException(type(error), error, frames).format())
    except Exception as problem:  # noqa: BLE001 - formatting runs the exception's own code
        text = f"Traceback not available: {type(problem).__name__} while formatting it\n"
    return ErrorInfo(
        type=_clean(type(error).__name__),
        message=_clean(_shorten(_text(error), LONGEST_MESSAGE)),
        traceback=_clean(_shorten(text, LONGEST_TRACEBACK)),
        fingerprint=group,
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as problem:  # noqa: BLE001 - __str__ is the exception's own code
        return f"<its __str__ raised {type(problem).__name__}>"


def own_frames(trace: TracebackType | None) -> TracebackType | None:
    """Returns the frames of the task: a traceback without our own leading frames."""
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(path: str) -> bool:
    return path.startswith(_OURS) and not path.startswith(_SHOP)


def _shorten(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    cut = f"\n... {len(text) - longest:,} characters left out ...\n"
    return text[: longest // 2] + cut + text[-longest // 2 :]


def _clean(text: str) -> str:
    """Text that every database takes."""
    return text.encode("utf-8", "backslashreplace").decode()
