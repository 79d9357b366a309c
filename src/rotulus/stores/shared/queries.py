"""`SharedQueries`: the methods that read jobs, the same in both stores."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import is_id
from rotulus._text.names import is_storable
from rotulus.errors import OptionError
from rotulus.store import (
    EVERYTHING,
    Alike,
    Backlog,
    Count,
    Filter,
    Fleet,
    Found,
    LimitUse,
    Part,
    StoreSize,
    Tally,
)
from rotulus.stores.shared import reading, searching
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Session

T = TypeVar("T")


class SharedQueries(ABC):
    """What is read. See `rotulus.store.Queries`."""

    @abstractmethod
    def _read(self, work: Callable[[Session], T]) -> T:
        """Read."""

    @abstractmethod
    def _read_tables(self, work: Callable[[Session], T]) -> T:
        """Read whole tables, which takes its time."""

    def get(self, job_id: str) -> JobRecord | None:
        """One job. See `Store.get`."""
        if not is_id(job_id):
            return None
        return self._read(lambda session: reading.whole_record(session, job_id))

    def find(
        self, where: Filter = EVERYTHING, limit: int = 100, before: str | None = None
    ) -> list[JobRecord]:
        """The jobs that match. See `Store.find`."""
        return self._read(lambda session: reading.find(session, where, limit, before))

    def unended(self, ids: Collection[str]) -> set[str]:
        """Those of some jobs that have not ended. See `Store.unended`."""
        possible = [one for one in ids if is_id(one)]
        if not possible:
            return set()
        found = self._read(lambda session: session.fetch("unended", ids=possible))
        return {job for (job,) in found}

    def search(self, where: Filter, limit: int, before: str | None = None) -> Found:
        """The ids of jobs that match. See `Store.search`."""
        return self._read(lambda session: searching.search(session, where, limit, before))

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

    def records(self, ids: Sequence[str]) -> list[JobRecord]:
        """Jobs by id. See `Store.records`."""
        known = [job for job in ids if is_id(job)]
        return self._read(lambda session: records_of(session, known))

    def histories(self, ids: Collection[str]) -> dict[str, str]:
        """The earlier attempts of some jobs. See `Store.histories`."""
        possible = [one for one in ids if is_id(one)]
        if not possible:
            return {}
        return self._read(lambda session: reading.histories(session, possible))

    def steps(self, run: str, within: str = "") -> list[Part]:
        """The parts of a job that are steps. See `Store.steps`."""
        return self._read(lambda session: reading.steps(session, run, within))

    def count(
        self, by: str = "queue", run: str | None = None, within: str = "", depth: int = 1
    ) -> list[Count]:
        """How many jobs there are. See `Store.count`."""
        if by not in ("queue", "task", "step"):
            raise OptionError(f"count(by={by!r}) is not allowed: choose 'queue', 'task' or 'step'")
        read = self._read if by == "step" else self._read_tables
        return read(lambda session: reading.count(session, by, run, within, depth))

    def backlog(self, most: int = 10_000) -> list[Backlog]:
        """How many jobs wait and run in each queue. See `Store.backlog`."""
        return self._read(lambda session: reading.backlog(session, most))

    def last_runs(self, tasks: Collection[str], most: int = 20_000) -> list[JobRecord]:
        """The last run of each. See `Store.last_runs`."""
        wanted = [one for one in tasks if is_storable(one)]
        return self._read(
            lambda session: session.fetch_records(
                "last_runs", names=wanted, most=most, runs=most // 10
            )
        )

    def running(self, most: int = 10_000) -> dict[str, int]:
        """How many jobs each worker runs. See `Store.running`."""
        return dict(self._read(lambda session: session.fetch("running_by_worker", most=most)))

    def fleet(self) -> Fleet:
        """The live workers and the paused queues. See `Store.fleet`."""
        return self._read(reading.fleet)

    def size(self, most: int = 10_000) -> StoreSize:
        """How much room it takes. See `Store.size`."""
        return self._read(lambda session: reading.size(session, most))

    def limits(self, most: int = 10_000, key: str | None = None) -> list[LimitUse]:
        """The keys of limits. See `Store.limits`."""
        return self._read(lambda session: reading.limits(session, most, key))
