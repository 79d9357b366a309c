"""The memory of a process, where the system tells: on Linux."""

import os
from pathlib import Path

MEGABYTE = 1024 * 1024

_PROC = Path("/proc")


def is_memory_told() -> bool:
    """Returns whether this system tells how much memory a process has."""
    return (_PROC / "self" / "statm").exists()


def resident(pid: int) -> int:
    """Returns the bytes of memory that a process has resident; 0 when it is gone, or not told."""
    try:
        words = (_PROC / str(pid) / "statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE")
