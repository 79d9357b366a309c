"""Runs an event loop to the end of its main coroutine, also when stray tasks raise."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from rotulus._forking import children_handle

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CANCEL_TIMEOUT = 0.2
"""Seconds for the tasks that are left on the loop to end when the main coroutine has."""


def run_to_end(main: Coroutine[Any, Any, None], on_signal: Callable[[], None]) -> None:
    """Run a coroutine on a loop of its own; SIGTERM and SIGINT call `on_signal` meanwhile.

    A task body may start tasks of its own, and one of those may raise SystemExit, which ends
    any event loop: this one goes on. Signals are left alone outside of the main thread.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        task = loop.create_task(main)
        with _handled(loop, on_signal):
            while not task.done():
                _run(loop, task)
        task.result()
    finally:
        _cancel_remaining(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    """Run the loop until the task is done, or something on it wants to exit."""
    try:
        loop.run_until_complete(task)
    except (SystemExit, KeyboardInterrupt) as stray:
        if task.done():
            raise
        logging.getLogger("rotulus").warning(
            "a background task of a job raised %r; going on", stray
        )


@contextmanager
def _handled(
    loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]
) -> Generator[None, None, None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, on_signal)
        except NotImplementedError:  # Windows
            signal.signal(number, _signal_handler(on_signal))
    try:
        with children_handle(before):
            yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _signal_handler(on_signal: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        on_signal()

    return handle


def _cancel_remaining(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait(left, timeout=_CANCEL_TIMEOUT))
    loop.run_until_complete(loop.shutdown_asyncgens())
