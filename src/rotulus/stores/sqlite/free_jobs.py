"""Jobs without a limit that a look at many queues has chosen, for several claims.

What comes in front of them meanwhile (a job that is sent back, one that is added with a higher
priority) waits until a claim looks at all queues again, which is never long.
"""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.session import fetch_value

_AHEAD = 10
"""For how many claims a look chooses jobs."""

_MOST = 1000
"""How many jobs it chooses, unless one claim wants more."""

_LASTS = 0.25
"""Seconds until a claim looks at all queues again."""

Place = tuple[int, int, int]
"""Where a job stands: its priority turned around, its number; and whether it has a rate."""


class FreeJobs:
    """The jobs that have been chosen for the claims of one kind of worker, in order."""

    def __init__(self) -> None:
        self._ahead: list[int] = []
        self._until = float("-inf")

    def next(self, con: sqlite3.Connection, how: dict[str, Any], *, ahead: bool) -> list[Place]:
        """Returns the jobs that are next, as many as the claim wants if there are as many.

        Args:
            con: the connection that writes.
            how: the parameters of `choose`.
            ahead: whether to choose for several claims, as queues are many.
        """
        if ahead and self._ahead and time.monotonic() < self._until:
            found = self._still_free(con, how)
            if len(found) == how["limit"]:
                return found
        if not ahead:
            self._ahead = []
            return _places(fetch_value(con, "choose_free", **how))
        own = {**how, "limit": max(how["limit"], min(how["limit"] * _AHEAD, _MOST))}
        found = _places(fetch_value(con, "choose_free_among_many", **own))
        self._ahead = [seq for _, seq, _ in found]
        self._until = time.monotonic() + _LASTS
        return found[: how["limit"]]

    def advance(self, taken: Sequence[int]) -> None:
        """A claim has taken these, and perhaps others with a limit."""
        if not self._ahead:
            return
        among = set(taken)
        last = max((at for at, job in enumerate(self._ahead) if job in among), default=-1)
        del self._ahead[: last + 1]

    def _still_free(self, con: sqlite3.Connection, how: dict[str, Any]) -> list[Place]:
        return _places(fetch_value(con, "still_free", **how, ahead=rows.array(self._ahead)))


def _places(found: str) -> list[Place]:
    """The places of jobs without a limit, in order."""
    return [(-priority, seq, 0) for priority, seq in rows.read(found)]
