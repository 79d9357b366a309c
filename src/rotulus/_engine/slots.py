"""The slots of a worker, its concurrency: which jobs run, which wait for a slot, which is next.

Jobs start in the order in which they were claimed. The event loop runs coroutines, threads run
functions, and each takes the next job only when it is of its own kind. Where that makes a job of
the other kind the next one, the other side is told.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from rotulus._engine.execution import Execution

Resume = Callable[[], object]


class Slots:
    """Which executions run, and which wait. May be used from any thread.

    Args:
        count: how many run at once.
        hand_over: called when `take` has made a job of the other kind the next one, and there is a
            slot for it; told whether that one runs in a thread.
    """

    def __init__(self, count: int, hand_over: Callable[[bool], object]) -> None:
        self._count = count
        self._hand_over = hand_over
        self._waiting: deque[Execution] = deque()
        self._running: set[Execution] = set()
        self._holding: set[Execution] = set()
        self._away: set[Execution] = set()
        self._returning: dict[Execution, list[Resume]] = {}
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How many jobs wait or run."""
        return len(self._waiting) + len(self._running)

    @property
    def running(self) -> int:
        """How many jobs run, or have ended and are not dropped yet."""
        return len(self._running)

    @property
    def away(self) -> int:
        """How many jobs run without a slot."""
        return len(self._away)

    def resize(self, count: int) -> None:
        """Run so many jobs at once from now on; those beyond that go on."""
        with self._lock:
            self._count = count
            resumed = [resume for _ in range(self._free_now()) for resume in self._readmit_one()]
        _resume_all(resumed)

    def all_running(self) -> list[Execution]:
        """Returns the jobs that run, or have ended and are not dropped yet."""
        with self._lock:
            return list(self._running)

    def add(self, executions: Iterable[Execution]) -> None:
        """Let some jobs wait for a slot."""
        with self._lock:
            self._waiting.extend(executions)

    def take(self, *, in_thread: bool) -> Execution | None:
        """Start the next job if it is of this kind and there is a slot; returns it, or None."""
        with self._lock:
            waiting, holding = self._waiting, self._holding
            if not waiting or len(holding) >= self._count or waiting[0].in_thread is not in_thread:
                return None
            execution = waiting.popleft()
            self._running.add(execution)
            holding.add(execution)
            others = (
                waiting and len(holding) < self._count and waiting[0].in_thread is not in_thread
            )
        if others:
            self._hand_over(not in_thread)
        return execution

    def startable(self, *, in_thread: bool) -> int:
        """Returns how many jobs can start now, if the next one is of this kind; else 0."""
        with self._lock:
            free = self._free_now()
            if not free or not self._waiting or self._waiting[0].in_thread is not in_thread:
                return 0
            return min(len(self._waiting), free)

    def vacate(self, execution: Execution) -> None:
        """An execution has come to its end: its slot, if it has one, is free for the next one."""
        with self._lock:
            self._away.discard(execution)
            self._returning.pop(execution, None)
            resumed = self._free(execution)
        _resume_all(resumed)

    def leave(self, execution: Execution) -> None:
        """An execution goes on without its slot, which is free for the next one."""
        with self._lock:
            if execution not in self._holding:
                return
            self._away.add(execution)
            resumed = self._free(execution)
        _resume_all(resumed)

    def come_back(self, execution: Execution, resume: Resume) -> None:
        """Ask for a slot again for an execution that left its own: before those that wait to start.

        Args:
            execution: the execution.
            resume: called when it has a slot: at once, if it has one already. Never called when
                the execution has ended, or has been given up.
        """
        with self._lock:
            if execution in self._away:
                if len(self._holding) >= self._count:
                    self._returning.setdefault(execution, []).append(resume)
                    return
                self._away.remove(execution)
                self._holding.add(execution)
            elif execution not in self._holding:
                return
        resume()

    def drop(self, execution: Execution) -> bool:
        """Forget an execution that has ended; returns False when that was done before."""
        with self._lock:
            if execution not in self._running:
                return False
            self._running.remove(execution)
            return True

    def withdraw(self, since: float = float("inf")) -> list[Execution]:
        """Take back what has waited since then, or longer; everything that waits, unless given."""
        with self._lock:
            executions: list[Execution] = []
            while self._waiting and (self._waiting[0].claimed_at or 0.0) <= since:
                executions.append(self._waiting.popleft())
            return executions

    def _free(self, execution: Execution) -> Iterable[Resume]:
        """Free a slot, or give it to one that wants to come back; returns what resumes that one."""
        if execution not in self._holding:
            return ()
        self._holding.remove(execution)
        return self._readmit_one() if self._free_now() else ()

    def _free_now(self) -> int:
        return max(0, self._count - len(self._holding))

    def _readmit_one(self) -> Iterable[Resume]:
        """Give a free slot to one that wants to come back; returns what resumes it."""
        if not self._returning:
            return ()
        other = next(iter(self._returning))
        self._away.remove(other)
        self._holding.add(other)
        return self._returning.pop(other)


def _resume_all(resumed: Iterable[Resume]) -> None:
    for resume in resumed:
        resume()
