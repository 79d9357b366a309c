"""Events of workers and their processes: they start, drain, stop, and are replaced."""

import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rotulus._jobs.record import JobRecord
from rotulus._text.words import many
from rotulus.events.event import Event


@dataclass(frozen=True)
class ForkServerStarted(Event, level=logging.INFO):
    """The process that forks those of isolated tasks has started.

    `threads` are those that ran beside it in the worker's process: a lock that one of them held
    then stays locked in isolated tasks.
    """

    pid: int
    threads: Sequence[str]

    @property
    def level(self) -> int:
        """WARNING when threads ran beside it."""
        return logging.WARNING if self.threads else logging.INFO

    def line(self) -> str:
        """Which process it is, and which threads ran."""
        text = f"isolated tasks run in processes forked by {self.pid}"
        if self.threads:
            text += (
                f"; these threads ran then, and a lock one of them held is locked there for ever: "
                f"{', '.join(self.threads)}"
            )
        return text

    def data(self) -> dict[str, Any]:
        """Returns the process, and the threads."""
        return {"pid": self.pid, "threads": list(self.threads)}


@dataclass(frozen=True)
class WorkerStarted(Event, level=logging.INFO):
    """A worker is ready to claim."""

    worker: str
    queues: tuple[str, ...] | None
    slots: int

    def line(self) -> str:
        """Returns the queues and tasks of the worker."""
        queues = "all queues" if self.queues is None else f"queues {', '.join(self.queues)}"
        return f"worker {self.worker} serves {queues} in {many(self.slots, 'slot')}"

    def data(self) -> dict[str, Any]:
        """Returns the worker, and its slots."""
        return {"worker": self.worker, "slots": self.slots}


@dataclass(frozen=True)
class WorkerDraining(Event, level=logging.INFO):
    """A worker claims no more and finishes what it runs, for so many seconds at most."""

    worker: str
    running: int
    seconds: float

    def line(self) -> str:
        """Returns how many jobs it waits for, and how long."""
        return (
            f"stopping: waiting up to {self.seconds:g} s for {many(self.running, 'running job')} "
            f"(again to give them back now)"
        )

    def data(self) -> dict[str, Any]:
        """Returns the worker, and how many jobs it runs."""
        return {"worker": self.worker, "running": self.running}


@dataclass(frozen=True)
class WorkerRetiring(Event, level=logging.INFO):
    """A worker claims no more, finishes what it runs, however long that takes, and ends.

    It has run as many jobs, or grown as large, as it may; or somebody has `drained` it, and then no
    other process takes its place.
    """

    worker: str
    reason: str
    drained: bool = False

    def line(self) -> str:
        """Returns why it ends."""
        return f"worker {self.worker} ends after what it runs: {self.reason}"

    def data(self) -> dict[str, Any]:
        """Returns the worker, and the reason."""
        return {"worker": self.worker, "reason": self.reason}


@dataclass(frozen=True)
class WorkerStopped(Event, level=logging.INFO):
    """A worker has stopped, after so many attempts; `released` of them were given back."""

    worker: str
    attempts: int
    released: int

    def line(self) -> str:
        """Returns how many attempts it made, and how many of them were given back."""
        back = f", {self.released} of them given back" if self.released else ""
        return f"worker stopped after {many(self.attempts, 'attempt')}{back}"

    def data(self) -> dict[str, Any]:
        """Returns the worker, and how many attempts it made."""
        return {"worker": self.worker, "attempts": self.attempts}


@dataclass(frozen=True)
class ProcessStarted(Event, level=logging.INFO):
    """A supervisor started a worker process."""

    worker: str
    pid: int

    def line(self) -> str:
        """Which process it is."""
        return f"process {self.pid} started as worker {self.worker}"

    def data(self) -> dict[str, Any]:
        """Returns the worker, and its process."""
        return {"worker": self.worker, "pid": self.pid}


@dataclass(frozen=True)
class ProcessEnded(Event, level=logging.INFO):
    """A worker process ended, after so many seconds.

    `code` is its exit code, or minus the signal that killed it.
    """

    worker: str
    pid: int
    code: int
    seconds: float

    @property
    def level(self) -> int:
        """WARNING unless its exit code was 0."""
        return logging.WARNING if self.code else logging.INFO

    def line(self) -> str:
        """How it ended, and how long it lived."""
        how = f"was killed by {_signal_name(-self.code)}" if self.code < 0 else "ended"
        code = f" with exit code {self.code}" if self.code > 0 else ""
        return f"process {self.pid} {how}{code} after {self.seconds:.1f} s (worker {self.worker})"

    def data(self) -> dict[str, Any]:
        """Returns the worker, its process, and the exit code."""
        return {"worker": self.worker, "pid": self.pid, "code": self.code}


@dataclass(frozen=True)
class ProcessDelayed(Event, level=logging.ERROR):
    """As many processes in a row died young: another one is started after so many seconds."""

    deaths: int
    seconds: float

    def line(self) -> str:
        """Returns how many died, and when the next one is started."""
        return f"{self.deaths} processes in a row died young: the next one in {self.seconds:g} s"

    def data(self) -> dict[str, Any]:
        """Returns how many died, and the seconds."""
        return {"deaths": self.deaths, "seconds": self.seconds}


@dataclass(frozen=True)
class ProcessNotStarted(Event, level=logging.ERROR):
    """The system refused to start a process; it will be tried again."""

    error: Exception

    def line(self) -> str:
        """What the system said."""
        return f"a process cannot be started: {self.error}; trying again"


@dataclass(frozen=True)
class ProcessSilent(Event, level=logging.WARNING):
    """A process is alive, but its threads do not run: something in it holds the interpreter.

    The supervisor has renewed the leases of these jobs for it.
    """

    worker: str
    pid: int
    jobs: Sequence[JobRecord]

    def line(self) -> str:
        """Which process it is, and what it runs."""
        return (
            f"process {self.pid} gets no turn, something in it holds the interpreter: renewed its "
            f"leases ({', '.join(sorted({job.task for job in self.jobs}))})"
        )

    def data(self) -> dict[str, Any]:
        """Returns the worker, its process, and its jobs."""
        jobs = [job.id for job in self.jobs[:100]]
        return {"worker": self.worker, "pid": self.pid, "jobs": jobs}


@dataclass(frozen=True)
class ProcessStuck(Event, level=logging.WARNING):
    """A process did not end in time, and is killed."""

    worker: str
    pid: int

    def line(self) -> str:
        """Which process it is."""
        return f"process {self.pid} did not end in time: killing it (worker {self.worker})"

    def data(self) -> dict[str, Any]:
        """Returns the worker, and its process."""
        return {"worker": self.worker, "pid": self.pid}


@dataclass(frozen=True)
class ThreadNotStarted(Event, level=logging.ERROR):
    """The system refuses to start a thread for a worker; what was to run in it waits."""

    worker: str
    error: Exception

    def line(self) -> str:
        """What the system said."""
        return f"no thread can be started: {self.error}; trying again"

    def data(self) -> dict[str, Any]:
        """Returns the worker."""
        return {"worker": self.worker}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
