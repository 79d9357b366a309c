"""Recycling by memory: a worker that has grown too large retires, so that a fresh one follows."""

import os
from collections.abc import Callable
from datetime import datetime

from rotulus._fleet.process import MEGABYTE, resident

_LOOK_EVERY = 1.0


class Recycling:
    """Watches the memory of this process; a duty.

    Args:
        megabytes: how much it may have resident.
        retire: called with the reason when it has more.
    """

    name = "recycle"

    def __init__(self, megabytes: int, retire: Callable[[str], None]) -> None:
        self._megabytes = megabytes
        self._retire = retire

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - memory does not depend on the time
        """Look once."""
        megabytes = resident(os.getpid()) // MEGABYTE
        if megabytes > self._megabytes:
            self._retire(f"it has {megabytes} MB, and may have {self._megabytes}")
        return _LOOK_EVERY
