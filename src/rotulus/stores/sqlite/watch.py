"""Looks whether a file has changed in a way that somebody waits for, cheaply and read-only."""

import sqlite3
from collections.abc import Callable

from rotulus._states import ENDED
from rotulus.stores.sqlite.ask import ask
from rotulus.stores.sqlite.connection import Connections

_LOOK_EVERY = 0.1
"""Seconds between two looks, for changes that nobody rang for."""

_LOOK_OFTEN = 0.02
"""The same, where there are no bells."""


class Watch:
    """Waits for work in queues, or for the end of one job.

    Args:
        connections: the file.
        now: the present moment, in microseconds since 1970.
        queues: the queues, as a JSON array; None for all of them.
        job: the id of a job, to wait for its end instead.
        bells: whether there are bells to wake us between two looks.
    """

    def __init__(
        self,
        connections: Connections,
        now: Callable[[], int],
        queues: str | None,
        job: str | None,
        *,
        bells: bool,
    ) -> None:
        self._connections = connections
        self._now = now
        self._queues = queues
        self._job = job
        self._pause = _LOOK_EVERY if bells else _LOOK_OFTEN
        self._seen: dict[int, int] = {}
        self._due: int | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether any work will do: then a bell need not be followed by a look."""
        return self._queues is None and self._job is None

    def fired(self) -> bool:
        """Whether there may be something to do now."""
        with self._connections.reading() as connection:
            if self._unchanged(connection) and not self._time_has_come():
                return False
            if self._job is not None:
                state = ask(connection, "state_of", id=self._job)
                return state is None or state in ENDED
            self._due = ask(connection, "next_due", now=self._now())
            return self._time_has_come() or self._claimable(connection)

    def pause(self) -> float:
        """Seconds until the next look is worth it."""
        if self._due is None:
            return self._pause
        return min(self._pause, max(0.0, (self._due - self._now()) / 1_000_000))

    def _unchanged(self, connection: sqlite3.Connection) -> bool:
        # The version moves when any other connection commits. It means nothing to a third one,
        # nor in memory, where there is only one.
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        known = self._seen.get(id(connection)) == version and not self._connections.in_memory
        self._seen[id(connection)] = version
        return known

    def _time_has_come(self) -> bool:
        return self._due is not None and self._due <= self._now()

    def _claimable(self, connection: sqlite3.Connection) -> bool:
        where = {"queues": self._queues, "names": None, "worker": None}
        return ask(connection, "choose", **where, now=self._now(), limit=1) != "[]"
