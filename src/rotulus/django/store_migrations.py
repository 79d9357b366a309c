"""The migrations of the store, as operations of Django's migrations.

A migration that `rotulus migrate` has applied is not applied again, and the other way round: both
read and write the same ledger.
"""

from typing import Any

from django.db import router
from django.db.migrations.operations.base import Operation

from rotulus.django.store import dialect_of, has_dialect
from rotulus.stores._migrations import Migration, known_migrations, missing_migrations


class ApplyMigration(Operation):
    """Applies one migration of the store, unless it has been applied.

    In a database that is neither PostgreSQL nor SQLite there is nothing to do: no job lives there.

    Args:
        number: the number of the migration.
    """

    reversible = False

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
        if not router.allow_migrate(connection.alias, app_label, model_name="taskexecution"):
            return
        if not has_dialect(connection):
            return
        dialect = dialect_of(connection)
        migration = _migration(dialect.MIGRATIONS, self.number)
        if schema_editor.collect_sql or _is_missing(connection, dialect.MIGRATIONS, migration):
            for statement in dialect.migration_statements(migration):
                schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        """Returns the line of `migrate --plan`."""
        return f"Apply migration {self.number:04} of the tables of Rotulus"


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
