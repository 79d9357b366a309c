"""The workers of an app: those that serve its store now."""

from collections.abc import Callable

from rotulus._app.port import AppPort
from rotulus._app.resources.job_count import MOST_COUNTED, JobCount
from rotulus._concurrency.pool import off_loop
from rotulus.store import WorkerInfo

WorkerInfos = list[WorkerInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class Workers:
    """`app.workers`: the workers that serve the app's store, each verb also with an `a` in front.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> WorkerInfos:
        """Returns the workers whose lease is not over, in every process and on every machine."""
        return self._port().store().fleet().workers

    def running(self) -> dict[str, JobCount]:
        """Returns how many jobs each worker runs, by the name of the worker.

        Workers that run none are left out. Once 10,000 jobs have been counted, no more are.
        """
        found = self._port().store().running(MOST_COUNTED + 1)
        exact = sum(found.values()) <= MOST_COUNTED
        return {worker: JobCount(jobs, exact=exact) for worker, jobs in found.items()}

    async def alist(self) -> WorkerInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def arunning(self) -> dict[str, JobCount]:
        """`running`, without blocking the event loop."""
        return await off_loop(self.running)
