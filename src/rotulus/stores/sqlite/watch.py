"""Looks whether a file has changed in a way that somebody waits for, cheaply and read-only."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from rotulus._jobs.states import ENDED
from rotulus._time.clock import monotonic
from rotulus.errors import StoreClosedError
from rotulus.store import ClaimFilter
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.doorbell import Doorbell
from rotulus.stores.sqlite.session import fetch_value
from rotulus.stores.sqlite.source import Reads

_LOOK_EVERY = 0.1
"""Seconds between two looks, for changes that nobody rang for."""

_LOOK_OFTEN = 0.02
"""The same, where there are no bells."""

_LOOK_ANYWAY = 1_000_000
"""Microseconds until a look is worth it though nothing has changed: where names count, it is also
new that a grace is over, or a worker's lease."""


def wait_for(
    what: ClaimFilter | str,
    timeout: float,
    connections: Reads,
    present: Callable[[], Mapping[str, Any]],
    doorbell: Doorbell,
) -> bool:
    """Wait for work, or for the end of a job. See `Store.wait`."""
    end = monotonic() + timeout
    kind = "done" if isinstance(what, str) else "work"
    with suppress(StoreClosedError), doorbell.listen(kind) as bell:
        watch = Watch(connections, present, what, bells=bell.hears_everyone)
        while not watch.fired():
            left = end - monotonic()
            if left <= 0:
                return False
            if bell.wait(min(left, watch.pause())) and watch.is_for_all:
                return not connections.closed
        return True
    return False


class Watch:
    """Looks for work in queues, or for the end of one job.

    Args:
        connections: the file.
        present: the present moment, as parameters of `choose`.
        what: what is wanted, or the id of a job, to wait for its end.
        bells: whether there are bells to wake us between two looks.
    """

    def __init__(
        self,
        connections: Reads,
        present: Callable[[], Mapping[str, Any]],
        what: ClaimFilter | str,
        *,
        bells: bool,
    ) -> None:
        self._connections = connections
        self._present = present
        self._job = what if isinstance(what, str) else None
        self._wanted = rows.wanted(ClaimFilter() if isinstance(what, str) else what)
        self._pause = _LOOK_EVERY if bells else _LOOK_OFTEN
        self._seen: WeakKeyDictionary[sqlite3.Connection, int] = WeakKeyDictionary()
        self._due: int | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether any work will do: then a bell need not be followed by a look."""
        return self._job is None and self._wanted["queues"] is self._wanted["names"] is None

    def fired(self) -> bool:
        """Whether there may be something to do now."""
        with self._connections.reading() as connection:
            if self._unchanged(connection) and not self._time_has_come():
                return False
            if self._job is not None:
                state = fetch_value(connection, "state_of", id=self._job)
                return state is None or state in ENDED
            self._due = self._next_look(connection)
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
        known = self._seen.get(connection) == version and not self._connections.in_memory
        self._seen[connection] = version
        return known

    def _time_has_come(self) -> bool:
        return self._due is not None and self._due <= self._now()

    def _next_look(self, connection: sqlite3.Connection) -> int | None:
        now = self._now()
        due: int | None = fetch_value(connection, "next_due", now=now)
        if self._wanted["names"] is None:
            return due
        anyway = now + _LOOK_ANYWAY
        return anyway if due is None else min(due, anyway)

    def _claimable(self, connection: sqlite3.Connection) -> bool:
        how = {**self._wanted, **self._present()}
        claimable = fetch_value(connection, "claimable", **how)
        if claimable is None:
            return fetch_value(connection, "choose", **how, limit=1) != "[]"
        return bool(claimable)

    def _now(self) -> int:
        return self._present()["now"]
