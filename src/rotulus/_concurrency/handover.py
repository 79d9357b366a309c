"""Hands the result of a thread over to the event loop that waits for it."""

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def hand_over(
    loop: asyncio.AbstractEventLoop, function: Callable[[], T]
) -> "tuple[asyncio.Future[T], Callable[[], None]]":
    """Returns a future of a loop, and the function that a thread has to run for its answer.

    It runs with the context variables of the caller of this. A caller that is cancelled does not
    stop it; its answer is dropped.
    """
    answer: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            give = partial(_give, answer, context.run(function))
        except BaseException as error:  # noqa: BLE001 - the answer, whatever it is
            give = partial(_give_error, answer, error)
        tell(loop, give)

    return answer, work


def fail(
    loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[Any]", error: BaseException
) -> None:
    """Have an error as the answer, from any thread."""
    tell(loop, partial(_give_error, answer, error))


def tell(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Have a loop call a function; on a loop that is closed, nothing waits for that any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


def _give(answer: "asyncio.Future[T]", value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _give_error(answer: "asyncio.Future[Any]", error: BaseException) -> None:
    if answer.done():
        return
    if isinstance(error, StopIteration):  # a future cannot hold the one that ends an iteration
        wrapped = RuntimeError("the function raised StopIteration")
        wrapped.__cause__ = error
        error = wrapped
    answer.set_exception(error)
