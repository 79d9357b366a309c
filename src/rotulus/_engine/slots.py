"""The slots of a worker: which jobs run, which wait for a slot, and which of them is next.

Jobs are started in the order they were claimed, whoever asks: the event loop takes coroutines,
threads take plain functions, and each takes the next one only when it is of its own kind.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from rotulus._engine.run import Run


class Slots:
    """Who runs and who waits. May be used from any thread.

    Args:
        count: how many run at once.
        is_plain: whether an attempt is made in a thread from beginning to end.
    """

    def __init__(self, count: int, is_plain: Callable[[Run], bool]) -> None:
        self._count = count
        self._is_plain = is_plain
        self._used = 0
        self._waiting: deque[Run] = deque()
        self._running: set[Run] = set()
        self._away: set[Run] = set()
        self._returning: deque[tuple[Run, Callable[[], object]]] = deque()
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How many wait or run."""
        return len(self._waiting) + len(self._running)

    @property
    def running(self) -> int:
        """How many run, or have ended and nobody has taken note of it yet."""
        return len(self._running)

    @property
    def away(self) -> int:
        """How many run without a slot."""
        return len(self._away)

    def all_running(self) -> list[Run]:
        """Those that run, or have ended and nobody has taken note of it yet."""
        with self._lock:
            return list(self._running)

    def add(self, runs: Iterable[Run]) -> None:
        """These wait for a slot."""
        with self._lock:
            self._waiting.extend(runs)

    def next(self, *, plain: bool) -> Run | None:
        """The next one, which runs from now on; None if there is none of this kind, or no slot."""
        with self._lock:
            if not self._startable(plain=plain):
                return None
            run = self._waiting.popleft()
            self._running.add(run)
            self._used += 1
            return run

    def startable(self, *, plain: bool) -> int:
        """How many could be started now, if the next one is of this kind; else 0."""
        with self._lock:
            if not self._startable(plain=plain):
                return 0
            return min(len(self._waiting), self._count - self._used)

    def vacate(self, run: Run) -> None:
        """A run has come to its end: its slot is free for the next one, if it has one."""
        with self._lock:
            if run in self._away:
                self._away.remove(run)
                self._returning = deque(pair for pair in self._returning if pair[0] is not run)
                return
            back = self._free()
        back()

    def leave(self, run: Run) -> None:
        """A run goes on without its slot, which is free for the next one."""
        with self._lock:
            self._away.add(run)
            back = self._free()
        back()

    def come_back(self, run: Run, back: Callable[[], object]) -> None:
        """A run that left its slot wants one again: before those that wait for their first."""
        with self._lock:
            if run not in self._away:
                return  # it has been given up meanwhile
            if self._used >= self._count:
                self._returning.append((run, back))
                return
            self._used += 1
            self._away.remove(run)
        back()

    def drop(self, run: Run) -> bool:
        """It has ended, and somebody takes note; False when somebody has done so before."""
        with self._lock:
            if run not in self._running:
                return False
            self._running.remove(run)
            return True

    def withdraw(self) -> list[Run]:
        """All that wait; they do not any more."""
        with self._lock:
            runs = list(self._waiting)
            self._waiting.clear()
            return runs

    def _free(self) -> Callable[[], object]:
        """A slot is free, or goes to who wants to come back: then, what tells him."""
        if not self._returning:
            self._used -= 1
            return _nobody
        run, back = self._returning.popleft()
        self._away.remove(run)
        return back

    def _startable(self, *, plain: bool) -> bool:
        if not self._waiting or self._used >= self._count:
            return False
        return self._is_plain(self._waiting[0]) is plain


def _nobody() -> None:
    """There is nobody to tell."""
