"""`SharedCounting`: the methods that count jobs, the same in both stores."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from rotulus._text.ids import is_id
from rotulus.errors import OptionError
from rotulus.store import Alike, Count, Filter, Tally
from rotulus.stores.shared import reading, searching
from rotulus.stores.shared.session import Session

T = TypeVar("T")


class SharedCounting(ABC):
    """What is counted. See `rotulus.store.counting.Counting`."""

    @abstractmethod
    def _read(self, work: Callable[[Session], T]) -> T:
        """Read."""

    @abstractmethod
    def _read_tables(self, work: Callable[[Session], T]) -> T:
        """Read whole tables, which takes its time."""

    def tally(self, where: Filter, limit: int, before: str | None = None) -> Tally:
        """How many jobs match. See `Store.tally`."""
        return self._read(lambda session: searching.tally(session, where, limit, before))

    def alike(self, ids: Sequence[str], by: str) -> list[Alike]:
        """How many of some jobs are alike. See `Store.alike`."""
        if by not in ("error", "task", "queue", "worker"):
            known = "'error', 'task', 'queue' or 'worker'"
            raise OptionError(f"alike(by={by!r}) is not allowed: choose {known}")
        possible = [job for job in ids if is_id(job)]
        if not possible:
            return []
        found = self._read(lambda session: session.fetch("alike", ids=possible, by=by))
        return list(map(Alike._make, found))

    def count(
        self, by: str = "queue", run: str | None = None, within: str = "", depth: int = 1
    ) -> list[Count]:
        """How many jobs there are. See `Store.count`."""
        if by not in ("queue", "task", "step"):
            raise OptionError(f"count(by={by!r}) is not allowed: choose 'queue', 'task' or 'step'")
        read = self._read if by == "step" else self._read_tables
        return read(lambda session: reading.count(session, by, run, within, depth))
