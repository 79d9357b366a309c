"""Threads that run plain functions for an event loop.

They are daemons: a function that never returns cannot keep the process from ending.
"""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, cast

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
        answer: asyncio.Future[T] = self._loop.create_future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                deliver = partial(_deliver, answer, context.run(function))
            except BaseException as error:  # noqa: BLE001 - the answer, whatever it is
                deliver = partial(_deliver_error, answer, error)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(deliver)

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


def _deliver(answer: "asyncio.Future[T]", value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _deliver_error(answer: "asyncio.Future[Any]", error: BaseException) -> None:
    if answer.done():
        return
    if isinstance(error, StopIteration):  # a future cannot hold the one that ends an iteration
        wrapped = RuntimeError("the function raised StopIteration")
        wrapped.__cause__ = error
        error = wrapped
    answer.set_exception(error)
