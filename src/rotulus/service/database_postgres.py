"""Connections to PostgreSQL for a `Database`, which end when the server answers no more.

A server that is stopped keeps its connections: nothing comes, and the system sees nothing wrong. A
long query looks the same. So after some silence the server is asked whether it is there. A call
that has to end is cancelled at its deadline all the same. To cancel a coroutine would not do: the
driver waits for the server to answer that, too.
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
"""Seconds for the server to say that it is there; a third of the deadline, if that is shorter."""

_CANCELLING = 1.0
"""Seconds for the server to cancel a statement, and as many to say so."""

KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
"""A connection whose other end has forgotten it is lost after half a minute."""


class WatchedConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed when its server does not answer any more."""

    deadline: float = 15.0
    """Seconds of silence until it is known whether the server is there."""

    def __del__(self, *_: Any) -> None:
        """Nothing to say: one that was in use when its engine was closed ends with its object."""

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - as the driver has it
        """Wait for the server; but not for one that is not there, nor beyond the deadline."""
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
    """What opens watched connections. Before it has one, the driver keeps the time itself."""

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
        """Whether the server accepts a connection, or has a reason not to."""
        told = self._connection.info
        place: dict[str, Any] = {
            **told.get_parameters(),
            "host": told.host,
            "port": told.port,
            "hostaddr": told.hostaddr,
            "connect_timeout": max(2, round(self._asking)),  # the least that the driver takes
        }
        where = make_conninfo(**place).encode()
        try:
            async with asyncio.timeout(self._asking):
                found = await off_loop(psycopg.pq.PGconn.ping, where)
        except TimeoutError:
            return False
        except ThreadNotStartedError:
            return True  # nobody can tell
        return found != psycopg.pq.Ping.NO_RESPONSE

    async def _cancel(self) -> None:
        """Have the server end a statement; else it would go on there, with nobody to answer."""
        with suppress(psycopg.Error):
            await self._connection.cancel_safe(timeout=_CANCELLING)
        await asyncio.sleep(_CANCELLING)
        self._hang_up("the server did not even cancel what takes too long")

    def _hang_up(self, why: str) -> None:
        """Shut the socket: whoever waits for it finds the connection lost."""
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
