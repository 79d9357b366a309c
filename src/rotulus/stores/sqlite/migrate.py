"""Brings the tables of one SQLite file up to this version, in numbered steps that only go forward.

Each step is one SQL file. Which have been applied, and what they said, is written down in the
same transaction, so a process killed in the middle leaves the file as it was.
"""

import hashlib
import sqlite3
from typing import NamedTuple

from rotulus.errors import SchemaError
from rotulus.stores import migration_scripts

_LEDGER = """
CREATE TABLE IF NOT EXISTS rotulus_migrations (
  number   INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT"""


class Migration(NamedTuple):
    """One step: its number, its name and its SQL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells whether an applied step was this one."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known_migrations() -> list[Migration]:
    """The steps of this version, in order."""
    return [Migration(int(name[:4]), name, sql) for name, sql in migration_scripts("sqlite")]


def is_current(connection: sqlite3.Connection, path: str) -> bool:
    """Whether nothing is to be done. Raises `SchemaError` when the file is from a later version."""
    return not _missing(connection, path)


def migrate(connection: sqlite3.Connection, path: str, now: int) -> list[str]:
    """Apply what is missing, inside the caller's transaction; the names of what was applied."""
    connection.execute(_LEDGER)
    missing = _missing(connection, path)
    for step in missing:
        for statement in _statements(step.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO rotulus_migrations (number, name, checksum, applied_at) "
            "VALUES (?, ?, ?, ?)",
            (step.number, step.name, step.checksum, now),
        )
    return [step.name for step in missing]


def _missing(connection: sqlite3.Connection, path: str) -> list[Migration]:
    applied = _applied(connection)
    known = known_migrations()
    later = sorted(set(applied) - {step.number for step in known})
    if later:
        raise SchemaError(
            f"{path} is from a later version of Rotulus (it has migration {later[-1]:04}, this "
            f"version knows {known[-1].number:04}): upgrade Rotulus, or use another file"
        )
    for step in known:
        if applied.get(step.number, step.checksum) != step.checksum:
            raise SchemaError(
                f"{path} was made by another build of Rotulus (its migration {step.number:04} "
                f"is not ours): use the build that made it, or another file"
            )
    return [step for step in known if step.number not in applied]


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
