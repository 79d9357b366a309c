"""Waits for work: woken by the listener, and looking for itself."""

from collections.abc import Callable

from rotulus._time.clock import monotonic
from rotulus.store import ClaimFilter
from rotulus.stores._columns import SECOND
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.listening import Listener
from rotulus.stores.postgres.session import Session
from rotulus.stores.postgres.source import Source

_SOON = 0.005
"""Seconds until the first look after there was something; each further look waits twice as long."""

_IDLE = 5.0
"""Seconds between two looks where nothing happens, with a listener that hears."""

_DEAF = 1.0
"""The same without one."""


def _never() -> bool:
    """Nobody answers."""
    return False


class WorkWaiter:
    """Waits for what somebody wants.

    It remembers what it saw: a worker that asks again and again makes no more queries than one that
    asks once.

    Args:
        connections: where calls run.
        listener: what wakes it.
        wanted: what they want.
    """

    def __init__(self, connections: Source, listener: Listener, wanted: ClaimFilter) -> None:
        self._connections = connections
        self._listener = listener
        self._wanted = rows.wanted(wanted)
        self._takes_any_queue = wanted.queues is None
        self._heard = listener.heard
        self._began = listener.began
        self._pause = _SOON
        self._look_at = float("-inf")

    def wait(
        self, end: float, random: Callable[[], float], answered: Callable[[], bool] = _never
    ) -> bool:
        """Whether there is work, at a moment of the monotonic clock at the latest.

        It has come if somebody has `answered` meanwhile, of which the listener tells, too.
        """
        self._listener.start()
        while not self._connections.closed:
            heard = self._listener.heard
            if answered():
                return True
            if heard != self._heard:
                self._heard = heard
                self.look_soon()
                if self._takes_any_queue:
                    return True  # mostly a claim that finds nothing takes no longer than a look
                self._look_at = float("-inf")
            if self._listener.began != self._began:
                self._began = self._listener.began
                self._look_at = float("-inf")
            now = monotonic()
            if now >= self._look_at:
                if self._query(random):
                    return True
            elif now >= end:
                return False
            else:
                self._listener.wait(heard, min(self._look_at, end) - now)
        return False

    def look_soon(self) -> None:
        """Something has happened: more may follow, and what follows soon need not be told."""
        self._pause = _SOON
        self._look_at = monotonic() + _SOON

    def look_now(self) -> None:
        """A claim has found nothing, and may not have looked at everything."""
        self._pause = _SOON
        self._look_at = float("-inf")

    def _query(self, random: Callable[[], float]) -> bool:
        found, due = self._connections.run(self._outlook)
        longest = _IDLE if self._listener.hears else _DEAF
        self._pause = min(longest * (0.75 + 0.5 * random()), self._pause * 2)
        until_due = self._pause if due is None else max(_SOON, due / SECOND)
        self._look_at = monotonic() + min(self._pause, until_due)
        return found or (due is not None and due <= 0)

    def _outlook(self, session: Session) -> tuple[bool, int | None]:
        [[found, due]] = session.fetch("claimable", **self._wanted)
        return found, due
