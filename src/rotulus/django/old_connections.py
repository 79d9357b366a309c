"""Django's connections around each job of a worker, treated as Django treats them around requests.

A connection is closed if it is older than `CONN_MAX_AGE`, if `CONN_HEALTH_CHECKS` finds it broken,
or if its server has gone: a job begins with usable connections.
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
    """Returns the function, with old connections closed before it and after it.

    The connections are those of the thread that runs the function; for a coroutine, those of
    Django's thread for calls from coroutines.
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
    """Close old and broken connections of this thread, except those with open transactions.

    The `connection.queries` of the previous job are dropped, too.
    """
    reset_queries()
    for connection in connections.all(initialized_only=True):
        if _has_gone(connection):
            connection.errors_occurred = True  # so that it is tried, and closed if it fails
        connection.close_if_unusable_or_obsolete()


def care_for_connections() -> None:
    """Let threads of ours close their connections: old ones between calls, all at the end."""
    care_for_threads(Care(close_old, connections.close_all))


_aclose_old = sync_to_async(close_old)


def _has_gone(connection: Any) -> bool:
    """Returns whether the server has ended the connection: only then does it send data unasked."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    try:
        descriptor = connection.connection.fileno()
    except (Error, connection.Database.Error):  # the library knows already
        return True
    with _Selector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))
