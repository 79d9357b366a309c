"""Adds the jobs of coroutines: together when they come together, in threads of ours."""

import math
from collections.abc import Callable, Sequence

from rotulus._concurrency.coalescer import Coalescer, Group
from rotulus._concurrency.keyed import KeyedCoalescers
from rotulus._concurrency.pool import ThreadPool, off_loop
from rotulus._jobs.record import JobRecord
from rotulus.store import NewJob, Store

Jobs = Sequence[NewJob]
Records = list[JobRecord]

_KEYED = ThreadPool("rotulus-keyed", 8)
"""Threads that add jobs with keys, which may wait for transactions of other programs."""

_MOST = 10_000
"""How many coroutines share a call of the store at most."""


class AsyncAdds:
    """Adds the jobs that the coroutines of event loops hand in.

    A hand-over to a thread and back costs as much as several jobs, so coroutines share it.

    Args:
        store: opens the store when it is first needed.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._key_patience: float | None = None
        self._coalescer = self._make(lambda: math.inf)
        self._keyed = KeyedCoalescers(lambda: self._make(self._deadline, _KEYED))

    async def add(self, jobs: Jobs) -> Records:
        """Store jobs, all or none; the record of each.

        A caller that is cancelled meanwhile does not learn whether they are stored.
        """
        keys = {job.key for job in jobs if job.key is not None}
        if keys and await self._waits_for_keys():
            return await self._keyed.of(keys).arun(jobs)
        return await self._coalescer.arun(jobs)

    def _make(
        self, seconds: Callable[[], float], pool: ThreadPool | None = None
    ) -> Coalescer[Jobs, Records]:
        return Coalescer(self._add_all, self._add_all, seconds, "The store", _MOST, pool)

    async def _waits_for_keys(self) -> bool:
        if self._key_patience is None:
            store = await off_loop(self._store)  # opens it, which may take a while
            self._key_patience = store.key_patience
        return self._key_patience > 0

    def _deadline(self) -> float:
        return self._key_patience or 0.0

    def _add_all(self, group: Group[Jobs]) -> list[Records]:
        records = iter(self._store().add([job for jobs in group.works for job in jobs]))
        return [[next(records) for _ in jobs] for jobs in group.works]
