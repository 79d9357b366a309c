"""What processes take, as Linux tells: their time and their memory."""

import contextlib
import os
from pathlib import Path


def family(pid):
    """A process and all that it has started, and those."""
    children = []
    with contextlib.suppress(FileNotFoundError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    return [pid, *(member for child in children for member in family(child))]


def cpu_seconds(pid):
    """The time a family has spent on processors, its own and the kernel's for it."""
    ticks = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pid):
    """The memory a family holds, what is shared counted in proportion (PSS)."""
    return sum(_pss(member) for member in family(pid)) / 1024


def _pss(pid):
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
