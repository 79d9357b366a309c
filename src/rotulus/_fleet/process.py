"""What the system tells of a process: how much memory it has, and whether somebody stopped it.

All of it comes from `/proc`, so only Linux tells.
"""

import os
from pathlib import Path

from rotulus.errors import ConfigurationError

_PROC = Path("/proc")
_STOPPED = ("T", "t")
"""Stopped by a signal, or by a debugger."""

MEGABYTE = 1024 * 1024


def check_memory_is_told() -> None:
    """Refuse to go on where nobody could tell how large a process is.

    Raises:
        ConfigurationError: the system does not tell.
    """
    if not (_PROC / "self" / "statm").exists():
        raise ConfigurationError(
            "recycle_memory is set, and this system does not tell how much memory a process has "
            "(it has no /proc): leave it out; recycle_jobs works everywhere"
        )


def resident(pid: int) -> int:
    """The bytes of memory that a process has resident; 0 when it is gone."""
    try:
        words = (_PROC / str(pid) / "statm").read_text().split()
    except OSError:
        return 0
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE")


def is_running(pid: int) -> bool:
    """Whether a process is there and not stopped; False as well where nobody tells."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    # The name before it stands in parentheses and may hold anything, parentheses as well.
    return text.rpartition(")")[2].split()[0] not in (*_STOPPED, "Z", "X")
