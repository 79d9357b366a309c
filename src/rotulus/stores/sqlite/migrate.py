"""Migrates the tables of one SQLite file to this version, only ever forward.

Each migration is one SQL file. Its number, name and checksum are stored in the same transaction,
so a process killed in the middle leaves the file as it was.
"""

import sqlite3

from rotulus.stores._migrations import Migration, known_migrations, missing_migrations

_LEDGER = """
CREATE TABLE IF NOT EXISTS rotulus_migrations (
  number   INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT"""


_INTO = "INSERT INTO rotulus_migrations"


def missing(connection: sqlite3.Connection, path: str) -> list[Migration]:
    """Returns the migrations to apply. Raises `SchemaError` for a file of a later version."""
    return missing_migrations("sqlite", _applied(connection), path)


def migrate(connection: sqlite3.Connection, path: str, now: int) -> list[str]:
    """Apply the missing migrations in the caller's transaction; returns their names."""
    connection.execute(_LEDGER)
    migrations = missing(connection, path)
    for migration in migrations:
        for statement in _statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO rotulus_migrations (number, name, checksum, applied_at) "
            "VALUES (?, ?, ?, ?)",
            (migration.number, migration.name, migration.checksum, now),
        )
    return [migration.name for migration in migrations]


def script() -> str:
    """Returns all migrations as one script, to be applied with other tools."""
    parts = ["BEGIN;", f"{_LEDGER.strip()};"]
    parts += [f"-- {s.name}\n{s.sql}\n{_remember(s)};" for s in known_migrations("sqlite")]
    return "\n\n".join([*parts, "COMMIT;", ""])


def migration_statements(migration: Migration) -> list[str]:
    """Returns one migration, statement by statement, for tools with a transaction around it."""
    return [_LEDGER.strip(), *_statements(migration.sql), _remember(migration)]


def _remember(migration: Migration) -> str:
    row = f"({migration.number}, '{migration.name}', '{migration.checksum}', unixepoch() * 1000000)"
    return f"{_INTO} VALUES {row}"


def _applied(connection: sqlite3.Connection) -> dict[int, str]:
    try:
        rows = connection.execute("SELECT number, checksum FROM rotulus_migrations").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return {}
        raise
    return dict(rows)


def _statements(script: str) -> list[str]:
    """The statements of a script. `executescript` would commit the transaction around it."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
