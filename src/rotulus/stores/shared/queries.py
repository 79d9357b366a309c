"""`SharedQueries`: the methods that read jobs, the same in both stores."""

from collections.abc import Collection, Sequence

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import is_id
from rotulus._text.names import is_storable
from rotulus.store import (
    EVERYTHING,
    Backlog,
    Filter,
    Fleet,
    Found,
    LimitUse,
    Part,
    StoreSize,
)
from rotulus.stores.shared import reading, searching
from rotulus.stores.shared.counting import SharedCounting
from rotulus.stores.shared.reading import records_of


class SharedQueries(SharedCounting):
    """What is read. See `rotulus.store.Queries`."""

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
