"""A coalescer for each key: calls of one key go together, and none waits for another key."""

import threading
from collections.abc import Callable, Collection
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from rotulus._concurrency.coalescer import Coalescer
from rotulus._forking import follow_forks

W = TypeVar("W")
R = TypeVar("R")


class KeyedCoalescers(Generic[W, R]):
    """Coalescers, each for as long as calls of its keys are under way.

    Args:
        make: makes one.
    """

    def __init__(self, make: Callable[[], Coalescer[W, R]]) -> None:
        self._make = make
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        """In a forked child: forget the calls of the parent, one of which may hold the lock."""
        self._lock = threading.RLock()  # a signal handler may come while it is held
        self._of: WeakValueDictionary[tuple[str, ...], Coalescer[W, R]] = WeakValueDictionary()

    def of(self, keys: Collection[str]) -> Coalescer[W, R]:
        """Returns the coalescer of calls that have just these keys."""
        sorted_keys = tuple(sorted(keys))
        with self._lock:
            coalescer = self._of.get(sorted_keys)
            if coalescer is None:
                coalescer = self._of[sorted_keys] = self._make()
            return coalescer
