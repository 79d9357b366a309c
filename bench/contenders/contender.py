"""The methods of contenders, required and optional, and the body of every job.

Standard library only, because it is imported in the environment of each. Jobs are kept in
`$BENCH_URL`, or in `$BENCH_STORE` where that URL is a broker's, everything else in the folder
`$BENCH_RUN`.
"""

import os
import struct
import sys
import time
from pathlib import Path
from typing import Protocol, runtime_checkable

RUN = Path(os.environ.get("BENCH_RUN", "."))
URL = os.environ.get("BENCH_URL", "")
STORE = os.environ.get("BENCH_STORE", URL)
MARKS = RUN / "marks"
PORT = RUN / "port"
"""Tells where a server listens."""

READS = RUN / "reads"
"""Tells how many statements have read changes."""

GO = RUN / "go"
"""Is there when a client that waits is to begin."""

LINKS = 5
"""How many steps follow one another in a chain."""

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
    """A contender. Any method may be a coroutine function: all run on one loop.

    What only some can do is not here, but in the protocols below.
    """

    def prepare(self):
        """Make its tables, in an empty store."""

    def open(self):
        """Get ready to do what is measured."""


@runtime_checkable
class TakesJobs(Protocol):
    """Jobs can be enqueued."""

    def enqueue(self, number):
        """Enqueue one job, and return when it is stored."""


@runtime_checkable
class Works(Protocol):
    """It has a process of its own that works: a worker, or a server."""

    def work(self):
        """Be that process, until SIGTERM."""


@runtime_checkable
class TellsWhatIsLeft(Protocol):
    """Its store tells when all is done."""

    def left(self):
        """Whether there are jobs that have not ended, as its store has it."""


@runtime_checkable
class TakesMany(Protocol):
    """It does not only take jobs one by one."""

    def enqueue_many(self, numbers):
        """Enqueue all of a list in as few steps as it offers."""


@runtime_checkable
class TakesFromCallers(Protocol):
    """It can be handed jobs by many coroutines at once."""

    async def aenqueue(self, number):
        """Enqueue one job, while others do so as well."""


@runtime_checkable
class HasPast(Protocol):
    """Its store can be filled with history."""

    def past(self, count):
        """Put as many ended jobs into the store."""


@runtime_checkable
class HasFuture(Protocol):
    """Its store can be filled with what is to come."""

    def future(self, count):
        """Put as many jobs into the store that are due in a month."""


@runtime_checkable
class IsPushed(Protocol):
    """It serves requests that each run a job which is stored."""

    def pushes(self, count):
        """Store as many jobs; the request for each: its path, its headers and its body."""


@runtime_checkable
class Verifies(Protocol):
    """It checks the tokens of pushes."""

    def verifying(self):
        """Get ready to check; what checks one token, and raises unless it is right."""


@runtime_checkable
class HasScenes(Protocol):
    """Its store can be filled with very many jobs of one kind."""

    def scene(self, name):
        """Fill it, and time calls; milliseconds by what they are of."""


@runtime_checkable
class IsWatched(Protocol):
    """It serves a stream of changes."""

    async def told(self, number):
        """Enqueue a job; the text that tells it in the stream."""


@runtime_checkable
class IsListed(Protocol):
    """It serves pages of its jobs."""

    def listed(self):
        """What is asked for: paths by name, and how many pages of each."""


@runtime_checkable
class HasConsole(Protocol):
    """It serves a console."""

    def screens(self):
        """What is looked at in a browser: values of `browsing.Seen`, by name."""


@runtime_checkable
class RunsWorkflows(Protocol):
    """It runs steps that wait for each other, and keeps what each of them returned.

    What a step adds to is what the one before it returned, so a result tells that all have run.
    """

    def launch(self):
        """Get ready to run workflows: in this program, unless workers do it."""

    def chain(self):
        """Begin a run of `LINKS` steps, each of which adds 1 to what it is given, 0 at first."""

    def fan(self, count):
        """Begin a run that adds 1 to each of as many numbers from 0 on, and their sum in a step."""

    def result(self, run):
        """Wait until a run has ended; what it came to."""
