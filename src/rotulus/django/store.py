"""The store of `django://alias`: PostgreSQL or SQLite, every call on Django's own connection."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from rotulus._time.clock import Clock
from rotulus.django.connections import connection_of
from rotulus.errors import ConfigurationError
from rotulus.store import Store
from rotulus.stores._migrations import Migration

_DIALECTS = {"postgresql": "on_postgres", "sqlite": "on_sqlite"}
"""The modules for the kinds of databases, by Django's names of these."""


class Dialect(Protocol):
    """A module for a kind of database.

    Attributes:
        MIGRATIONS: the folder of the migrations that make its tables.
    """

    MIGRATIONS: str

    def open_store(self, alias: str, connection: Any, clock: Clock) -> Store:
        """Returns the store on a database."""
        ...

    def migration_statements(self, migration: Migration) -> Sequence[str]:
        """Returns the SQL of a migration."""
        ...

    def finish_migrations(self, connection: Any, tell: Callable[[str], object]) -> None:
        """Do what follows migrations outside of transactions, as far as it is not done."""
        ...

    def finishing_statements(self) -> Sequence[str]:
        """Returns the SQL of that."""
        ...

    def is_in_use(self, error: BaseException) -> bool:
        """Returns whether a migration has failed because a table is in use."""
        ...


def open_django(alias: str, clock: Clock) -> Store:
    """Returns the store on a database of `settings.DATABASES`; nothing is read yet.

    Raises:
        ConfigurationError: there is no such alias, or no store for its kind of database, or it is
            PostgreSQL by way of psycopg 2.
    """
    connection = connection_of(alias)
    return dialect_of(connection).open_store(alias, connection, clock)


def has_dialect(connection: Any) -> bool:
    """Returns whether jobs can live in the database of a connection of Django."""
    return connection.vendor in _DIALECTS


def dialect_of(connection: Any) -> Dialect:
    """Returns the module for the database of a connection. Raises `ConfigurationError`."""
    if not has_dialect(connection):
        raise ConfigurationError(
            f"The database {connection.alias!r} is {connection.display_name}, and jobs live in "
            f"PostgreSQL or SQLite: add one of these to settings.DATABASES, and name it in "
            f"TASKS[...]['OPTIONS']['database']"
        )
    if connection.Database.__name__ == "psycopg2":
        raise ConfigurationError(
            f"The database {connection.alias!r} is used by way of psycopg 2, and Rotulus needs "
            f"psycopg 3, which Django prefers where it is installed: pip install 'psycopg[binary]'"
        )
    return cast("Dialect", import_module(f"rotulus.django.{_DIALECTS[connection.vendor]}"))
