"""Keeps the leases and the time of single attempts, from a thread that ends with the last."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple

from rotulus._concurrency.starting import rest, start_thread
from rotulus._engine.execution import Execution
from rotulus._engine.leases import LOOK_EVERY, LeaseKeeper
from rotulus.errors import ThreadNotStartedError
from rotulus.events import Events
from rotulus.store import Store

_IDLE = 10.0
"""Seconds without any attempt after which the thread ends."""


class Hold(NamedTuple):
    """An attempt that is held.

    Attributes:
        run: the attempt.
        limit: seconds until its time is over; None: nobody watches that here.
        time_out: called when it is, in a thread of ours.
        renews: whether its lease can be renewed by such a thread.
    """

    run: Execution
    limit: float | None = None
    time_out: Callable[[], object] = int
    renews: bool = True


class Holding:
    """What single attempts of this process hold.

    Args:
        store: where the leases are.
        lease: their length, in seconds.
        monotonic: the clock, in seconds.
        events: where losses are told.
    """

    def __init__(
        self, store: Store, lease: float, monotonic: Callable[[], float], events: Events
    ) -> None:
        self._fork_server_process = LeaseKeeper(store, None, lease, monotonic, events)
        self._pause = min(LOOK_EVERY, lease / 3)
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._held: dict[Hold, float] = {}
        self._at_work = False

    @contextmanager
    def held(self, hold: Hold) -> Generator[None, None, None]:
        """Hold an attempt for the length of a block."""
        if hold.limit is None and not hold.renews:
            yield
            return
        ends_at = float("inf") if hold.limit is None else self._monotonic() + hold.limit
        if hold.renews:
            self._fork_server_process.hold([hold.run])
        with self._changed:
            self._held[hold] = ends_at
            if not self._at_work:
                start_thread(self._keep, "rotulus-leases")
                self._at_work = True
            elif hold.limit is not None and hold.limit < self._pause:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._held.pop(hold, None)
            self._fork_server_process.drop([hold.run])

    def _keep(self) -> None:
        idle_since, look_at = self._monotonic(), self._monotonic() + self._pause
        while True:
            with self._changed:
                next_end = min(self._held.values(), default=look_at)
                self._changed.wait(max(0.0, min(next_end, look_at) - self._monotonic()))
                now = self._monotonic()
                late = [hold for hold, ends_at in self._held.items() if ends_at <= now]
                for hold in late:
                    self._held[hold] = float("inf")
                if self._held:
                    idle_since = now
                elif now - idle_since > _IDLE:
                    self._at_work = False
                    return
            for hold in late:  # each apart: nobody's lease waits for it
                self._time_out(hold)
            if now >= look_at:
                look_at = now + self._pause
                self._fork_server_process.look()
                self._fork_server_process.give_up()
                rest(idle=not self._held)

    def _time_out(self, hold: Hold) -> None:
        try:
            start_thread(hold.time_out, "rotulus-timeout")
        except ThreadNotStartedError:
            hold.time_out()
