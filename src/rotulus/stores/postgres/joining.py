"""Runs our statements in the transaction of an application, on its own connection.

The connection keeps its settings. None of them changes what our statements mean, and none of our
statements commits.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn, cast
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from rotulus.errors import OptionError
from rotulus.stores.postgres.session import Answer, Execute
from rotulus.stores.shared.session import Row


class Found(NamedTuple):
    """What a statement has found, read to its end. Ids are texts, as on our own connections."""

    rowcount: int
    rows: Sequence[Row]

    def fetchall(self) -> Sequence[Row]:
        """The rows it found."""
        return self.rows


def joined(theirs: Any, url: str) -> Execute:
    """What runs statements on a connection or session of an application, in its transaction.

    Taken are psycopg's connections; SQLAlchemy's connections and sessions, on whichever driver
    writes its parameters like psycopg; and Django's connections.

    Raises:
        OptionError: it is something else, or commits each statement by itself.
    """
    execute = next((found for kind in _KINDS if (found := kind(theirs)) is not None), None)
    if execute is None:
        raise OptionError(
            f"connection= is a {type(theirs).__name__}, which is not allowed: {url} takes a "
            f"connection of psycopg, a connection or session of SQLAlchemy, or a connection of "
            f"Django, to PostgreSQL; of asynchronous ones, SQLAlchemy's, with aenqueue"
        )
    return execute


def _psycopg(theirs: Any) -> Execute | None:
    if not isinstance(theirs, psycopg.Connection):
        return None
    if theirs.autocommit and theirs.info.transaction_status == TransactionStatus.IDLE:
        _refuse("with connection.transaction():")
    return partial(on_cursor, cast("psycopg.Connection[Any]", theirs))


def on_cursor(
    connection: psycopg.Connection[Any],
    statement: bytes,
    parameters: Mapping[str, str | None],
    *,
    prepare: bool | None = None,
) -> Answer:
    """Run a statement on a cursor of ours, and not on one that the connection's factories make.

    `prepare` it, so that the server need not plan it each time; None: as the connection does.
    """
    with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
        cursor.execute(statement, parameters, prepare=prepare)
        return found(cursor)


def found(cursor: psycopg.Cursor[Any]) -> Found:
    """What the statement of a cursor has found."""
    # The cursor's description is made anew, column by column, each time that somebody asks for it.
    answer = cursor.pgresult
    rows = cursor.fetchall() if answer is not None and answer.nfields else ()
    return Found(cursor.rowcount, [_plain(row) for row in rows])


def _sqlalchemy(theirs: Any) -> Execute | None:
    connection = theirs
    if callable(getattr(theirs, "get_bind", None)):
        connection = theirs.connection()
    dialect: Any = getattr(connection, "dialect", None)
    if dialect is None or (dialect.name, dialect.paramstyle) != ("postgresql", "pyformat"):
        return None
    driver = connection.connection.dbapi_connection
    if getattr(driver, "autocommit", False) and not _is_open(driver):
        _refuse("an engine or connection whose isolation_level is not AUTOCOMMIT")
    plain = {"stream_results": False, "yield_per": None}

    def run(statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        result = connection.exec_driver_sql(statement.decode(), parameters, execution_options=plain)
        rows = result.fetchall() if result.returns_rows else ()
        answer = Found(result.rowcount, [_plain(row) for row in rows])
        result.close()
        return answer

    return run


def _is_open(driver: Any) -> bool:
    """Whether a connection that commits by itself is in a transaction that somebody has begun."""
    info = getattr(driver, "info", None)
    return getattr(info, "transaction_status", TransactionStatus.IDLE) != TransactionStatus.IDLE


def _django(theirs: Any) -> Execute | None:
    if getattr(theirs, "vendor", None) != "postgresql":
        return None
    if theirs.get_autocommit() and not theirs.in_atomic_block:
        _refuse("with transaction.atomic():")
    return on_django(theirs)


def on_django(theirs: Any) -> Execute:
    """What runs statements on a connection of Django to PostgreSQL, as it stands."""

    def run(statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        with theirs.cursor() as cursor:
            driver: Any = cursor.cursor
            if isinstance(driver, psycopg.Cursor):
                driver.row_factory = tuple_row
            cursor.execute(statement.decode(), parameters)
            rows = cursor.fetchall() if cursor.description is not None else ()
            return Found(cursor.rowcount, [_plain(row) for row in rows])

    return run


def _plain(row: Sequence[Any]) -> Row:
    return tuple(str(value) if isinstance(value, UUID) else value for value in row)


def _refuse(instead: str) -> NoReturn:
    raise OptionError(
        f"connection= is in no transaction, and commits each statement by itself (autocommit): "
        f"what is done with it could not be rolled back. Begin a transaction first: {instead}"
    )


_KINDS: tuple[Callable[[Any], Execute | None], ...] = (_psycopg, _sqlalchemy, _django)
