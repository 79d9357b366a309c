"""The slots of a worker: which jobs run, which wait for a slot, and which of them is next.

Jobs are started in the order they were claimed, whoever asks: the event loop takes coroutines,
threads take plain functions, and each takes the next one only when it is of its own kind. When one
of them makes a job of the other kind the next one, the other one is told.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from rotulus._engine.execution import Execution

Back = Callable[[], object]


class Slots:
    """Who runs and who waits. May be used from any thread.

    Args:
        count: how many run at once.
        hand_over: called when `next` has made a job of the other kind the next one, and there is a
            slot for it, with `plain` saying which kind that is.
    """

    def __init__(self, count: int, hand_over: Callable[[bool], object]) -> None:
        self._count = count
        self._hand_over = hand_over
        self._waiting: deque[Execution] = deque()
        self._running: set[Execution] = set()
        self._holding: set[Execution] = set()
        self._away: set[Execution] = set()
        self._returning: dict[Execution, list[Back]] = {}
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

    def resize(self, count: int) -> None:
        """So many run at once from now on; what runs beyond that goes on."""
        with self._lock:
            self._count = count
            told = [back for _ in range(self._free_now()) for back in self._give_back_one()]
        _tell(told)

    def all_running(self) -> list[Execution]:
        """Those that run, or have ended and nobody has taken note of it yet."""
        with self._lock:
            return list(self._running)

    def add(self, runs: Iterable[Execution]) -> None:
        """These wait for a slot."""
        with self._lock:
            self._waiting.extend(runs)

    def next(self, *, plain: bool) -> Execution | None:
        """The next one, which runs from now on; None if there is none of this kind, or no slot."""
        with self._lock:
            waiting, holding = self._waiting, self._holding
            if not waiting or len(holding) >= self._count or waiting[0].plain is not plain:
                return None
            run = waiting.popleft()
            self._running.add(run)
            holding.add(run)
            others = waiting and len(holding) < self._count and waiting[0].plain is not plain
        if others:
            self._hand_over(not plain)
        return run

    def startable(self, *, plain: bool) -> int:
        """How many could be started now, if the next one is of this kind; else 0."""
        with self._lock:
            free = self._free_now()
            if not free or not self._waiting or self._waiting[0].plain is not plain:
                return 0
            return min(len(self._waiting), free)

    def vacate(self, run: Execution) -> None:
        """A run has come to its end: its slot is free for the next one, if it has one."""
        with self._lock:
            self._away.discard(run)
            self._returning.pop(run, None)
            told = self._free(run)
        _tell(told)

    def leave(self, run: Execution) -> None:
        """A run goes on without its slot, which is free for the next one, if it has one."""
        with self._lock:
            if run not in self._holding:
                return
            self._away.add(run)
            told = self._free(run)
        _tell(told)

    def come_back(self, run: Execution, back: Back) -> None:
        """A run that left its slot wants one again: before those that wait for their first.

        Args:
            run: the run.
            back: called when it has one: at once, if it has it already. It never is when the run
                has ended, or has been given up.
        """
        with self._lock:
            if run in self._away:
                if len(self._holding) >= self._count:
                    self._returning.setdefault(run, []).append(back)
                    return
                self._away.remove(run)
                self._holding.add(run)
            elif run not in self._holding:
                return
        back()

    def drop(self, run: Execution) -> bool:
        """It has ended, and somebody takes note; False when somebody has done so before."""
        with self._lock:
            if run not in self._running:
                return False
            self._running.remove(run)
            return True

    def withdraw(self, since: float = float("inf")) -> list[Execution]:
        """Those that have waited since then, or longer, and do not any more; all that wait."""
        with self._lock:
            runs: list[Execution] = []
            while self._waiting and (self._waiting[0].taken_at or 0.0) <= since:
                runs.append(self._waiting.popleft())
            return runs

    def _free(self, run: Execution) -> Iterable[Back]:
        """The slot of a run is free, or goes to one that wants to come back: what tells that."""
        if run not in self._holding:
            return ()
        self._holding.remove(run)
        return self._give_back_one() if self._free_now() else ()

    def _free_now(self) -> int:
        return max(0, self._count - len(self._holding))

    def _give_back_one(self) -> Iterable[Back]:
        """One that wants to come back has a free slot, if there is one: what tells that."""
        if not self._returning:
            return ()
        other = next(iter(self._returning))
        self._away.remove(other)
        self._holding.add(other)
        return self._returning.pop(other)


def _tell(backs: Iterable[Back]) -> None:
    for back in backs:
        back()
