"""The calls of a SQLite store on Django's own connection."""

import re
import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rotulus._time.clock import Clock
from rotulus.django.connections import Connection, using
from rotulus.errors import StoreError
from rotulus.store import Store
from rotulus.stores.sqlite import SqliteStore
from rotulus.stores.sqlite.connection import MEMORY, translate
from rotulus.stores.sqlite.joining import Answer, Joined, Row
from rotulus.stores.sqlite.migrate import migration_statements

__all__ = [
    "MIGRATIONS",
    "finish_migrations",
    "finishing_statements",
    "is_in_use",
    "migration_statements",
    "open_store",
]

T = TypeVar("T")

MIGRATIONS = "sqlite"
"""The folder of the migrations that make the tables."""

_PARAMETER = re.compile(r"--.*|'[^']*'|:([a-z_][a-z0-9_]*)")
"""A comment, a text or a parameter."""


class SqliteConnection(Connection):
    """Runs calls on the connection of an alias. See `rotulus.stores.sqlite.source`.

    Args:
        alias: a key of `settings.DATABASES`.
        path: its file; `:memory:` where there is none.
    """

    def __init__(self, alias: str, path: str) -> None:
        super().__init__(alias)
        self._path = path
        self.in_memory = path == MEMORY

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection, None, None]:
        """Read, in the open transaction if there is one."""
        with self.translating(self._translated):
            yield _statements(self.here)

    def run(self, work: Callable[[sqlite3.Connection], T], *, alone: bool = False) -> T:
        """Do the work behind a savepoint of the open transaction, or in a transaction of its own.

        A single statement needs neither.
        """
        with self.translating(self._translated):
            if alone:
                return work(_statements(self.here))
            around = self._savepoint() if self.in_transaction else self._transaction()
            with around:
                return work(_statements(self.here))

    def alone(self, function: Callable[[], object]) -> None:
        """Run a function: a thread that writes has a connection of its own."""
        function()

    def _savepoint(self) -> Any:
        return transaction.atomic(using=self.alias)

    @contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        """A transaction with the lock for writing from the beginning.

        A transaction that reads first and then writes would fail if another one has written
        meanwhile.
        """
        with self.here.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield
                cursor.execute("COMMIT")
            except BaseException:
                if self.here.connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise

    def _translated(self, error: BaseException) -> StoreError | None:
        return translate(error, self._path) if isinstance(error, sqlite3.Error) else None


class _Statements:
    """Runs our statements on Django's cursors: they are logged and counted like all others."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: "Mapping[str, Any] | Row" = ()) -> Answer:
        with self._connection.cursor() as cursor:
            if parameters:
                cursor.execute(_in_django_style(statement), parameters)
            else:
                cursor.execute(statement)
            return Answer(cursor.fetchall())


class _Driver(Joined):
    """Runs our statements on the driver's cursors, which is faster, if they are not observed."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection.connection)
        self._django = connection

    def execute(self, statement: str, parameters: "Mapping[str, Any] | Row" = ()) -> Answer:
        with using(self._django):
            return super().execute(statement, parameters)


def _statements(connection: Any) -> sqlite3.Connection:
    """Returns the runner of statements on a connection of Django.

    Statements run on Django's cursors if they are observed: under `DEBUG`, in tests that count, or
    with wrappers.
    """
    connection.ensure_connection()
    is_seen = connection.queries_logged or connection.execute_wrappers
    statements = _Statements(connection) if is_seen else _Driver(connection)
    return cast("sqlite3.Connection", statements)  # as far as statements need one


@cache
def _in_django_style(statement: str) -> str:
    """Returns a statement with parameters in Django's form: `%(name)s`, or `%s`."""

    def rewritten(found: "re.Match[str]") -> str:
        return f"%({found[1]})s" if found[1] else found[0]

    return _PARAMETER.sub(rewritten, statement.replace("%", "%%")).replace("?", "%s")


def open_store(alias: str, connection: Any, clock: Clock) -> Store:
    """Returns the store on a file of SQLite, or on a database in memory, as in tests."""
    path = MEMORY if connection.is_in_memory_db() else str(connection.settings_dict["NAME"])
    return SqliteStore(path, clock=clock, source=SqliteConnection(alias, path))


def finish_migrations(connection: Any, tell: Callable[[str], object]) -> None:
    """Do nothing: a file is migrated in one transaction."""


def finishing_statements() -> list[str]:
    """Returns nothing: see `finish_migrations`."""
    return []


def is_in_use(error: BaseException) -> bool:  # noqa: ARG001 - Django's own timeout has waited
    """Returns False: a file that is in use has been waited for."""
    return False
