"""What every contender can do: the class they share, and the body of every job.

Standard library only, because it is imported in the environment of each. Jobs are kept in
`$BENCH_URL`, everything else in the folder `$BENCH_RUN`.
"""

import os
import struct
import sys
import time
from pathlib import Path

RUN = Path(os.environ.get("BENCH_RUN", "."))
URL = os.environ.get("BENCH_URL", "")
MARKS = RUN / "marks"

_MARK = struct.Struct("<qq")
_handle = None


def mark(number):
    """The body of every job: 16 bytes, its number and the time it began, at the end of a file."""
    global _handle  # noqa: PLW0603 - one open file for each process
    now = time.time_ns()
    if _handle is None:
        _handle = os.open(MARKS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(_handle, _MARK.pack(number, now))


def marked():
    """How many marks there are."""
    return MARKS.stat().st_size // _MARK.size if MARKS.exists() else 0


def batches(numbers, size=1000):
    """The same in lists of a size, which is how most queues want many."""
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def become(*words):
    """Go on as a program of the same environment, such as the queue's own worker."""
    program = str(Path(sys.executable).parent / words[0])
    os.execv(program, [program, *words[1:]])


class Contender:
    """A queue under measurement. Any method may be a coroutine function: all run on one loop."""

    def prepare(self):
        """Make its tables, in an empty store."""

    def open(self):
        """Get ready to enqueue."""

    def enqueue(self, number):
        """Enqueue one job, and return when it is stored."""
        raise NotImplementedError

    async def aenqueue(self, number):
        """The same, while others do so as well."""
        raise NotImplementedError

    enqueue_many = None
    """Enqueue all of a list in as few steps as it offers; None where there is only one by one."""

    def work(self):
        """Be a worker, until SIGTERM."""
        raise NotImplementedError

    def left(self):
        """Whether there are jobs that have not ended, as its store has it."""
        raise NotImplementedError

    def past(self, count):
        """Put as many ended jobs into the store."""
        raise NotImplementedError

    def future(self, count):
        """Put as many jobs into the store that are due in a month."""
        raise NotImplementedError
