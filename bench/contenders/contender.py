"""What every contender can do, as a program: it is run by the Python of its own environment.

    python contenders/NAME.py prepare | enqueue KIND N | worker | finish N | pickup N GAP | past N

Standard library only. A contender says what its queue does in each case; the results are printed
as one line of JSON. Everything is kept in the folder `$BENCH_RUN`.
"""

import json
import os
import struct
import sys
import time
from pathlib import Path

RUN = Path(os.environ.get("BENCH_RUN", "."))
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


def marks():
    """All marks: number and time, in nanoseconds."""
    return list(_MARK.iter_unpack(MARKS.read_bytes())) if MARKS.exists() else []


def marked():
    """How many marks there are."""
    return MARKS.stat().st_size // _MARK.size if MARKS.exists() else 0


class Contender:
    """A queue under measurement."""

    def prepare(self):
        """Make its tables, in an empty store."""

    def open(self):
        """Get ready to enqueue."""

    def enqueue(self, number):
        """Enqueue one job, and return when it is stored."""
        raise NotImplementedError

    def enqueue_many(self, numbers):
        """Enqueue all of these in as few steps as it offers."""
        for number in numbers:
            self.enqueue(number)

    def work(self):
        """Be a worker, until SIGTERM."""
        raise NotImplementedError

    def left(self):
        """How many jobs have not ended, as its store has it."""
        raise NotImplementedError

    def past(self, count):
        """Put as many ended jobs into the store."""
        raise NotImplementedError


def main(contender):
    """Do what the command line says."""
    command, *words = sys.argv[1:]
    answer = {
        "prepare": _prepare,
        "enqueue": _enqueue,
        "worker": _worker,
        "finish": _finish,
        "pickup": _pickup,
        "past": _past,
    }[command](contender, *words)
    print(json.dumps(answer), flush=True)
    os._exit(0)  # some libraries leave threads behind that never end


def _prepare(contender):
    contender.prepare()


def _worker(contender):
    contender.work()


def _past(contender, count):
    contender.open()
    contender.past(int(count))


def _enqueue(contender, kind, count):
    contender.open()
    contender.enqueue(0)  # the first call also loads and compiles what it needs
    numbers = range(1, int(count) + 1)
    began = time.perf_counter()
    if kind == "many":
        contender.enqueue_many(numbers)
    else:
        for number in numbers:
            contender.enqueue(number)
    return {"seconds": time.perf_counter() - began}


def _finish(contender, count, limit):
    """Wait until all have run (and the one before them), and then until the store knows it."""
    contender.open()
    end = time.monotonic() + float(limit)
    while marked() <= int(count) and time.monotonic() < end:
        time.sleep(0.005)
    while contender.left() and time.monotonic() < end:
        time.sleep(0.005)
    return {"ended": time.time_ns(), "left": contender.left(), "marked": marked()}


def _pickup(contender, count, gap):
    """Enqueue one job now and then; when each call began."""
    contender.open()
    sent, before = {}, marked()
    for number in range(1_000_000, 1_000_000 + int(count)):
        time.sleep(float(gap))
        sent[number] = time.time_ns()
        contender.enqueue(number)
    end = time.monotonic() + 30
    while marked() < before + int(count) and time.monotonic() < end:
        time.sleep(0.05)
    return {"sent": list(sent.items())}
