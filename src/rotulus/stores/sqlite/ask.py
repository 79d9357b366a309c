"""Runs the named statements of the SQLite store."""

import sqlite3
from typing import Any

from rotulus.stores._statements import load_statements

STATEMENTS = load_statements("rotulus.stores.sqlite")


def ask(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> Any:
    """Run a statement that answers with one value; None when it answers with nothing."""
    row = connection.execute(STATEMENTS[name], parameters).fetchone()
    return None if row is None else row[0]


def do(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> int:
    """Run a statement that changes rows; how many it changed."""
    return connection.execute(STATEMENTS[name], parameters).rowcount
