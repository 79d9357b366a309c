"""Runs our statements in the transaction of an application, on its own connection.

The connection keeps its settings. None of them changes what our statements mean, and none of our
statements commits.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from rotulus.errors import OptionError
from rotulus.stores.sqlite.connection import MEMORY

Row = tuple[Any, ...]


def joined(theirs: Any, path: str, url: str) -> sqlite3.Connection:
    """What runs statements on a connection or session of an application, in its transaction.

    The connection may be one of sqlite3, a connection or session of SQLAlchemy, or one of Django.
    If sqlite3 is set to begin a transaction before it writes, one is begun here.

    Raises:
        OptionError: it is something else, or open on another file, or commits by itself.
    """
    connection = _driver(theirs)
    if not isinstance(connection, sqlite3.Connection):
        raise OptionError(
            f"connection= is a {type(theirs).__name__}, which is not allowed: {url} takes a "
            f"sqlite3.Connection, a connection or session of SQLAlchemy on the driver sqlite3, or "
            f"a connection of Django"
        )
    ours = Joined(connection)
    _check_file(ours, path)
    if not connection.in_transaction:
        _begin_transaction(ours, connection)
    return cast("sqlite3.Connection", ours)  # as far as statements need one


class Joined:
    """A connection whose statements run on cursors of ours, and give tuples of plain values."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: "Mapping[str, Any] | Row" = ()) -> "Answer":
        """Run a statement, and read what it finds to the end."""
        texts, self._connection.text_factory = self._connection.text_factory, str
        cursor = sqlite3.Cursor(self._connection)
        try:
            cursor.row_factory = None
            return Answer(cursor.execute(statement, parameters).fetchall())
        finally:
            cursor.close()
            self._connection.text_factory = texts


class Answer:
    """The rows that a statement has found."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fetchone(self) -> Row | None:
        """The next one, if there is another."""
        return next(self._rows, None)

    def fetchall(self) -> list[Row]:
        """All that are left."""
        return list(self._rows)


def _driver(theirs: Any) -> Any:
    """The driver's connection below one of a library, once that has begun what it calls one."""
    if callable(getattr(theirs, "get_bind", None)):  # a session of SQLAlchemy
        theirs = theirs.connection()
    if callable(getattr(theirs, "exec_driver_sql", None)):  # a connection of SQLAlchemy
        if not theirs.in_transaction():
            theirs.begin()
        return theirs.connection.driver_connection
    if getattr(theirs, "vendor", None) == "sqlite":  # Django
        theirs.ensure_connection()
        return theirs.connection
    return theirs


def _check_file(connection: Joined, path: str) -> None:
    """A job that is added there has to be added here."""
    [main] = [
        file for _, name, file in connection.execute("PRAGMA database_list") if name == "main"
    ]
    if path == MEMORY or not main or not _is_same(main, path):
        raise OptionError(
            f"connection= is open on {main or MEMORY!r} and the jobs live in {path!r}: "
            f"only a connection to the same file can join a job to its transaction"
        )


def _is_same(one: str, other: str) -> bool:
    """Whether two paths are one file; one that was deleted is none."""
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def _begin_transaction(ours: Joined, connection: sqlite3.Connection) -> None:
    """Begin a transaction as sqlite3 would before a statement that writes."""
    # Python 3.12 has a second way to say it, which is -1 where the first one counts.
    by_itself = connection.isolation_level is None or getattr(connection, "autocommit", -1) is True
    if by_itself:
        raise OptionError(
            "connection= is in no transaction, and commits each statement by itself: what is done "
            "with it could not be rolled back. Begin one first: connection.execute('BEGIN'), or "
            "transaction.atomic() of Django"
        )
    ours.execute(f"BEGIN {connection.isolation_level}")
