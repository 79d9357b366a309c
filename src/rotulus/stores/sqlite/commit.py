"""Group commit: writes that come at the same time share one transaction on the file."""

import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

from rotulus._concurrency.coalescer import Coalescer, Group
from rotulus._exiting import close_at_exit
from rotulus.stores.sqlite import connection as settings
from rotulus.stores.sqlite.connection import Connections, is_of_statement, patiently, translate

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], Any]

_STOP = partial(int, 1)
"""Tells SQLite to stop a statement. Without any bytecode, which could be interrupted in turn."""


class _Attempt:
    """One transaction that is tried.

    Attributes:
        undone: whether a call that interrupted it has rolled it back.
    """

    def __init__(self) -> None:
        self.undone = False


class GroupCommit:
    """Runs writes that come at the same time in one transaction.

    A write waits for those of its own process for as long as they take. Only other processes can
    keep it out for too long: that is counted from when its group begins.

    Args:
        connections: the file.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._attempt = _Attempt()
        self._coalescer: Coalescer[Work, Any] = Coalescer(
            self._perform, self._perform_on_top, lambda: math.inf, connections.path
        )
        close_at_exit(self.exiting)

    def run(self, work: Callable[[sqlite3.Connection], T], *, alone: bool = False) -> T:  # noqa: ARG002 - it shares a transaction in any case
        """Do the work inside a transaction, and return once it is committed.

        The work may be done together with others' in one transaction, and it may be done again
        after that was rolled back. It must not do anything outside the connection.
        """
        return cast("T", self._coalescer.run(work))

    @property
    def in_transaction(self) -> bool:
        """A call ends what it begins."""
        return False

    def after_commit(self, function: Callable[[], object]) -> None:
        """Call a function: what `run` has written is committed."""
        function()

    def exiting(self) -> None:
        """At the end of the program: close what nobody uses. Of a file, it can be opened again.

        Threads may be at work that end with the program. What they use is left to them.
        """
        self._connections.exit_readers()
        self._coalescer.unless_busy(self._connections.exit_writer)

    def alone(self, function: Callable[[], object]) -> None:
        """Run a function while nothing is being written."""
        self._coalescer.alone(function)

    def _perform(self, group: Group[Work]) -> list[Any]:
        with self._connections.guard:
            group.end = time.monotonic() + settings.BUSY_TIMEOUT
            while True:
                attempt = self._attempt = _Attempt()
                connection = self._connections.writer()
                try:
                    answers = self._try(connection, group)
                except sqlite3.Error as error:
                    if not attempt.undone:
                        self._connections.note_failure(error)
                        group.blames_one = is_of_statement(error)
                        raise translate(error, self._connections.path) from error
                except BaseException:
                    self._undo(connection, group)  # should an interrupt have kept it from that
                    raise
                else:
                    if not attempt.undone:
                        return answers

    def _perform_on_top(self, group: Group[Work]) -> list[Any]:
        """Perform a call whose caller has interrupted a group in its own thread.

        The file can be written by one at a time, and the one that has it goes on only when this
        has returned. So its transaction is undone, and it begins again.
        """
        interrupted, connection = self._attempt, self._connections.writer()
        undoes = connection.in_transaction
        if undoes:
            interrupted.undone = True
        try:
            return self._perform(group)
        finally:
            self._attempt = interrupted
            if undoes:
                _forbid(connection)

    def _try(self, connection: sqlite3.Connection, group: Group[Work]) -> list[Any]:
        try:
            self._undo(connection, group)  # what an interrupted group may have left
            patiently(lambda: connection.execute("BEGIN IMMEDIATE"), group.end)
            answers = [work(connection) for work in group.works]
            group.unsure = True
            connection.execute("COMMIT")
        except sqlite3.Error:
            group.unsure = False
            self._undo(connection, group)
            raise
        except BaseException:
            self._undo(connection, group)
            raise
        return answers

    def _undo(self, connection: sqlite3.Connection, group: Group[Work]) -> None:
        """Roll back, if there is something; what cannot be rolled back goes with its connection."""
        connection.set_progress_handler(None, 0)
        if not connection.in_transaction:
            return
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connections.drop_writer()
        group.unsure = False


def _forbid(connection: sqlite3.Connection) -> None:
    """Let every statement fail until `_undo`, and let none be a transaction of its own."""
    with suppress(sqlite3.Error):  # it may be closed, which forbids everything, too
        connection.execute("BEGIN")
        connection.set_progress_handler(_STOP, 1)
