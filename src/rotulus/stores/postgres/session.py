"""Runs the named statements of the PostgreSQL store: `Session`."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rotulus.store import WorkerInfo
from rotulus.stores import _columns
from rotulus.stores._statements import load_statements

Row = tuple[Any, ...]


class Answer(Protocol):
    """What comes back from a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed, or found."""
        ...

    def fetchall(self) -> Sequence[Row]:
        """The rows it found."""
        ...


Execute = Callable[[bytes, Mapping[str, str | None]], Answer]
"""Runs a statement with its parameters."""


_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
_OURS = re.compile(r"\brotulus_(?=[a-z])")

_TYPES = {
    "id": "uuid",
    "json": "text",
    "micros": "bigint",
    "str": "text",
    "int": "integer",
    "bool": "boolean",
}
"""The type of each kind of column."""


def _pieces() -> dict[str, str]:
    """Lists of columns: those of a record, and those of each kind of row, given as arrays."""
    terms = _columns.columns_of(_columns.TermsRow)
    pieces = {
        "record": _columns.record_columns("job"),
        "worker_columns": ", ".join(WorkerInfo._fields),
        "terms_columns": ", ".join(column.name for column in terms),
        "terms_values": ", ".join(f":{name}::{_TYPES[kind]}" for name, kind, _ in terms),
    }
    for row, fields in _columns.ROWS.items():
        columns = _columns.columns_of(fields)
        names = ", ".join(column.name for column in columns)
        arrays = ", ".join(f":{row}_{name}::{_TYPES[kind]}[]" for name, kind, _ in columns)
        pieces[f"{row}_columns"] = names
        pieces[f"{row}_rows"] = f"unnest({arrays}) AS {row} ({names})"
    return pieces


STATEMENTS = load_statements(Path(__file__).with_name("statements"), _pieces())


def statements_in(schema: str | None) -> Mapping[str, bytes]:
    """The statements as the driver wants them, on the tables of a schema."""
    return {
        name: _PARAMETER.sub(r"%(\1)s", in_schema(text.replace("%", "%%"), schema)).encode()
        for name, text in STATEMENTS.items()
    }


def in_schema(text: str, schema: str | None) -> str:
    """SQL whose tables are those of a schema; None: of the first one on the search path."""
    return _OURS.sub(f'"{schema}".rotulus_', text) if schema else text


class Session:
    """Statements on one connection.

    Args:
        execute: runs a statement there.
        statements: what `statements_in` gave.
    """

    def __init__(self, execute: Execute, statements: Mapping[str, bytes]) -> None:
        self._execute = execute
        self._statements = statements

    def fetch(self, name: str, /, **parameters: str | None) -> Sequence[Row]:
        """Run a statement that answers with rows."""
        return self._execute(self._statements[name], parameters).fetchall()

    def fetch_value(self, name: str, /, **parameters: str | None) -> Any:
        """Run a statement that answers with one value; None when it answers with nothing."""
        rows = self.fetch(name, **parameters)
        return rows[0][0] if rows else None

    def execute(self, name: str, /, **parameters: str | None) -> int:
        """Run a statement that changes rows; how many it changed."""
        return self._execute(self._statements[name], parameters).rowcount

    def run_script(self, text: str) -> None:
        """Run SQL that is no named statement: a migration."""
        self._execute(text.encode(), {})
