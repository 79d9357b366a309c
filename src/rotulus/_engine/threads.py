"""Threads that run functions for an event loop: the bodies of tasks, and calls of the store.

They are daemons: a function that never returns cannot keep the process from ending.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from rotulus._concurrency.handover import hand_over, tell
from rotulus._concurrency.starting import start_thread
from rotulus._warnings import on_event_loop
from rotulus.errors import ThreadNotStartedError

T = TypeVar("T")

_AGAIN = 1.0
"""Seconds until the system is asked again for a thread that it has refused."""


class Threads:
    """Runs functions, each in a thread that runs nothing else meanwhile.

    A thread is started whenever none is idle, so a function that is stuck costs a thread and
    not its place; a caller bounds how many run at once. When the system refuses to start one,
    the function waits for the next thread that there is.

    Args:
        loop: the event loop that waits for the answers.
        name: what the threads are called.
        keep: how many idle threads are kept.
        refused: told why the system refuses to start a thread.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        keep: int,
        refused: Callable[[Exception], object] = lambda _: None,
    ) -> None:
        self._loop = loop
        self._name = name
        self._keep = keep
        self._refused = refused
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._missing = 0
        self._started = 0
        self._unfinished: set[Callable[[], object]] = set()
        self._abandoned: set[Callable[[], object]] = set()

    @property
    def abandoned(self) -> int:
        """How many functions run on though their caller was cancelled, and is gone."""
        return len(self._abandoned)

    def call(self, function: Callable[[], object]) -> None:
        """Run a function in a thread; it must not raise, and what it returns is dropped."""
        problem = None
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif problem := self._start_thread():
                self._missing += 1
            first = self._missing == 1
        self._work.put(function)
        if problem is not None and first:
            self._refused(problem)
            self._try_again()

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread, and give what it returns or raises.

        When the caller is cancelled, the function runs on and its answer is dropped.
        """
        answer, work = hand_over(self._loop, function)
        with self._lock:
            self._unfinished.add(work)
        self.call(work)
        try:
            return await answer
        except asyncio.CancelledError:
            with self._lock:
                if answer.cancelled() and work in self._unfinished:
                    self._abandoned.add(work)
            raise

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop, and wait for it. To be called in one of the threads."""
        value, error = asyncio.run_coroutine_threadsafe(captured(coroutine), self._loop).result()
        if error is not None:
            raise error
        return cast("T", value)

    def keep(self, idle: int) -> None:
        """Keep so many idle threads from now on, as they become idle."""
        with self._lock:
            self._keep = idle

    def close(self) -> None:
        """Let the threads end as they become idle."""
        with self._lock:
            self._keep = 0
            for _ in range(self._idle):
                self._work.put(None)
            self._idle = 0

    def _start_thread(self) -> Exception | None:
        """Start a thread; returns the error if the system refuses."""
        name = f"{self._name}-{self._started + 1}"
        try:
            start_thread(self._run_calls, name)
        except ThreadNotStartedError as problem:
            return problem
        self._started += 1
        return None

    def _try_again(self) -> None:
        tell(self._loop, partial(self._loop.call_later, _AGAIN, self._start_missing))

    def _start_missing(self) -> None:
        """Start the threads that are still missing."""
        with self._lock:
            while self._missing and self._start_thread() is None:
                self._missing -= 1
            missing = self._missing
        if missing:
            self._try_again()

    def _run_calls(self) -> None:
        while (function := self._work.get()) is not None:
            function()
            with self._lock:
                self._unfinished.discard(function)
                self._abandoned.discard(function)
                del function
                if self._missing:  # what waits for a thread waits for this one
                    self._missing -= 1
                elif self._idle >= self._keep:
                    return
                else:
                    self._idle += 1


class CallingThread:
    """Runs functions in the calling thread, which makes an attempt and waits for it.

    The functions can use what belongs to that thread, such as its database connections.
    """

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function here and now; an event loop that runs here waits meanwhile."""
        return function()

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on an event loop of its own, and wait for it."""
        if not on_event_loop():
            value, error = asyncio.run(captured(coroutine))
        else:
            answer: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
            start_thread(lambda: answer.put(asyncio.run(captured(coroutine))), "rotulus-own")
            value, error = answer.get()
        if error is not None:
            raise error
        return cast("T", value)


async def captured(body: Awaitable[T]) -> tuple[T | None, BaseException | None]:
    """Returns what a body returns or raises, as a value.

    In a task of its own, a body that raises SystemExit would end the event loop.
    """
    try:
        return await body, None
    except BaseException as error:  # noqa: BLE001 - handed on to the caller that waits
        return None, error
