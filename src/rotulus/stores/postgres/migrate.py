"""Migrates the tables of one PostgreSQL schema to this version, only ever forward.

All missing migrations are applied in one transaction, under a lock that other migrating processes
wait for. Workers of the version before go on meanwhile: a migration adds, and takes nothing away
that the version before still uses. Indexes on the jobs are built after it: see `indexes`.
"""

from rotulus.stores._migrations import Migration, known_migrations, missing_migrations
from rotulus.stores.postgres.indexes import index_statements
from rotulus.stores.postgres.session import Session

_LOCK_TIMEOUT = "2s"
"""How long to wait for a table that is in use: everybody else waits behind us. Then try again."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('rotulus migrations'), 0)"
"""A migration holds it until the end of the transaction."""

_LEDGER = """
CREATE TABLE IF NOT EXISTS rotulus_migrations (
  number     integer NOT NULL PRIMARY KEY,
  name       text    NOT NULL,
  checksum   text    NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""


_AFTERWARDS = """\
-- The rest is done while the tables are in use. Run it statement by statement, outside of any
-- transaction, as psql -f does. If it is interrupted, run it again from here."""


_INTO = "INSERT INTO rotulus_migrations (number, name, checksum)"


def missing(session: Session, schema: str | None, place: str) -> list[Migration]:
    """Returns the migrations to apply. Raises `SchemaError` for tables of a later version."""
    ledger = f'"{schema}".rotulus_migrations' if schema else "rotulus_migrations"
    if session.fetch_value("has_table", name=ledger):
        applied = dict(session.fetch("applied_migrations"))
        return missing_migrations("postgres", applied, place)
    return known_migrations("postgres")


def migrate(session: Session, schema: str | None, place: str) -> list[str]:
    """Apply the missing migrations in the caller's transaction; returns their names."""
    session.run_script(_LOCK)
    session.run_script(
        f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'; SET LOCAL statement_timeout = 0"
    )
    if schema is not None:
        session.run_script(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        session.run_script(f'SET LOCAL search_path TO "{schema}"')
    # Making it first also lets this session see what the one has made that it waited for: a name
    # that was not there when it was asked for is remembered as not being there.
    session.run_script(_LEDGER)
    migrations = missing(session, schema, place)
    for migration in migrations:
        session.run_script(migration.sql)
        number = str(migration.number)
        session.execute(
            "remember_migration", number=number, name=migration.name, checksum=migration.checksum
        )
    return [migration.name for migration in migrations]


def script(schema: str | None) -> str:
    """Returns all migrations as one script, to be applied with other tools."""
    place = f'CREATE SCHEMA IF NOT EXISTS "{schema}";\nSET LOCAL search_path TO "{schema}";'
    parts = ["BEGIN;", *([place] if schema else []), f"{_LEDGER.strip()};"]
    parts += [f"-- {s.name}\n{s.sql}\n{_remember(s)};" for s in known_migrations("postgres")]
    indexes = [f"{statement};" for statement in index_statements(schema)]
    return "\n\n".join([*parts, "COMMIT;", _AFTERWARDS, *indexes, ""])


def migration_statements(migration: Migration) -> list[str]:
    """Returns one migration, statement by statement, for tools with a transaction around it."""
    timeout = f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"
    return [_LOCK, timeout, _LEDGER.strip(), migration.sql, _remember(migration)]


def _remember(migration: Migration) -> str:
    row = f"({migration.number}, '{migration.name}', '{migration.checksum}')"
    return f"{_INTO} VALUES {row}"
