"""Runs our statements in the transaction of an application, whatever holds its connection."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import psycopg

from rotulus.errors import OptionError
from rotulus.stores.postgres.ask import Answer, Execute, Row


def joined(given: Any, url: str) -> Execute:
    """What runs statements on a connection or session of an application.

    Taken are psycopg's connections; SQLAlchemy's connections and sessions, on whichever driver
    writes its parameters like psycopg; and Django's connections. Raises `OptionError` for others.
    """
    execute = next((found for way in _WAYS if (found := way(given)) is not None), None)
    if execute is None:
        raise OptionError(
            f"connection={given!r} is not allowed: {url} takes a connection of psycopg, a "
            f"connection or session of SQLAlchemy, or a connection of Django, to PostgreSQL; of "
            f"asynchronous ones, SQLAlchemy's, with aenqueue"
        )

    def run(statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        return _Texts(execute(statement, parameters))

    return run


class _Texts:
    """An answer whose ids are texts, as they are on our own connections."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def rowcount(self) -> int:
        return self._answer.rowcount

    def fetchall(self) -> list[Row]:
        return [
            tuple(str(value) if isinstance(value, UUID) else value for value in row)
            for row in self._answer.fetchall()
        ]


def _psycopg(given: Any) -> Execute | None:
    return given.execute if isinstance(given, psycopg.Connection) else None


def _sqlalchemy(given: Any) -> Execute | None:
    connection = given
    if callable(getattr(given, "get_bind", None)):
        connection = given.connection()
    dialect: Any = getattr(connection, "dialect", None)
    if dialect is None or (dialect.name, dialect.paramstyle) != ("postgresql", "pyformat"):
        return None
    return lambda statement, parameters: connection.exec_driver_sql(statement.decode(), parameters)


def _django(given: Any) -> Execute | None:
    if getattr(given, "vendor", None) != "postgresql":
        return None

    def run(statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        cursor = given.cursor()
        cursor.execute(statement.decode(), parameters)
        return cursor

    return run


_WAYS: tuple[Callable[[Any], Execute | None], ...] = (_psycopg, _sqlalchemy, _django)
