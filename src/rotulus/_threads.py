"""Threads that run plain functions for an event loop, many results to one wake-up.

They are daemons: a function that never returns cannot keep the process from ending.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Work(NamedTuple):
    function: Callable[[], Any]
    context: contextvars.Context
    answer: "asyncio.Future[Any]"


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
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._started = 0
        self._answers: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._waking = False

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread, and give what it returns or raises.

        When the caller is cancelled, the function runs on and its answer is dropped.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                self._start()
        self._work.put(_Work(function, contextvars.copy_context(), answer))
        return await answer

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
        while (work := self._work.get()) is not None:
            self._answer(work)
            del work
            with self._lock:
                if self._idle >= self._keep:
                    return
                self._idle += 1

    def _answer(self, work: _Work) -> None:
        try:
            value, error = work.context.run(work.function), None
        except BaseException as raised:  # noqa: BLE001 - the answer, whatever it is
            value, error = None, raised
        self._answers.append((work.answer, value, error))
        # One wake-up for all answers that come until the loop gets round to it. Two threads may
        # both see it asleep: then it wakes twice, and finds nothing the second time.
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._answers:
            answer, value, error = self._answers.popleft()
            if answer.done():
                continue
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(_settable(error))


def _settable(error: BaseException) -> BaseException:
    """An exception that a future can hold: all but the one that ends an iteration."""
    if isinstance(error, StopIteration):
        wrapped = RuntimeError("the function raised StopIteration")
        wrapped.__cause__ = error
        return wrapped
    return error
