"""Brings the tables of one SQLite file up to this version, in numbered steps that only go forward.

Each step is one SQL file. Which have been applied, and what they said, is written down in the
same transaction, so a process killed in the middle leaves the file as it was.
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
    """The steps to apply. Raises `SchemaError` when the file is from a later version."""
    return missing_migrations("sqlite", _applied(connection), path)


def migrate(connection: sqlite3.Connection, path: str, now: int) -> list[str]:
    """Apply what is missing, inside the caller's transaction; the names of what was applied."""
    connection.execute(_LEDGER)
    steps = missing(connection, path)
    for step in steps:
        for statement in _statements(step.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO rotulus_migrations (number, name, checksum, applied_at) "
            "VALUES (?, ?, ?, ?)",
            (step.number, step.name, step.checksum, now),
        )
    return [step.name for step in steps]


def script() -> str:
    """All steps as one script, for those who apply it with other tools."""
    parts = ["BEGIN;", f"{_LEDGER.strip()};"]
    parts += [f"-- {s.name}\n{s.sql}\n{_remember(s)};" for s in known_migrations("sqlite")]
    return "\n\n".join([*parts, "COMMIT;", ""])


def step_statements(step: Migration) -> list[str]:
    """One step, statement by statement, for other tools that have a transaction around it."""
    return [_LEDGER.strip(), *_statements(step.sql), _remember(step)]


def _remember(step: Migration) -> str:
    row = f"({step.number}, '{step.name}', '{step.checksum}', unixepoch() * 1000000)"
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
