"""How statements are run that are written once: `Session`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from rotulus._jobs.record import JobRecord, Terms

Row = tuple[Any, ...]

Value = str | int | list[Any] | None
"""A parameter; a list holds many values."""


class Locked(NamedTuple):
    """Jobs that nobody else changes until the transaction is over.

    Attributes:
        ids: those that exist, in the order in which they were given.
        in_runs: whether any of them may be in a run.
    """

    ids: list[str]
    in_runs: bool


class Session(Protocol):
    """Statements on one connection. They know the present moment."""

    def fetch(self, name: str, /, **parameters: Value) -> Sequence[Row]:
        """Run a statement that answers with rows."""
        ...

    def fetch_value(self, name: str, /, **parameters: Value) -> Any:
        """Run a statement that answers with one value; None when it answers with nothing."""
        ...

    def fetch_records(self, name: str, /, **parameters: Value) -> list[JobRecord]:
        """Run a statement that answers with records of jobs."""
        ...

    def execute(self, name: str, /, **parameters: Value) -> int:
        """Run a statement that changes rows; how many it changed."""
        ...

    def count_new(self, terms: Terms, new: int) -> None:
        """Count new jobs, unless the statement that has added them did."""
        ...

    def note_changes(self, ids: Sequence[str], what: str | None = None) -> None:
        """Note that jobs have changed, for those who listen, unless something else does.

        Args:
            ids: the jobs, as other tables know them.
            what: what has happened; None: they have the state in which they are now.
        """
        ...

    def lock_runs(self, ids: Sequence[str]) -> Locked:
        """Lock jobs, and all jobs of their runs, until the transaction is over."""
        ...

    def lock_limits(self, keys: Sequence[str]) -> None:
        """Lock keys of limits until the transaction is over: no claim takes their jobs."""
        ...

    def lock_with_dependants(self, ids: Sequence[str]) -> None:
        """Lock jobs, and all jobs that wait for them, until the transaction is over."""
        ...

    def rows(self, kind: str, values: Sequence[Sequence[Any]]) -> Mapping[str, Value]:
        """Rows of a kind, as the parameters of a statement."""
        ...

    def texts(self, held: Any) -> list[str]:
        """The texts in a column that holds many."""
        ...

    def unblock(self, ended: Sequence[str]) -> bool:
        """What waited for these jobs, and for nothing else, is due; whether that brings work."""
        ...
