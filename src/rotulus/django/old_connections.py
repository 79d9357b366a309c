"""Django's connections around each job of a worker, treated as Django treats them around requests.

A connection is closed that is older than `CONN_MAX_AGE`, that `CONN_HEALTH_CHECKS` finds broken, or
whose server has gone: what a job begins with is usable.
"""

import functools
import selectors
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections, reset_queries
from django.db.utils import Error

from rotulus._concurrency.starting import Care, care_for_threads
from rotulus._tasks.signature import is_async

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


def closing_old(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with old connections closed before it and after it.

    They are those of the thread that runs it; of a coroutine, those of the thread that Django's
    calls from coroutines run in.
    """
    if is_async(function):

        @functools.wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            await _aclose_old()
            try:
                return await function(*args, **kwargs)
            finally:
                await _aclose_old()

        return run_async

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        close_old()
        try:
            return function(*args, **kwargs)
        finally:
            close_old()

    return run


def close_old() -> None:
    """Close the connections of this thread that are too old or broken, but for open transactions.

    What `connection.queries` has kept of the job before is forgotten, too.
    """
    reset_queries()
    for connection in connections.all(initialized_only=True):
        if _has_gone(connection):
            connection.errors_occurred = True  # so that it is tried, and closed if it fails
        connection.close_if_unusable_or_obsolete()


def care_for_connections() -> None:
    """Have threads of ours close their connections: old ones between calls, all at their end."""
    care_for_threads(Care(close_old, connections.close_all))


_aclose_old = sync_to_async(close_old)


def _has_gone(connection: Any) -> bool:
    """Whether its server seems to have ended it: that is the one thing it says unasked."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    try:
        descriptor = connection.connection.fileno()
    except (Error, connection.Database.Error):  # the library knows already
        return True
    with _Selector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))
