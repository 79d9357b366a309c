"""Waits for jobs to end: told by what this process settles, and looking for itself."""

from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue

from rotulus._forking import follow_forks
from rotulus._jobs.states import ENDED
from rotulus._time.clock import monotonic
from rotulus.stores.postgres.source import Source

_SOON = 0.005
"""Seconds until the second look."""

_MOST_LATE = 0.5
_LATE = 0.1
"""The end of a job in another process is told late by a tenth of the time waited, and by half a
second at most."""


class EndWaiter:
    """Waits for the ends of jobs.

    Args:
        connections: where calls run.
    """

    def __init__(self, connections: Source) -> None:
        self._connections = connections
        self._reset()
        follow_forks(self._reset)

    def _reset(self) -> None:
        # Changed by single operations: an interrupt in between would leave a lock behind, and a
        # handler of a signal would wait for the thread that it has interrupted.
        self._waiting: dict[SimpleQueue[None], str] = {}

    def wait(self, job: str, end: float) -> bool:
        """Whether a job has ended, at a moment of the monotonic clock at the latest."""
        began, told = monotonic(), SimpleQueue[None]()
        self._waiting[told] = job
        try:
            while not self._connections.closed:
                if self._has_ended(job):
                    return True
                now = monotonic()
                if now >= end:
                    return False
                pause = max(_SOON, min(_MOST_LATE, (now - began) * _LATE))
                with suppress(Empty):
                    told.get(timeout=min(pause, end - now))
        finally:
            self._waiting.pop(told, None)
        return False

    def tell(self, settled: Iterable[str]) -> None:
        """Have those look who wait for some jobs."""
        if self._waiting:
            ended = set(settled)
            for told, job in list(self._waiting.items()):
                if job in ended:
                    told.put(None)

    def tell_all(self) -> None:
        """Have everybody look."""
        self.tell(list(self._waiting.values()))

    def _has_ended(self, job: str) -> bool:
        state = self._connections.run(lambda session: session.fetch_value("state_of", id=job))
        return state is None or state in ENDED
