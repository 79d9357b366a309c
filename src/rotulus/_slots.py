"""The slots of a worker: how many jobs run at once, which, and what becomes of each."""

import asyncio
from collections import deque
from functools import partial
from time import perf_counter

from rotulus._executor import Executor
from rotulus._leases import LeaseKeeper
from rotulus._outcome import Outcome, released
from rotulus._pace import Pace
from rotulus._record import JobRecord
from rotulus._run import Run, Stop
from rotulus._settler import Settler
from rotulus._states import ENDED, State
from rotulus.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BodyStuck,
    Events,
)


class Slots:
    """Runs claimed jobs, so many at once; holds a few more, to start them without a pause.

    Args:
        count: how many run at once.
        executor: runs them.
        keeper: keeps their leases.
        settler: takes their outcomes.
        events: where attempts are told.

    Attributes:
        changed: set whenever a slot has become free.
        attempts: how many attempts have ended.
        released: how many of them were given back.
    """

    def __init__(
        self,
        count: int,
        executor: Executor,
        keeper: LeaseKeeper,
        settler: Settler,
        events: Events,
    ) -> None:
        self._count = count
        self._executor = executor
        self._keeper = keeper
        self._settler = settler
        self._events = events
        self._pace = Pace(count)
        self._waiting: deque[Run] = deque()
        self._running: dict[Run, asyncio.Task[Outcome]] = {}
        self._loop = asyncio.get_running_loop()
        self.changed = asyncio.Event()
        self.attempts = 0
        self.released = 0

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    def room(self) -> int:
        """How many jobs to claim now; 0 when it can wait."""
        return self._pace.room(len(self._waiting) + len(self._running))

    def take(self, jobs: list[JobRecord]) -> None:
        """Run these as soon as there are slots for them."""
        runs = [Run(job) for job in jobs]
        self._keeper.hold(runs)
        self._waiting.extend(runs)
        self._fill()

    def give_back_waiting(self) -> None:
        """Give back what has not been started."""
        while self._waiting:
            run = self._waiting.popleft()
            self._settle(run, released(run.job.id, run.job.attempt), 0.0)

    def interrupt(self) -> None:
        """Tell everything that runs to stop and be given back."""
        for run in list(self._running):
            run.stop(Stop.SHUTDOWN)

    def abandon(self) -> None:
        """Give back what did not stop; its bodies are left to themselves."""
        for run in list(self._running):
            del self._running[run]
            self._events.emit(BodyStuck(run.job, "shutdown"))
            self._settle(run, released(run.job.id, run.job.attempt), 0.0)

    def _fill(self) -> None:
        """Start what is held, as far as there are slots."""
        while self._waiting and len(self._running) < self._count:
            run = self._waiting.popleft()
            if self._events.wants(AttemptStarted):
                self._events.emit(AttemptStarted(run.job))
            task = self._loop.create_task(self._executor.execute(run))
            run.interrupt = task.cancel
            self._running[run] = task
            task.add_done_callback(partial(self._ended, run, perf_counter()))

    def _ended(self, run: Run, started: float, task: "asyncio.Task[Outcome]") -> None:
        """A body has come to its end, or was interrupted before it began."""
        if self._running.pop(run, None) is None:
            return  # abandoned: its job was given back
        seconds = perf_counter() - started
        self._pace.ended(seconds)
        if task.cancelled():
            outcome = self._executor.interrupted(run, asyncio.CancelledError())
        else:
            outcome = task.result()
        self._settle(run, outcome, seconds)
        self._fill()
        self.changed.set()

    def _settle(self, run: Run, outcome: Outcome, seconds: float) -> None:
        run.ended = True
        self.attempts += 1
        self.released += outcome.state not in ENDED and not outcome.failed
        progress = run.unstored_progress()
        self._settler.put(outcome if progress is None else outcome._replace(progress=progress))
        kind = AttemptSucceeded if outcome.state is State.SUCCEEDED else AttemptFailed
        if self._events.wants(kind):
            self._events.emit(kind(run.job, outcome, seconds))
