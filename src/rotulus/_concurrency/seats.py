"""A semaphore: so many seats at once, and none is lost, whatever becomes of its holder."""

import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from weakref import ref

from rotulus._forking import follow_forks

_LOOK_AGAIN = 0.1
"""Seconds after which a waiting thread looks for itself."""


class Seats:
    """A number of seats, for threads that take one before they do something.

    An interrupt may come between any two bytecodes, so a seat does not depend on being given back:
    one that nothing refers to any more is free again.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        """In a forked child: all are free."""
        self._free: deque[Seat] = deque(Seat(self) for _ in range(self._most))
        self._waiting: deque[SimpleQueue[None]] = deque()

    def take(self, end: float) -> "Seat | None":
        """Returns a seat before the end, by the monotonic clock; None when none came free."""
        with suppress(IndexError):
            return self._free.pop()
        bell: SimpleQueue[None] = SimpleQueue()
        try:
            return self._wait(bell, end)
        finally:
            with suppress(ValueError):
                self._waiting.remove(bell)
            if self._free:
                self._ring()  # it may be this bell that was rung for the seat

    def _wait(self, bell: "SimpleQueue[None]", end: float) -> "Seat | None":
        queued = False
        while (left := end - time.monotonic()) > 0:
            if not queued:
                self._waiting.append(bell)
                queued = True
            with suppress(IndexError):
                return self._free.pop()
            with suppress(Empty):
                bell.get(timeout=min(left, _LOOK_AGAIN))
                queued = False  # a bell is taken out of the queue when it is rung
        return None

    def put_back(self, seat: "Seat") -> None:
        """A seat is free again."""
        self._free.append(seat)
        self._ring()

    def _ring(self) -> None:
        """Wake the thread that has waited longest."""
        with suppress(IndexError):
            self._waiting.popleft().put(None)


class Seat:
    """One of the seats."""

    def __init__(self, seats: Seats) -> None:
        self._seats = ref(seats)

    def leave(self) -> None:
        """Give it back; to be called once."""
        seats = self._seats()
        if seats is not None:
            seats.put_back(self)

    def __del__(self) -> None:
        seats = self._seats()
        if seats is not None:
            seats.put_back(Seat(seats))
