"""Adds the jobs of coroutines: together when they come together, in threads of ours."""

import math
from collections.abc import Callable, Sequence
from functools import partial

from rotulus._concurrency.coalescer import Coalescer, Turn
from rotulus._concurrency.pool import ThreadPool, in_pool
from rotulus._jobs.record import JobRecord
from rotulus.store import NewJob, Store

Jobs = Sequence[NewJob]
Records = list[JobRecord]

_KEYED = ThreadPool("rotulus-keyed", 8)
"""Where jobs with keys are added, which may wait for transactions of others."""

_MOST = 10_000
"""How many coroutines share a call of the store at most."""


class AsyncAdds:
    """Adds what the coroutines of event loops hand in.

    A hand-over to a thread and back costs as much as several jobs, so coroutines share it.

    Args:
        store: opens the store when it is first needed.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._coalescer: Coalescer[Jobs, Records] = Coalescer(
            self._add_all, self._add_all, lambda: math.inf, "The store", _MOST
        )

    async def add(self, jobs: Jobs) -> Records:
        """Store jobs, all or none; the record of each.

        A caller that is cancelled meanwhile does not learn whether they are stored.
        """
        if any(job.key is not None for job in jobs):
            return await in_pool(_KEYED, partial(self._add, jobs))
        return await self._coalescer.arun(jobs)

    def _add(self, jobs: Jobs) -> Records:
        return self._store().add(jobs)

    def _add_all(self, turn: Turn[Jobs]) -> list[Records]:
        records = iter(self._add([job for jobs in turn.works for job in jobs]))
        return [[next(records) for _ in jobs] for jobs in turn.works]
