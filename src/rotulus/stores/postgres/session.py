"""Runs the named statements of the PostgreSQL store: `Session`."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rotulus._jobs.record import JobRecord, Terms
from rotulus.store import WorkerInfo
from rotulus.stores import _columns
from rotulus.stores._stats import stat_pieces
from rotulus.stores.postgres import rows
from rotulus.stores.shared.dialect import Dialect, load
from rotulus.stores.shared.session import Locked, Row, Value


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


_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")
_OURS = re.compile(r"\brotulus_(?=[a-z])")

_TYPES = {
    "id": "uuid",
    "job": "uuid",
    "json": "text",
    "micros": "bigint",
    "position": "bigint",
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
        # ids grow, and no job has the last one
        "below": "coalesce(:before::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')",
        "worker_columns": ", ".join(WorkerInfo._fields),
        "run_columns": ", ".join(_columns.RunRow._fields),
        "terms_columns": ", ".join(column.name for column in terms),
        "terms_values": ", ".join(f":{name}::{_TYPES[kind]}" for name, kind, _ in terms),
    }
    pieces |= stat_pieces("greatest")
    for row, fields in _columns.ROWS.items():
        columns = _columns.columns_of(*fields)
        names = ", ".join(column.name for column in columns)
        arrays = ", ".join(f":{row}_{name}::{_TYPES[kind]}[]" for name, kind, _ in columns)
        pieces[f"{row}_columns"] = names
        pieces[f"{row}_rows"] = f"unnest({arrays}) AS {row} ({names})"
    return pieces


_DIALECT = Dialect(
    now="(SELECT rotulus_now())",
    job="id",
    join="JOIN",
    greatest="greatest",
    each="unnest(:{name}::{type}[]) AS wanted (value)",
    within="= ANY (:{name}::{type}[])",
    absent=":{name}::{type}[] IS NULL",
    alive="lease_until > (SELECT rotulus_now())",
    types=_TYPES,
)

STATEMENTS = load(Path(__file__).with_name("statements"), _DIALECT, _pieces())


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

    def fetch(self, name: str, /, **parameters: Value) -> Sequence[Row]:
        """Run a statement that answers with rows."""
        return self._run(name, parameters).fetchall()

    def fetch_value(self, name: str, /, **parameters: Value) -> Any:
        """Run a statement that answers with one value; None when it answers with nothing."""
        found = self.fetch(name, **parameters)
        return found[0][0] if found else None

    def fetch_records(self, name: str, /, **parameters: Value) -> list[JobRecord]:
        """Run a statement that answers with records of jobs."""
        return rows.records(self.fetch(name, **parameters))

    def execute(self, name: str, /, **parameters: Value) -> int:
        """Run a statement that changes rows; how many it changed."""
        return self._run(name, parameters).rowcount

    def lock_runs(self, ids: Sequence[str]) -> Locked:
        """Lock jobs, and all jobs of their runs, until the transaction is over.

        The others are left alone: a job that is added only now is not locked. Parts may have been
        added while the statement waited for a lock: then all are locked again, and none is added.
        """
        wanted = list(ids)
        existing, in_runs = self.fetch("lock_runs", ids=wanted)[0]
        while in_runs and self.fetch_value("size_of_runs", ids=wanted) > in_runs:
            existing, in_runs = self.fetch("lock_runs", ids=wanted)[0]
        there = set(existing)
        return Locked([one for one in ids if one in there], in_runs=in_runs > 0)

    def count_new(self, terms: Terms, new: int) -> None:
        """Nothing: the statement that has added them has counted them."""

    def note_changes(self, ids: Sequence[str], what: str | None = None) -> None:
        """Note that jobs have changed, for those who listen."""
        if ids:
            self.execute("note_changes", ids=list(ids), what=what)

    def unblock(self, ended: Sequence[str]) -> bool:
        """What waited for these jobs, and for nothing else, is due; whether anything is."""
        return bool(ended) and bool(self.fetch("unblock", ids=list(ended)))

    def lock_limits(self, keys: Sequence[str]) -> None:
        """Lock keys of limits: a claim of them that is under way is waited for."""
        self.fetch("share_limits")
        self.fetch("wait_for_limits", keys=list(keys))

    def lock_with_dependants(self, ids: Sequence[str]) -> None:
        """Lock some jobs, and the jobs that wait for them.

        A statement that has waited for a row goes on with what it had read of the others before
        that. So rows are locked in one statement, and what becomes of them is decided in the next.
        """
        self.fetch("lock_with_dependants", ids=list(ids))

    def rows(self, kind: str, values: Sequence[Sequence[Any]]) -> Mapping[str, Value]:
        """Rows of a kind, as the parameters of a statement."""
        return rows.many(kind, values)

    def texts(self, held: list[str]) -> list[str]:
        """The texts in a column that holds many."""
        return held

    def run_script(self, text: str) -> None:
        """Run SQL that is no named statement: a step of the tables."""
        self._execute(text.replace("%", "%%").encode(), {})  # as named statements are written

    def _run(self, name: str, parameters: Mapping[str, Value]) -> Answer:
        texts = {  # those of hot statements are texts already
            key: value if value is None or isinstance(value, str) else rows.text(value)
            for key, value in parameters.items()
        }
        return self._execute(self._statements[name], texts)
