"""A semaphore: so many permits at once, and none is lost, whatever becomes of its holder."""

import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from weakref import ref

from rotulus._forking import follow_forks

_LOOK_AGAIN = 0.1
"""Seconds after which a waiting thread looks for itself."""


class Semaphore:
    """A number of permits, for threads that take one before they do something.

    An interrupt may come between any two bytecodes, so a permit need not be given back: a
    permit that nothing refers to any more is free again.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        """In a forked child: all are free."""
        self._free: deque[Permit] = deque(Permit(self) for _ in range(self._most))
        self._waiting: deque[SimpleQueue[None]] = deque()

    def acquire(self, end: float) -> "Permit | None":
        """Returns a permit before the end, by the monotonic clock; None when none came free."""
        with suppress(IndexError):
            return self._free.pop()
        bell: SimpleQueue[None] = SimpleQueue()
        try:
            return self._wait(bell, end)
        finally:
            with suppress(ValueError):
                self._waiting.remove(bell)
            if self._free:
                self._ring()  # it may be this bell that was rung for the permit

    def _wait(self, bell: "SimpleQueue[None]", end: float) -> "Permit | None":
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

    def put_back(self, permit: "Permit") -> None:
        """A permit is free again."""
        self._free.append(permit)
        self._ring()

    def _ring(self) -> None:
        """Wake the thread that has waited longest."""
        with suppress(IndexError):
            self._waiting.popleft().put(None)


class Permit:
    """One of the permits."""

    def __init__(self, semaphore: Semaphore) -> None:
        self._semaphore = ref(semaphore)

    def release(self) -> None:
        """Give it back; to be called once."""
        semaphore = self._semaphore()
        if semaphore is not None:
            semaphore.put_back(self)

    def __del__(self) -> None:
        semaphore = self._semaphore()
        if semaphore is not None:
            semaphore.put_back(Permit(semaphore))
