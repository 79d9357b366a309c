"""Threads of our own for calls that block, so that no event loop does.

The default executor of an event loop belongs to the application. Where its functions wait for a
job to be enqueued, they hold every thread that the enqueue would need.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import NamedTuple, ParamSpec, TypeVar

from rotulus._concurrency.exclusive import Exclusive
from rotulus._concurrency.handover import fail, hand_over
from rotulus._concurrency.starting import rest, start_thread
from rotulus._forking import follow_forks
from rotulus.errors import ThreadNotStartedError

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 32
"""Threads for the calls of coroutines: more than a store has connections."""


class _Work(NamedTuple):
    """The work of a thread, and the call to make when there is no thread for it."""

    run: Callable[[], object]
    refuse: Callable[[ThreadNotStartedError], object]


class ThreadPool:
    """Threads that are started when they are needed, and kept.

    They are daemons: a call that never returns cannot keep the process from ending. A forked
    child has a pool with no thread and no work.

    Args:
        name: what the threads are called.
        most: how many there are at most.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        self._work: SimpleQueue[_Work] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle: set[int] = set()
        self._starting = Exclusive()

    def submit(
        self, run: Callable[[], object], refuse: Callable[[ThreadNotStartedError], object]
    ) -> None:
        """Run a function in a thread, as soon as one is free.

        When the system refuses to start a thread, it waits for one that there is.

        Args:
            run: the function; it must not raise.
            refuse: called instead of it when there is no thread; likewise.
        """
        self._work.put(_Work(run, refuse))
        self._start_if_short()

    def _start_if_short(self) -> None:
        """Start a thread if there is work for it. Called again by each thread that takes some work.

        A caller that finds another one at it leaves its work to that one.
        """
        while self._is_short() and self._starting.attempt(self._start_thread) and not self._threads:
            pass

    def _is_short(self) -> bool:
        return self._work.qsize() > len(self._idle) and len(self._threads) < self._most

    def _start_thread(self) -> None:
        if not self._is_short():
            return
        name = f"{self._name}-{len(self._threads) + 1}"
        try:
            self._threads.append(start_thread(partial(self._run_work, self._work), name))
        except ThreadNotStartedError as problem:
            if not self._threads:
                self._refuse_all(str(problem))

    def _refuse_all(self, why: str) -> None:
        """Refuse all waiting work: without any thread, none of it would ever be done."""
        with suppress(Empty):
            while True:
                self._work.get_nowait().refuse(ThreadNotStartedError(why))

    def _run_work(self, work: SimpleQueue[_Work]) -> None:
        me = threading.get_ident()
        while True:
            self._idle.add(me)
            function = work.get().run
            self._idle.discard(me)
            self._start_if_short()
            function()
            del function
            rest()


_CALLS = ThreadPool("rotulus-call", _MOST)


async def off_loop(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks in a thread of ours, and return or raise what it does.

    It has the context variables of the caller. When the caller is cancelled, the call goes on and
    its answer is dropped. Raises `ThreadNotStartedError` when the system refuses the only thread.
    """
    return await in_pool(_CALLS, partial(function, *args, **kwargs))


async def in_pool(pool: ThreadPool, function: Callable[[], T]) -> T:
    """Call a function in the threads of a pool: one that must not wait behind others."""
    loop = asyncio.get_running_loop()
    answer, work = hand_over(loop, function)
    pool.submit(work, partial(fail, loop, answer))
    return await answer


async def in_own_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a thread that is started for it: one that may take any time."""
    answer, work = hand_over(asyncio.get_running_loop(), partial(function, *args, **kwargs))
    start_thread(work, "rotulus-own")
    return await answer
