"""What is outside of the shop: time that passes, banks that do not answer, chance."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

_SPREAD = 0.35
_SHORTEST = 0.02

UNWELL_FOR = timedelta(hours=26)
"""For how long one of the banks has been slow when the shop is looked at."""


class World:
    """The surroundings of the shop, which its tasks are given.

    Args:
        seed: the same seed has the same things happen.
        now: the clock.
        wait: lets so many seconds pass.
        unwell_since: the moment from which one of the banks hardly answers.
    """

    def __init__(
        self,
        seed: int,
        now: Callable[[], datetime],
        wait: Callable[[float], object],
        unwell_since: datetime,
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - it has to repeat itself
        self.now = now
        self._wait = wait
        self._unwell_since = unwell_since

    def work(self, seconds: float) -> float:
        """Work for about so many seconds; returns how many they were."""
        took = max(_SHORTEST, self.random.lognormvariate(math.log(seconds), _SPREAD))
        self._wait(took)
        return round(took, 3)

    def chance(self, share: float) -> bool:
        """Returns whether something happens that happens in this share of all cases."""
        return self.random.random() < share

    def bank_answers(self, bank: str) -> bool:
        """Returns whether a bank answers now."""
        unwell = bank == "Westbank" and self.now() >= self._unwell_since
        return not self.chance(0.85 if unwell else 0.01)
