"""An attempt under way: how its task reports, and how the worker tells it to stop."""

import json
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from enum import Enum
from typing import Any, Protocol

from rotulus._engine.log_buffer import OFF, Line, LogBuffer
from rotulus._jobs.port import Progress
from rotulus._jobs.record import JobRecord
from rotulus._workflows.context import Context
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.workflow import Step


class Stop(Enum):
    """Why a running body is told to stop."""

    CANCELLED = "cancelled"
    """The job was cancelled."""
    SHUTDOWN = "shutdown"
    """The worker stops before the body is done."""
    LOST = "lost"
    """The lease is gone: the job may be running elsewhere."""


_OPENING_LOGS = threading.RLock()  # a finalizer or a signal handler that logs may come meanwhile


class Slot(Protocol):
    """One of the slots of a worker: an execution holds it while it runs."""

    def leave(self, execution: "Execution") -> None:
        """Let another execution have the slot of this one."""
        ...

    def come_back(self, execution: "Execution", resume: Callable[[], object]) -> None:
        """Ask for a slot again; `resume` is called when the execution has one."""
        ...

    def note_waiting(self, execution: "Execution", job_id: str) -> None:
        """Take note that an execution keeps its slot while its body waits for another job."""
        ...


class Execution:
    """An attempt that runs now. `report` and `cancel_requested` may be used from any thread.

    Attributes:
        job: the job, as it was claimed.
        interrupt: interrupts the body where it waits; set by what runs it.
        interruptible: whether it may be interrupted half way. A coroutine may; a plain function
            cannot be, and has to look at `cancel_requested`.
        stopped_by: why it was told to stop, if it was.
        timed_out: whether it had no time left.
        ended: whether the body has come to its end.
        completed: whether the body has settled its job itself, in a transaction of its own.
        step: the step of a workflow that the job is, or is a branch of, if it is one.
        step_input: the context that a step begins with.
        context: the same, as it stands now.
        slot: the slot of the worker that it runs in, if there is one.
        deferred: whether it has left its slot, and waits for something.
        log_level: gives the least level of the lines that are kept of the attempts of a task; None:
            no line is.
        logs: what it has logged and is not stored yet; None: nothing.
        waits: coroutines that its body is to await, until they begin.
        error: what the body raised, from then until the end of the attempt has been told.
        in_thread: whether it runs in a thread from beginning to end.
        claimed_at: when the answer to its claim came, by the monotonic clock, in seconds; None
            where nothing was claimed.
        leased_at: when the lease that it has was asked for, by the same clock.
    """

    __slots__ = (
        "_awaited",
        "_process",
        "_progress",
        "_stored",
        "claimed_at",
        "completed",
        "context",
        "deferred",
        "ended",
        "error",
        "in_thread",
        "interrupt",
        "interruptible",
        "job",
        "leased_at",
        "log_level",
        "logs",
        "slot",
        "step",
        "step_input",
        "stopped_by",
        "timed_out",
        "waits",
    )

    def __init__(self, job: JobRecord) -> None:
        self.job = job
        self.interrupt: Callable[[], object] | None = None
        self.interruptible = False
        self.stopped_by: Stop | None = None
        self.timed_out = False
        self.ended = False
        self.completed = False
        self.step: Step | None = None
        self.step_input: HandedOn | None = None
        self.context: Context | None = None
        self.slot: Slot | None = None
        self.deferred = False
        self.waits: list[Coroutine[Any, Any, None]] = []
        self.error: BaseException | None = None
        self.log_level: Callable[[str], int] | None = None
        self.logs: LogBuffer | None = None
        self._process = os.getpid()
        self._awaited: tuple[str, ...] = ()
        self.in_thread = False
        self.claimed_at: float | None = None
        self.leased_at = float("-inf")
        self._progress: str | None = None
        self._stored: str | None = None

    @property
    def cancel_requested(self) -> bool:
        """Whether the body is told to stop, for any reason."""
        return self.stopped_by is not None

    @property
    def reached(self) -> Progress | None:
        """How far the body says it has got, if it does."""
        return Progress(*json.loads(self._progress)) if self._progress else None

    def report(self, progress: Progress) -> None:
        """Take note of how far the body has got."""
        self._progress = json.dumps(progress)

    def hear(self, record: logging.LogRecord) -> None:
        """Keep a record that the body has logged. It never raises."""
        if self._is_here:
            (self.logs or self._open_logs()).hear(record)

    def log(self, text: str, level: int) -> None:
        """Keep a line of the body."""
        if self._is_here:
            (self.logs or self._open_logs()).say(text, level)

    def relay_logs(self, lines: Iterable[Sequence[Any]]) -> None:
        """Keep lines that were logged elsewhere."""
        (self.logs or self._open_logs()).relay([Line(*line) for line in lines])

    @property
    def _is_here(self) -> bool:
        """Whether this is no copy in a process that the body has forked.

        There nobody stores lines, and a thread of the parent may hold the locks for ever.
        """
        return self._process == os.getpid()

    def _open_logs(self) -> LogBuffer:
        """Returns the buffer of the first line, and of those after it."""
        with _OPENING_LOGS:
            if self.logs is None:
                level = OFF if self.log_level is None else self.log_level(self.job.task)
                buffer = LogBuffer(self.job, level)
                self.logs = self.logs or buffer
            return self.logs

    def note_completed(self) -> None:
        """Take note that the body has settled its job, if its transaction commits."""
        self.completed = True

    def leave_slot(self) -> None:
        """Let others have the slot while the body waits for something outside."""
        self.deferred = True
        if self.slot is not None:
            self.slot.leave(self)

    def return_to_slot(self, resume: Callable[[], object]) -> None:
        """Ask for a slot again; `resume` is called, in any thread, when there is one."""

        def returned() -> None:
            self.deferred = False
            resume()

        if self.slot is None:
            returned()
        else:
            self.slot.come_back(self, returned)

    @property
    def awaits(self) -> str | None:
        """The id of the job whose end its body waits for, if it does."""
        return self._awaited[-1] if self._awaited else None

    def begin_waiting(self, job_id: str) -> None:
        """Take note that the body waits for the end of another job, and keeps its slot."""
        self._awaited = (*self._awaited, job_id)
        if self.slot is not None:
            self.slot.note_waiting(self, job_id)

    def end_waiting(self, job_id: str) -> None:
        """Take note that the body does not wait for that one any more."""
        waiting = list(self._awaited)
        waiting.remove(job_id)
        self._awaited = tuple(waiting)

    def relay_waiting(self, job_id: str | None) -> None:
        """Take note of the job that an isolated body waits for; None: it waits no more."""
        self._awaited = ()
        if job_id is not None:
            self.begin_waiting(job_id)

    def relay(self, progress: str) -> None:
        """Take note of progress that was reported elsewhere, as JSON text."""
        self._progress = progress

    def unstored_progress(self) -> str | None:
        """Returns the progress that was reported and not stored yet, as JSON text."""
        return None if self._progress is self._stored else self._progress

    def progress_stored(self, progress: str | None) -> None:
        """This much of it is stored."""
        if progress is not None:
            self._stored = progress

    def stop(self, why: Stop) -> None:
        """Tell the body to stop; the first reason stands. To be called on the event loop.

        An execution that has ended is left alone: its thread or task may run another one by now.
        """
        if self.ended or self.stopped_by is not None:
            return
        self.stopped_by = why
        # At a shutdown the process is about to end: then a plain function is left behind.
        if self.interrupt is not None and (self.interruptible or why is Stop.SHUTDOWN):
            self.interrupt()
