"""Group commit: writes that come at the same time share one transaction.

There is no writer thread and no timer. Whoever gets the connection commits everything that has
come in by then; who comes while that runs waits, and is in the next one. A lone caller pays one
commit and no hand-over; a hundred callers pay a few commits together.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from rotulus._forking import follow_forks
from rotulus.errors import StoreUnavailableError
from rotulus.stores.sqlite.connection import Connections, patiently, translate

T = TypeVar("T")

_MOST = 200
"""How many writes share a transaction at most, so that none waits for a long one."""


class _Write(Generic[T]):
    """One caller's work, and what came of it."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None
        self.done = False

    def perform(self, connection: sqlite3.Connection) -> None:
        self._value = self._work(connection)

    def fail(self, error: BaseException) -> None:
        self._error = self._error or error

    def outcome(self, path: str) -> T:
        if isinstance(self._error, sqlite3.Error):
            raise translate(self._error, path) from self._error
        if self._error is not None:
            raise self._error
        return cast("T", self._value)


class GroupCommit:
    """Runs writes in as few transactions as there are turns."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._waiting: deque[_Write[Any]] = deque()
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: what waits is the parent's to write."""
        self._waiting = deque()

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work inside a transaction, and return once it is committed.

        The work may be done together with others' in one transaction; if it raises, only its
        own changes are undone. It must not do anything outside the connection.
        """
        write = _Write(work)
        self._waiting.append(write)
        with self._connections.lock:
            connection = self._connections.writer()
            while not write.done:
                self._commit(connection, self._next())
        return write.outcome(self._connections.path)

    def _next(self) -> list[_Write[Any]]:
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))]

    def _commit(self, connection: sqlite3.Connection, writes: list[_Write[Any]]) -> None:
        try:
            patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            for write in writes:
                _perform(connection, write, alone=len(writes) == 1)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for write in writes:
                write.fail(_shared(error))
            if not isinstance(error, Exception):
                raise
        finally:
            for write in writes:
                write.done = True


def _perform(connection: sqlite3.Connection, write: _Write[Any], *, alone: bool) -> None:
    if alone:
        write.perform(connection)
        return
    connection.execute("SAVEPOINT one")
    try:
        write.perform(connection)
    except Exception as error:
        # A full disk, among others, ends the whole transaction at once, and with it the savepoint.
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO one")
        write.fail(error)
    connection.execute("RELEASE one")


def _shared(error: BaseException) -> BaseException:
    """What the others are told whose write was in the same transaction."""
    if isinstance(error, Exception):
        return error
    return StoreUnavailableError("The write was interrupted; nothing of it was stored")
