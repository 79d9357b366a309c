"""One attempt of a job that runs where its caller is: it ends once, is told of, and is settled."""

import threading
import time
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from rotulus._engine.execution import Execution
from rotulus._engine.log_writer import LogWriter
from rotulus._engine.verdict import UNWRITABLE, describe_error
from rotulus._jobs.outcome import Outcome, failed, released
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreClosedError
from rotulus.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BodyStuck,
    Events,
    OutcomeRefused,
    StoreFailed,
)
from rotulus.store import Filter, Store

_LAST_WRITE = 5.0
"""Seconds to go on trying to settle when the store fails."""


class SingleResult(NamedTuple):
    """The result of asking for one attempt.

    Attributes:
        id: the job.
        record: the job as it stands now, without its earlier attempts; None: it is not there.
        ran: whether an attempt was made here.
        error: what its body raised, if it did.
    """

    id: str
    record: JobRecord | None
    ran: bool
    error: BaseException | None = None


class SingleAttempt:
    """An attempt of one job, from its beginning to its end.

    Args:
        execution: the attempt.
        in_transaction: whether its claim is in a transaction of the thread that makes it, so that
            no other thread can settle it.
        store: where its job is.
        logs: writes what it logs.
        events: where it is told.
        chance: random numbers from 0 to 1, to spread attempts to settle it.
    """

    def __init__(
        self,
        execution: Execution,
        in_transaction: bool,
        store: Store,
        logs: LogWriter,
        events: Events,
        chance: Callable[[], float],
    ) -> None:
        self.execution = execution
        self._in_transaction = in_transaction
        self._store = store
        self._logs = logs
        self._events = events
        self._chance = chance
        self._began = perf_counter()
        self._lock = threading.Lock()
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self._settled = False
        if events.wants(AttemptStarted):
            events.emit(AttemptStarted(execution.job))

    def end(self, outcome: Outcome) -> SingleResult:
        """Settle the outcome of a body that has ended, unless the attempt is settled.

        Raises:
            KeyboardInterrupt: that was what ended it; the job has been given back.
            StoreError: it could not be settled.
        """
        interrupt = self.execution.error
        if isinstance(interrupt, KeyboardInterrupt):
            outcome = released(outcome.id, outcome.attempt)
        with self._lock:
            self._conclude(outcome)
            self._settle()
        if isinstance(interrupt, KeyboardInterrupt):
            raise interrupt
        return SingleResult(outcome.id, read(self._store, outcome.id), ran=True, error=self._error)

    def time_out(
        self, judge: Callable[[Execution, BaseException], Outcome], seconds: float
    ) -> None:
        """Settle an attempt whose time is over as failed, though its body goes on.

        Where that does not work, or cannot in this thread, it is settled when the body returns.

        Args:
            judge: gives the outcome of an attempt that raised.
            seconds: how much time it had.
        """
        with self._lock:
            if self.execution.ended:
                return
            self.execution.timed_out = True
            error = TimeoutError(f"it took longer than its timeout of {seconds:g} seconds")
            self._conclude(judge(self.execution, error))
            self._events.emit(BodyStuck(self.execution.job, "timeout"))
            if self._in_transaction:
                return
            try:
                self._settle()
            except Exception as problem:  # noqa: BLE001 - it is tried again
                self._events.emit(StoreFailed("settle", problem))

    def give_back(self) -> None:
        """Give the job back: it has not begun, or its outcome is not known. Never raises."""
        try:
            self.end(released(self.execution.job.id, self.execution.job.attempt))
        except Exception as problem:  # noqa: BLE001 - its lease runs out
            self._events.emit(StoreFailed("settle", problem))

    def _conclude(self, outcome: Outcome) -> None:
        """Take an outcome as that of the attempt, unless it has one already, and tell of it."""
        if self._outcome is not None:
            return
        execution = self.execution
        execution.ended = True
        progress = execution.unstored_progress()
        if progress is not None:
            outcome = outcome._replace(progress=progress)
        self._outcome = outcome
        self._error, execution.error = execution.error, None
        seconds = perf_counter() - self._began
        if outcome.state is not State.SUCCEEDED:
            self._events.emit(AttemptFailed(execution.job, outcome, seconds, self._error))
        elif self._events.wants(AttemptSucceeded):
            self._events.emit(AttemptSucceeded(execution.job, outcome, seconds))

    def _settle(self) -> None:
        if self._settled or self._outcome is None:
            return
        self._logs.finish([self.execution])
        refused = _settled(self._store, self._outcome, self._chance)
        self._settled = True
        if refused and not self.execution.completed:
            self._events.emit(OutcomeRefused(self._outcome.id, self._outcome.attempt))


def read(store: Store, job_id: str) -> JobRecord | None:
    """Returns the job as it stands now; None: there is none."""
    return next(iter(store.find(Filter(prefix=job_id), 1)), None)


def _settled(store: Store, outcome: Outcome, chance: Callable[[], float]) -> bool:
    """Settle an outcome, again and again while the store fails; returns whether it was refused.

    An attempt whose outcome cannot be written has failed.
    """
    end, failures = time.monotonic() + _LAST_WRITE, 0
    while True:
        try:
            return bool(store.settle([outcome]))
        except UNWRITABLE as error:
            if outcome.reason == Reason.RESULT:
                raise
            why = describe_error(error)
            outcome = failed(outcome.id, outcome.attempt, Reason.RESULT, why)
        except StoreClosedError:
            raise
        except Exception:
            failures += 1
            pause = pause_after(failures, chance())
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)
