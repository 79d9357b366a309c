"""Enters and leaves context managers of both kinds: plain and asynchronous ones."""

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

Manager = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]


def enter(manager: Manager | None) -> Awaitable[Any] | None:
    """Enter a context manager; returns the rest of it that has to be awaited."""
    if isinstance(manager, AbstractContextManager):
        manager.__enter__()
        return None
    return None if manager is None else manager.__aenter__()


def leave(manager: Manager | None) -> Awaitable[Any] | None:
    """Leave a context manager; returns the rest of it that has to be awaited."""
    if isinstance(manager, AbstractContextManager):
        manager.__exit__(None, None, None)
        return None
    return None if manager is None else manager.__aexit__(None, None, None)


async def as_coroutine(awaitable: Awaitable[Any]) -> Any:
    """Returns a coroutine that awaits something."""
    return await awaitable
