"""Waits for jobs to end: told by what this process settles, and looking for itself."""

import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager

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
        self._lock = threading.Lock()
        self._waiting: dict[str, set[threading.Event]] = {}

    def wait(self, job: str, end: float) -> bool:
        """Whether a job has ended, at a moment of the monotonic clock at the latest."""
        began = monotonic()
        with self._told(job) as bell:
            while not self._connections.closed:
                bell.clear()
                if self._has_ended(job):
                    return True
                now = monotonic()
                if now >= end:
                    return False
                pause = max(_SOON, min(_MOST_LATE, (now - began) * _LATE))
                bell.wait(min(pause, end - now))
        return False

    def tell(self, settled: Iterable[str]) -> None:
        """Have those look who wait for some jobs."""
        if self._waiting:
            with self._lock:
                for job in settled:
                    for bell in self._waiting.get(job, ()):
                        bell.set()

    def tell_all(self) -> None:
        """Have everybody look."""
        self.tell(list(self._waiting))

    @contextmanager
    def _told(self, job: str) -> Generator[threading.Event, None, None]:
        bell = threading.Event()
        with self._lock:
            self._waiting.setdefault(job, set()).add(bell)
        try:
            yield bell
        finally:
            with self._lock:
                self._waiting[job].discard(bell)
                if not self._waiting[job]:
                    del self._waiting[job]

    def _has_ended(self, job: str) -> bool:
        state = self._connections.run(lambda session: session.fetch_value("state_of", id=job))
        return state is None or state in ENDED
