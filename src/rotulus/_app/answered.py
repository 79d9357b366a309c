"""The pushes that this process has answered, as far back as they are kept in its memory."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime

from rotulus.events import Events, PushAnswered

MOST_KEPT = 200
"""How many pushes are kept that were let in, and how many that were refused."""


class AnsweredPushes:
    """The last pushes that were let in, and the last that were refused.

    Anybody may send requests that are refused: they do not displace the others.

    Args:
        events: tells of each.
        now: gives the present moment.
    """

    def __init__(self, events: Events, now: Callable[[], datetime]) -> None:
        self.since = now()
        self._lock = threading.Lock()
        self._let_in = deque[tuple[int, PushAnswered]](maxlen=MOST_KEPT)
        self._refused = deque[tuple[int, PushAnswered]](maxlen=MOST_KEPT)
        self._number = 0
        events.subscribe(self._keep, PushAnswered)

    def last(self, limit: int, *, refused: bool | None = None) -> list[PushAnswered]:
        """Returns the last pushes in the order in which they were answered, the last one first.

        Args:
            limit: at most so many.
            refused: only those that were refused, or only the others.
        """
        with self._lock:
            found = [*self._let_in] if refused is not True else []
            found += self._refused if refused is not False else ()
        found.sort(key=lambda one: one[0], reverse=True)
        return [push for _, push in found[:limit]]

    def _keep(self, push: PushAnswered) -> None:
        kept = self._refused if push.verdict == "refused" else self._let_in
        with self._lock:
            self._number += 1
            kept.append((self._number, push))
