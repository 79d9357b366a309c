"""The store of `django://alias`: PostgreSQL or SQLite, every call on Django's own connection."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from rotulus._time.clock import Clock
from rotulus.django.connections import connection_of
from rotulus.errors import ConfigurationError
from rotulus.store import Store

_OPENERS = {"postgresql": "on_postgres.open_postgres", "sqlite": "on_sqlite.open_sqlite"}
"""What opens the store of a database, by the name that Django has for its kind."""


def open_django(alias: str, clock: Clock) -> Store:
    """The store on the database of an alias of `settings.DATABASES`; nothing is read yet.

    Raises:
        ConfigurationError: there is no such alias, or no store for its kind of database, or it is
            PostgreSQL by way of psycopg 2.
    """
    connection = connection_of(alias)
    if connection.vendor not in _OPENERS:
        raise ConfigurationError(
            f"The database {alias!r} is {connection.display_name}, and jobs live in PostgreSQL or "
            f"SQLite: add one of these to settings.DATABASES, and name it in "
            f"TASKS[...]['OPTIONS']['database']"
        )
    if connection.Database.__name__ == "psycopg2":
        raise ConfigurationError(
            f"The database {alias!r} is used by way of psycopg 2, and Rotulus needs psycopg 3, "
            f"which Django prefers where it is installed: pip install 'psycopg[binary]'"
        )
    module, _, name = _OPENERS[connection.vendor].partition(".")
    opener: Callable[[str, Any, Clock], Store]
    opener = getattr(import_module(f"rotulus.django.{module}"), name)
    return opener(alias, connection, clock)
