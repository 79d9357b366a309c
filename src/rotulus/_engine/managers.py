"""Enters and leaves context managers of both kinds: plain and asynchronous ones."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from rotulus.errors import OptionError

Manager = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]


def enter(manager: Manager | None) -> Awaitable[Any] | None:
    """Enter a context manager; returns the rest of it that has to be awaited.

    Raises:
        OptionError: it is none.
    """
    if isinstance(manager, AbstractContextManager):
        manager.__enter__()
        return None
    if manager is None or isinstance(manager, AbstractAsyncContextManager):
        return None if manager is None else manager.__aenter__()
    if isinstance(manager, Coroutine):
        manager.close()  # or else Python warns that nobody has awaited it
    raise OptionError(
        f"It returned a {type(manager).__name__}, which is no context manager: put "
        f"@contextmanager over a method that yields once, or @asynccontextmanager if it is async"
    )


def leave(manager: Manager | None) -> Awaitable[Any] | None:
    """Leave a context manager; returns the rest of it that has to be awaited."""
    if isinstance(manager, AbstractContextManager):
        manager.__exit__(None, None, None)
        return None
    return None if manager is None else manager.__aexit__(None, None, None)


def is_interruption(error: BaseException) -> bool:
    """Returns whether an exception of middleware is meant for the caller.

    A cancellation is, if the task that runs here was cancelled, and not something that the
    middleware has waited for.
    """
    if not isinstance(error, asyncio.CancelledError):
        return not isinstance(error, Exception)
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs here
        return False
    return task is not None and task.cancelling() > 0


async def as_coroutine(awaitable: Awaitable[Any]) -> Any:
    """Returns a coroutine that awaits something."""
    return await awaitable
