"""The state of processes, as `/proc` has it on Linux, and the duty that limits memory."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rotulus._engine.memory import MEGABYTE, is_memory_told, resident
from rotulus.errors import ConfigurationError

_PROC = Path("/proc")
_STOPPED = ("T", "t")
"""Stopped by a signal, or by a debugger."""

_CHECK_EVERY = 1.0


def check_memory_is_told() -> None:
    """Refuse to go on where the size of a process is not known.

    Raises:
        ConfigurationError: the system does not tell.
    """
    if not is_memory_told():
        raise ConfigurationError(
            "recycle_memory is set, and this system does not tell how much memory a process has "
            "(it has no /proc): leave it out; recycle_jobs works everywhere"
        )


def is_running(pid: int) -> bool:
    """Returns whether a process is there and not stopped; False as well where that is not known."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    # The name before it stands in parentheses and may hold anything, parentheses as well.
    return text.rpartition(")")[2].split()[0] not in (*_STOPPED, "Z", "X")


class Recycling:
    """Retires a worker whose process has grown too large, so that a fresh one follows; a duty.

    Args:
        megabytes: how much it may have resident.
        retire: called with the reason when it has more.
    """

    name = "recycle"

    def __init__(self, megabytes: int, retire: Callable[[str], None]) -> None:
        self._megabytes = megabytes
        self._retire = retire

    def tick(self, now: datetime) -> float:  # noqa: ARG002 - memory does not depend on the time
        """Look at the memory of this process once."""
        megabytes = resident(os.getpid()) // MEGABYTE
        if megabytes > self._megabytes:
            self._retire(f"it has {megabytes} MB, and may have {self._megabytes}")
        return _CHECK_EVERY
