"""Runs the named statements of the SQLite store."""

import sqlite3
from pathlib import Path
from typing import Any

from rotulus.store import WorkerInfo
from rotulus.stores import _columns
from rotulus.stores._statements import load_statements


def _pieces() -> dict[str, str]:
    """Lists of columns: those of a record, and those of each kind of row, given as JSON arrays."""
    terms = _columns.TermsRow._fields
    pieces = {
        "record": f"json_array({_columns.record_columns('job')})",
        "worker_columns": ", ".join(WorkerInfo._fields),
        "terms_columns": ", ".join(terms),
        "terms_values": ", ".join(f":{name}" for name in terms),
    }
    for kind, row in _columns.ROWS.items():
        pieces[f"{kind}_columns"] = ", ".join(row._fields)
        values = [f"value ->> {place} AS {name}" for place, name in enumerate(row._fields)]
        pieces[f"{kind}_values"] = ", ".join(values)
    return pieces


STATEMENTS = load_statements(Path(__file__).with_name("statements"), _pieces())


def fetch_value(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> Any:
    """Run a statement that answers with one value; None when it answers with nothing."""
    row = fetch_row(connection, name, **parameters)
    return None if row is None else row[0]


def fetch_row(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> Any:
    """Run a statement that answers with several values; None when it answers with nothing."""
    return connection.execute(STATEMENTS[name], parameters).fetchone()


def execute(connection: sqlite3.Connection, name: str, /, **parameters: Any) -> int:
    """Run a statement that changes rows; how many it changed."""
    # A cursor does not count the rows of a statement that begins with WITH.
    before = connection.total_changes
    connection.execute(STATEMENTS[name], parameters)
    return connection.total_changes - before
