"""Adds that come at the same time share a transaction, and not each of them wakes the workers."""

import time
from collections.abc import Sequence

from rotulus._concurrency.coalescer import Coalescer, Turn
from rotulus._concurrency.seats import Seats
from rotulus._jobs.record import JobRecord
from rotulus.errors import StoreBusyError
from rotulus.store import NewJob
from rotulus.stores.postgres.batches import Batches
from rotulus.stores.postgres.connection import MOST, Connections

Jobs = Sequence[NewJob]
Records = list[JobRecord]

_MOST_KEYED = MOST // 2
"""How many calls with keys are under way at most, so that they leave connections to others."""

_TELL_EVERY = 0.005
"""Seconds between two wake-ups. A worker that has just run dry looks again sooner than that."""


class Adder:
    """Adds jobs in as few transactions as there are turns.

    Jobs with keys have a transaction of their own: it waits for whoever has added a job with the
    same key and has not committed yet, and nobody else may wait with it.

    Args:
        connections: the database.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._keyed = Seats(_MOST_KEYED)
        self._told_at = float("-inf")
        address = connections.address
        self._coalescer: Coalescer[Jobs, Records] = Coalescer(
            self._add_all, self._add_all, lambda: address.deadline, address.shown
        )

    def add(self, jobs: Jobs) -> Records:
        """Add jobs, and return once they are committed."""
        if not jobs:
            return []
        if any(job.key is not None for job in jobs):
            return self._add_keyed(jobs)
        return self._coalescer.run(jobs)

    def _add_keyed(self, jobs: Jobs) -> Records:
        end = time.monotonic() + self._connections.address.deadline
        seat = self._keyed.take(end)
        if seat is None:
            raise StoreBusyError(
                f"{self._connections.address.shown}: {_MOST_KEYED} jobs with keys wait for "
                f"transactions that have added the same keys and not ended: this one was not begun"
            )
        try:
            return self._insert(jobs, end - time.monotonic())
        finally:
            seat.leave()

    def _add_all(self, turn: Turn[Jobs]) -> list[Records]:
        """Add the jobs of a turn in one transaction."""
        left = turn.end - time.monotonic()
        records = iter(self._insert([job for jobs in turn.works for job in jobs], left))
        return [[next(records) for _ in jobs] for jobs in turn.works]

    def _insert(self, jobs: Jobs, seconds: float) -> Records:
        batches = Batches(jobs)
        channel = self._channel()
        return self._connections.run(
            lambda session: batches.add(session, channel), atomic=batches.atomic, seconds=seconds
        )

    def _channel(self) -> str | None:
        """Where to tell that there is work; None when somebody has just been told.

        The server commits transactions that tell something one after the other.
        """
        now = time.monotonic()
        if now - self._told_at < _TELL_EVERY:
            return None
        self._told_at = now
        return self._connections.address.channel
