"""Threads that run plain functions for an event loop.

They are daemons: a function that never returns cannot keep the process from ending.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from rotulus._concurrency.handover import hand_over

T = TypeVar("T")


class Threads:
    """Runs functions, each in a thread that runs nothing else meanwhile.

    A thread is started whenever none is idle, so a function that is stuck costs a thread and
    not its place; who calls bounds how many run at once.

    Args:
        loop: the event loop that waits for the answers.
        name: what the threads are called.
        keep: how many idle threads are kept.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, keep: int) -> None:
        self._loop = loop
        self._name = name
        self._keep = keep
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._started = 0

    def call(self, function: Callable[[], object]) -> None:
        """Run a function in a thread; it must not raise, and nobody hears what it returns."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                self._start()
        self._work.put(function)

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread, and give what it returns or raises.

        When the caller is cancelled, the function runs on and its answer is dropped.
        """
        answer, work = hand_over(self._loop, function)
        self.call(work)
        return await answer

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop, and wait for it. To be called in one of the threads."""
        value, error = asyncio.run_coroutine_threadsafe(captured(coroutine), self._loop).result()
        if error is not None:
            raise error
        return cast("T", value)

    def close(self) -> None:
        """Let the threads end as they become idle."""
        with self._lock:
            self._keep = 0
            for _ in range(self._idle):
                self._work.put(None)
            self._idle = 0

    def _start(self) -> None:
        self._started += 1
        name = f"{self._name}-{self._started}"
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while (function := self._work.get()) is not None:
            function()
            del function
            with self._lock:
                if self._idle >= self._keep:
                    return
                self._idle += 1


async def captured(body: Awaitable[T]) -> tuple[T | None, BaseException | None]:
    """What a body returns or raises, as a value.

    In a task of its own, a body that raises SystemExit would end the event loop.
    """
    try:
        return await body, None
    except BaseException as error:  # noqa: BLE001 - handed on to who waits for it
        return None, error
