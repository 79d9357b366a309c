"""Middleware: code of the program that surrounds every attempt, whichever task it runs."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from rotulus._jobs.job import Job
from rotulus._jobs.outcome import Outcome, outcome_word
from rotulus._jobs.states import State


class RunningAttempt:
    """An attempt, as middleware sees it.

    Attributes:
        job: the job as it was claimed; `progress` and `raise_if_cancelled` work.
        exception: what the body raised, once the attempt has ended in a failure.
    """

    __slots__ = ("_outcome", "exception", "job")

    def __init__(self, job: Job[Any]) -> None:
        self.job = job
        self.exception: BaseException | None = None
        self._outcome: Outcome | None = None

    def __repr__(self) -> str:
        return f"<attempt {self.number} of {self.job.task} {self.job.id}: {self.outcome}>"

    @property
    def number(self) -> int:
        """The number of the attempt, from 1."""
        return self.job.attempt

    @property
    def outcome(self) -> str:
        """The outcome in one word: `running` until the attempt has ended.

        Then `succeeded`, `failed`, `dead`, `cancelled` or `skipped`, which end the job; `retried`,
        `snoozed` or `released`, after which the job runs again; `opened`: the job waits for its
        parts.
        """
        return "running" if self._outcome is None else outcome_word(self._outcome)

    @property
    def state(self) -> State:
        """The state that the outcome gives the job."""
        return State.RUNNING if self._outcome is None else self._outcome.state

    @property
    def reason(self) -> str | None:
        """The reason of the outcome, such as `timeout`, if it has one."""
        return None if self._outcome is None else self._outcome.reason

    def end(self, outcome: Outcome, exception: BaseException | None) -> None:
        """Note the outcome; the engine calls this."""
        self._outcome, self.exception = outcome, exception


class Middleware:
    """Code around every attempt: override `around_attempt`, and hand the object to `app.use`."""

    def around_attempt(
        self, attempt: RunningAttempt
    ) -> AbstractContextManager[Any] | AbstractAsyncContextManager[Any] | None:
        """Returns a context manager that is entered before an attempt, and left after it.

        It is entered in the context of the body, so the body sees context variables that it sets:
        in the thread of a plain function, or on the event loop, where it must not block, of a
        coroutine function, of a step, and of a function with a timeout. An asynchronous one always
        runs on the event loop; a plain function in a thread does not see its context variables.
        Attempts of isolated tasks are surrounded in their own process, on its event loop.

        The context manager is never given the exception of the body, and cannot change the
        outcome: both are read from the attempt. One that raises is told of in the log, and the
        attempt goes on without it.

        Args:
            attempt: the attempt; its outcome is known once it has ended.
        """
        del attempt
        return None
