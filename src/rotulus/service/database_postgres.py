"""Connections to PostgreSQL for a `Database` that end when the server no longer answers.

A stopped server keeps its connections: no data comes, and the system sees nothing wrong. A long
query looks the same. So after some silence the server is asked whether it is there. A call with a
deadline is cancelled at its deadline all the same. Cancelling the coroutine would not be enough:
the driver then waits for the server to answer the cancellation, too.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from rotulus._concurrency.pool import off_loop
from rotulus.errors import ThreadNotStartedError
from rotulus.service.database_deadline import time_left

_ASKING = 5.0
"""Seconds for the server to say that it is there, but at most a third of the deadline."""

_CANCELLING = 1.0
"""Seconds for the server to cancel a statement, and as many to say so."""

KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
"""TCP keepalive: a connection that the other end has forgotten is lost after half a minute."""


class WatchedConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed when its server no longer answers."""

    deadline: float = 15.0
    """Seconds of silence until it is known whether the server is there."""

    def __del__(self, *_: Any) -> None:
        """No warning: a connection in use when its engine was closed ends with its object."""

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - as the driver has it
        """Wait for the server, but not for a dead one, nor beyond the deadline."""
        watch = _Watch(self)
        try:
            return await super().wait(gen, interval, timeout)
        except psycopg.Error as error:
            if watch.verdict is None:
                raise
            raise psycopg.OperationalError(watch.verdict) from error
        finally:
            watch.end()


def connector(deadline: float) -> Callable[..., Awaitable[WatchedConnection]]:
    """Returns a function that opens watched connections, with the driver's own timeout."""

    async def connect(*args: Any, **kwargs: Any) -> WatchedConnection:
        left = time_left()
        if left is not None and left <= 0:
            raise psycopg.OperationalError(_no_answer(deadline))
        connection = await WatchedConnection.connect(*args, **kwargs)
        connection.deadline = deadline
        return connection

    return connect


class _Watch:
    """Watches one wait of a connection.

    Attributes:
        verdict: why the connection was closed; None: it was not.
    """

    def __init__(self, connection: WatchedConnection) -> None:
        self.verdict: str | None = None
        self._connection = connection
        self._asking = min(_ASKING, connection.deadline / 3)
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(self._patience(), self._begin)

    def _patience(self) -> float:
        """Seconds of silence before the server is asked."""
        left = time_left()
        usual = self._connection.deadline - self._asking
        return usual if left is None else min(usual, max(0.0, left - self._asking))

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    def end(self) -> None:
        """The wait is over."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while await self._is_there():
            left = time_left()
            if left is not None:
                await asyncio.sleep(left)
                await self._cancel()
                return
            await asyncio.sleep(self._patience())
        self._hang_up(_no_answer(self._connection.deadline))

    async def _is_there(self) -> bool:
        """Returns whether the server accepts a connection, or has a reason not to."""
        info = self._connection.info
        place: dict[str, Any] = {
            **info.get_parameters(),
            "host": info.host,
            "port": info.port,
            "hostaddr": info.hostaddr,
            "connect_timeout": max(2, round(self._asking)),  # the least that the driver takes
        }
        where = make_conninfo(**place).encode()
        try:
            async with asyncio.timeout(self._asking):
                found = await off_loop(psycopg.pq.PGconn.ping, where)
        except TimeoutError:
            return False
        except ThreadNotStartedError:
            return True  # there is no way to find out
        return found != psycopg.pq.Ping.NO_RESPONSE

    async def _cancel(self) -> None:
        """Have the server end a statement, which would else go on there without a reader."""
        with suppress(psycopg.Error):
            await self._connection.cancel_safe(timeout=_CANCELLING)
        await asyncio.sleep(_CANCELLING)
        self._hang_up("the server did not even cancel what takes too long")

    def _hang_up(self, why: str) -> None:
        """Shut the socket down: a reader that waits for it then finds the connection lost."""
        self.verdict = why
        with (
            suppress(OSError, psycopg.Error),  # it is closed already
            socket.socket(fileno=os.dup(self._connection.pgconn.socket)) as shared,
        ):
            shared.shutdown(socket.SHUT_RDWR)


def _no_answer(deadline: float) -> str:
    return (
        f"the server gave no answer within {deadline:g} seconds: see whether it is stopped or "
        f"overloaded; ?deadline=60 waits longer"
    )
