"""Adds that come at the same time share a transaction, and not each of them wakes the workers.

There is no thread for it and no timer. Whoever gets the lock adds everything that has come in by
then; who comes while that runs waits, and is in the next one. A lone caller pays one statement, a
hundred callers pay a few together.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence

from rotulus._forking import follow_forks
from rotulus._jobs.record import JobRecord
from rotulus.errors import StoreError, StoreUnavailableError
from rotulus.store import NewJob
from rotulus.stores.postgres.batches import Batches
from rotulus.stores.postgres.connection import Connections

_MOST = 200
"""How many calls share a transaction at most."""

_TELL_EVERY = 0.005
"""Seconds between two wake-ups. A worker that has just run dry looks again sooner than that."""


class _Add:
    """The jobs of one call, and what came of them."""

    def __init__(self, jobs: Sequence[NewJob]) -> None:
        self.jobs = jobs
        self.records: list[JobRecord] = []
        self.error: BaseException | None = None
        self.done = False


class Adder:
    """Adds jobs in as few transactions as there are turns.

    Args:
        connections: the database.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._told_at = float("-inf")
        self._begin()
        follow_forks(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._waiting: deque[_Add] = deque()

    def add(self, jobs: Sequence[NewJob]) -> list[JobRecord]:
        """Add jobs, and return once they are committed."""
        mine = _Add(jobs)
        self._waiting.append(mine)
        with self._lock:
            while not mine.done:
                self._add([self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))])
        if mine.error is not None:
            raise mine.error
        return mine.records

    def _add(self, calls: list[_Add]) -> None:
        """Add the jobs of some calls in one transaction, or, if that fails, in one each."""
        try:
            records = self._insert([job for call in calls for job in call.jobs])
            for call in calls:
                call.records, records = records[: len(call.jobs)], records[len(call.jobs) :]
        except StoreError as error:
            alone = len(calls) == 1 or isinstance(error, StoreUnavailableError)
            for call in calls:
                if alone:
                    call.error = error
                else:
                    self._add([call])
        except BaseException:
            for call in calls:
                call.error = StoreUnavailableError("The write was interrupted; nothing was stored")
            raise
        finally:
            for call in calls:
                call.done = True

    def _insert(self, jobs: list[NewJob]) -> list[JobRecord]:
        if not jobs:
            return []
        batches = Batches(jobs)
        channel = self._channel()
        return self._connections.run(
            lambda session: batches.add(session, channel), atomic=batches.atomic
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
