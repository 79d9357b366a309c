"""Runs the jobs of a past time: one after the other here, beside each other by the clock there."""

import heapq
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from rotulus import App, Job
from rotulus.testing import SettableClock

_MOST = 1_000
"""How many jobs may wait at a time."""


class Replay:
    """Does what a worker with some slots would have done, by a clock that is set.

    An attempt is made by `app.jobs.run`: claimed, run and settled as ever. A task lets time pass by
    moving the clock. The clock is then set back to the moment at which the next job found a slot,
    so that jobs overlap as they would have.

    Args:
        app: the app, whose clock this is.
        clock: the clock.
        slots: how many jobs run at once.

    Attributes:
        closed_queues: queues that are paused: their jobs are not tried.
    """

    def __init__(self, app: App, clock: SettableClock, slots: int) -> None:
        self.app = app
        self.clock = clock
        self.closed_queues: set[str] = set()
        self._free = [clock.now()] * slots
        self._known: dict[str, datetime] = {}
        self._run_ends: dict[str, datetime] = {}
        self._refused: set[str] = set()

    def stand_still(self, until: datetime) -> None:
        """Begin no job before a moment: the workers are away."""
        self._free = [max(one, until) for one in self._free]

    def catch_up(self, until: datetime) -> None:
        """Run what is due before a moment, and set the clock to it."""
        self._refused.clear()
        while (found := self._next()) is not None and found[0] < until:
            start, job = found
            self.clock.set(start)
            if not self.app.jobs.run(job.id).ran:
                self._refused.add(job.id)
                continue
            ended = self.clock.now()
            heapq.heapreplace(self._free, ended)
            self._note_end(job, ended)
        self.clock.set(until)

    def _note_end(self, job: Job[Any], ended: datetime) -> None:
        self._known.pop(job.id, None)
        run = job.run
        if run is not None:
            self._run_ends[run] = max(ended, self._run_ends.get(run, ended))

    def _next(self) -> tuple[datetime, Job[Any]] | None:
        """Returns the job that finds a slot first, and when."""
        waiting = self.app.jobs(state=["queued", "delayed"], limit=_MOST)
        found: tuple[datetime, Job[Any]] | None = None
        for job in reversed(list(waiting)):  # the first added first
            if job.id in self._refused or job.queue in self.closed_queues:
                continue
            start = max(self._due(job), self._free[0])
            if found is None or start < found[0]:
                found = start, job
        return found

    def _due(self, job: Job[Any]) -> datetime:
        """Returns when a job can begin: a step after those that it waited for have ended."""
        known = self._known.get(job.id)
        if known is None:
            ends = self._run_ends.get(job.run or "")
            known = self._known[job.id] = job.run_at if ends is None else max(job.run_at, ends)
        return max(known, job.run_at)


def let_pass(clock: SettableClock, seconds: float) -> None:
    """Let so many seconds pass by a clock: leases do not notice."""
    clock.set(clock.now() + timedelta(seconds=seconds))


@contextmanager
def stamped(now: Callable[[], datetime]) -> Generator[None, None, None]:
    """Log lines are of the time of a clock, for the length of a block."""
    before = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.created = now().timestamp()
        return record

    logging.setLogRecordFactory(make)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)
