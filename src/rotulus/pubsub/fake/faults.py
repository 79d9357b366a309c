"""Faults of the fake, on purpose: a network loses, repeats, delays and refuses."""

import random
import threading
from collections import Counter
from typing import Literal

Fault = Literal["drop", "duplicate", "refuse"]


class Faults:
    """Rates of pushes that are lost or sent twice, and of publishing that is refused.

    Args:
        drop: the share of pushes that never arrive; their message is sent again after its deadline.
        duplicate: the share of pushes that are sent twice.
        refuse: the share of calls of Publish that are answered UNAVAILABLE.
        latency: seconds of delay of each push.
        seed: the seed of the random numbers.
    """

    def __init__(
        self,
        drop: float = 0.0,
        duplicate: float = 0.0,
        refuse: float = 0.0,
        latency: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.rates: dict[Fault, float] = {"drop": drop, "duplicate": duplicate, "refuse": refuse}
        self.latency = latency
        self._random = random.Random(seed)  # noqa: S311 - faults are to come back by their seed
        self._next: Counter[Fault] = Counter()
        self._lock = threading.Lock()

    def next(self, fault: Fault, count: int = 1) -> None:
        """Let this happen to the next pushes or calls, regardless of the rates."""
        with self._lock:
            self._next[fault] += count

    def happens(self, fault: Fault) -> bool:
        """Returns whether the fault happens now."""
        with self._lock:
            if self._next[fault]:
                self._next[fault] -= 1
                return True
            return self._random.random() < self.rates[fault]
