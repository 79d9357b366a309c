"""Runs the named statements of the SQLite store."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rotulus._jobs.record import JobRecord, Terms
from rotulus.store import WorkerInfo
from rotulus.stores import _columns
from rotulus.stores._stats import stat_pieces
from rotulus.stores.shared.dialect import Dialect, load
from rotulus.stores.shared.session import Locked, Row, Value
from rotulus.stores.sqlite import rows

_ROWS = "(SELECT {values} FROM json_each(:{name})) AS {name}"


def _pieces() -> dict[str, str]:
    """Lists of columns: those of a record, and those of each kind of row, given as JSON arrays."""
    terms = _columns.TermsRow._fields
    pieces = {
        "record": f"json_array({_columns.record_columns('job')})",
        "worker_columns": ", ".join(WorkerInfo._fields),
        "run_columns": ", ".join(_columns.RunRow._fields),
        "terms_columns": ", ".join(terms),
        "terms_values": ", ".join(f":{name}" for name in terms),
    }
    pieces |= stat_pieces("max")
    for kind, row in _columns.ROWS.items():
        names = [column.name for column in _columns.columns_of(*row)]
        pieces[f"{kind}_columns"] = ", ".join(names)
        values = [f"value ->> {place} AS {name}" for place, name in enumerate(names)]
        pieces[f"{kind}_values"] = ", ".join(values)
        pieces[f"{kind}_rows"] = _ROWS.format(name=kind, values=pieces[f"{kind}_values"])
    return pieces


_DIALECT = Dialect(
    now=":now",
    job="seq",
    join="CROSS JOIN",
    greatest="max",
    each="json_each(:{name}) AS wanted",
    within="IN (SELECT value FROM json_each(:{name}))",
    absent=":{name} IS NULL",
    alive="boot = :boot AND lease_until > :clock",
    types={"id": "text", "job": "integer", "str": "text"},
)

STATEMENTS = load(Path(__file__).with_name("statements"), _DIALECT, _pieces())


class Session:
    """Statements on one connection, with the present moment as a parameter of each.

    Args:
        connection: where they run.
        present: the moment by both clocks: `now`, `clock` and `boot`.
    """

    def __init__(self, connection: sqlite3.Connection, present: Mapping[str, Any]) -> None:
        self._connection = connection
        self._present = present

    @property
    def now(self) -> int:
        """The present moment, in microseconds since 1970."""
        return self._present["now"]

    def fetch(self, name: str, /, **parameters: Value) -> Sequence[Row]:
        """Run a statement that answers with rows."""
        return self._run(STATEMENTS[name], parameters).fetchall()

    def fetch_value(self, name: str, /, **parameters: Value) -> Any:
        """Run a statement that answers with one value; None when it answers with nothing."""
        found = self.fetch(name, **parameters)
        return found[0][0] if found else None

    def fetch_records(self, name: str, /, **parameters: Value) -> list[JobRecord]:
        """Run a statement that answers with records of jobs."""
        [(found,)] = self._run(_in_one_text(name), parameters)
        return rows.records(found)

    def execute(self, name: str, /, **parameters: Value) -> int:
        """Run a statement that changes rows; how many it changed."""
        # A cursor does not count the rows of a statement that begins with WITH.
        self._run(STATEMENTS[name], parameters)
        return self._connection.execute("SELECT changes()").fetchone()[0]

    def lock_runs(self, ids: Sequence[str]) -> Locked:
        """Nobody else can write to the file until the transaction is over."""
        return Locked(list(ids), in_runs=True)

    def count_new(self, terms: Terms, new: int) -> None:
        """Count new jobs, in the transaction that adds them."""
        if new:
            self.fetch("count_new", task=terms.task, queue=terms.queue, count=new)

    def note_changes(self, ids: Sequence[str], what: str | None = None) -> None:
        """Nothing: triggers do, while somebody listens."""

    def unblock(self, ended: Sequence[str]) -> bool:
        """What waited for these jobs, and for nothing else, is due; whether anything waited."""
        if not ended or not self.fetch_value("any_needs"):
            return False
        return self.execute("unblock", ids=list(ended)) > 0

    def run(self, statement: str) -> None:
        """Run SQL that is no named statement: a savepoint."""
        self._connection.execute(statement)

    def rows(self, kind: str, values: Sequence[Sequence[Any]]) -> dict[str, Value]:
        """Rows of a kind, as the parameters of a statement."""
        return {kind: rows.array(values)}

    def texts(self, held: str) -> list[str]:
        """The texts in a column that holds many."""
        return rows.read(held)

    def lock_limits(self, keys: Sequence[str]) -> None:
        """Nobody else can write to the file until the transaction is over."""

    def lock_with_dependants(self, ids: Sequence[str]) -> None:
        """Nobody else can write to the file until the transaction is over."""

    def _run(self, statement: str, parameters: dict[str, Value]) -> sqlite3.Cursor:
        for name, value in parameters.items():
            if isinstance(value, list):
                parameters[name] = rows.array(value)
        return self._connection.execute(statement, {**self._present, **parameters})


@cache
def _in_one_text(name: str) -> str:
    """A statement whose records come as one JSON text.

    Python's sqlite3 gives up the interpreter lock at each row, and has to wait until it gets it
    again.
    """
    return "\n".join(("WITH found (record) AS (", STATEMENTS[name], ")", _ONE_TEXT))


_ONE_TEXT = "SELECT '[' || coalesce(group_concat(record, ','), '') || ']' FROM found"


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
    connection.execute(STATEMENTS[name], parameters)
    return connection.execute("SELECT changes()").fetchone()[0]
