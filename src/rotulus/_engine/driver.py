"""Drives a coroutine in a context of its own, and tells when it waits for the first time.

An asyncio task costs more than a short job. So one asyncio task runs job after job, as long as they
end without waiting, and each job has context variables of its own.
"""

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from types import coroutine
from typing import Any, TypeVar

V = TypeVar("V")


@coroutine
def drive(
    body: Coroutine[Any, Any, V], waits: Callable[[], object], context: Context
) -> Generator[Any, None, V]:
    """Await a coroutine in a context of its own.

    Args:
        body: the coroutine.
        waits: called when it waits for something for the first time, if it does.
        context: the context.
    """
    run = context.run
    try:
        awaited = run(body.send, None)
    except StopIteration as end:
        return end.value
    waits()
    while True:
        try:
            yield awaited
        except BaseException as error:  # noqa: BLE001 - the coroutine decides what it means
            step = partial(body.throw, error)
        else:
            step = partial(body.send, None)
        try:
            awaited = run(step)
        except StopIteration as end:
            return end.value
