"""The migrations of the store, as operations of Django's migrations.

A migration that `rotulus migrate` has applied is not applied again, and the other way round: both
read and write the same ledger.
"""

import logging
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any

from django.db import Error, router, transaction
from django.db.migrations.operations.base import Operation

from rotulus.django.store import Dialect, dialect_of, has_dialect
from rotulus.stores._migrations import Migration, known_migrations, missing_migrations

_LOG = logging.getLogger("rotulus.django")

_PATIENCE = 300.0
"""Seconds for which a migration tries to get tables that are in use."""

_LET_PASS = 1.0
"""Seconds in which those go on who waited behind it."""


class ApplyMigration(Operation):
    """Applies one migration of the store, unless it has been applied.

    In a migration with `atomic = False` it is a transaction of its own, which is tried again while
    tables are in use.

    In a database that is neither PostgreSQL nor SQLite there is nothing to do: no job lives there.

    Args:
        number: the number of the migration.
    """

    reversible = False
    atomic = False

    def __init__(self, number: int) -> None:
        self.number = number

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in the state: the models are declared separately."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Any,
        from_state: Any,  # noqa: ARG002 - the models are not concerned
        to_state: Any,  # noqa: ARG002 - the models are not concerned
    ) -> None:
        """Apply the migration, or show it to `sqlmigrate`."""
        connection = schema_editor.connection
        if not _is_for(connection, app_label):
            return
        dialect = dialect_of(connection)
        migration = _migration(dialect.MIGRATIONS, self.number)
        statements = dialect.migration_statements(migration)
        if schema_editor.collect_sql:
            alone = not schema_editor.atomic_migration
            _execute(schema_editor, ["BEGIN", *statements, "COMMIT"] if alone else statements)
        elif schema_editor.atomic_migration:
            if _is_missing(connection, dialect.MIGRATIONS, migration):
                _execute(schema_editor, statements)
        else:
            self._apply_alone(schema_editor, dialect, migration)

    def _apply_alone(self, schema_editor: Any, dialect: Dialect, migration: Migration) -> None:
        connection = schema_editor.connection
        end = monotonic() + _PATIENCE
        while _is_missing(connection, dialect.MIGRATIONS, migration):
            try:
                with transaction.atomic(using=connection.alias):
                    _execute(schema_editor, dialect.migration_statements(migration))
            except Error as error:
                if not _is_missing(connection, dialect.MIGRATIONS, migration):
                    return  # another process was faster
                if monotonic() >= end or not dialect.is_in_use(error):
                    raise
                sleep(_LET_PASS)

    def describe(self) -> str:
        """Returns the line of `migrate --plan`."""
        return f"Apply migration {self.number:04} of the tables of Rotulus"


class FinishMigrations(Operation):
    """Builds the indexes of the migrations of the store while the tables are in use.

    It belongs into a migration with `atomic = False`. If it is interrupted, `migrate` goes on with
    it the next time.
    """

    reversible = True
    atomic = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in the state: no model says which indexes there are."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Any,
        from_state: Any,  # noqa: ARG002 - the models are not concerned
        to_state: Any,  # noqa: ARG002 - the models are not concerned
    ) -> None:
        """Build the indexes, or show them to `sqlmigrate`."""
        connection = schema_editor.connection
        if not _is_for(connection, app_label):
            return
        dialect = dialect_of(connection)
        if schema_editor.collect_sql:
            _execute(schema_editor, dialect.finishing_statements())
        else:
            dialect.finish_migrations(connection, _LOG.info)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Leave the indexes: the tables stay, too."""

    def describe(self) -> str:
        """Returns the line of `migrate --plan`."""
        return "Build the indexes of the tables of Rotulus while they are in use"


def _is_for(connection: Any, app_label: str) -> bool:
    """Returns whether jobs live in a database."""
    allowed = router.allow_migrate(connection.alias, app_label, model_name="taskexecution")
    return bool(allowed) and has_dialect(connection)


def _execute(schema_editor: Any, statements: Sequence[str]) -> None:
    for statement in statements:
        schema_editor.execute(statement, params=None)


def _migration(folder: str, number: int) -> Migration:
    return next(migration for migration in known_migrations(folder) if migration.number == number)


def _is_missing(connection: Any, folder: str, migration: Migration) -> bool:
    """Returns whether it is missing. Raises `SchemaError` for tables of another version."""
    applied: dict[int, str] = {}
    with connection.cursor() as cursor:
        if "rotulus_migrations" in connection.introspection.table_names(cursor):
            cursor.execute("SELECT number, checksum FROM rotulus_migrations")
            applied = dict(cursor.fetchall())
    return migration in missing_migrations(folder, applied, f"The database {connection.alias!r}")
