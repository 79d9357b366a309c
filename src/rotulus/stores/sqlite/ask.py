"""Runs the named statements of the SQLite store."""

import sqlite3
from pathlib import Path
from typing import Any

from rotulus.stores._statements import load_statements

STATEMENTS = load_statements(Path(__file__).with_name("statements"))


def ask(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> Any:
    """Run a statement that answers with one value; None when it answers with nothing."""
    row = ask_row(connection, name, **parameters)
    return None if row is None else row[0]


def ask_row(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> Any:
    """Run a statement that answers with several values; None when it answers with nothing."""
    return connection.execute(STATEMENTS[name], parameters).fetchone()


def do(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> int:
    """Run a statement that changes rows; how many it changed."""
    # A cursor does not count the rows of a statement that begins with WITH.
    before = connection.total_changes
    connection.execute(STATEMENTS[name], parameters)
    return connection.total_changes - before
