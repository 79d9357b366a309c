"""The workers of an app: those that serve its store now, and how they are drained."""

from collections.abc import Callable, Collection

from rotulus._app.port import AppPort
from rotulus._app.resources.job_count import MOST_COUNTED, JobCount
from rotulus._app.resources.steering import steers
from rotulus._app.resources.where import check_text
from rotulus._concurrency.pool import off_loop
from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError, WorkerNotFoundError
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

    @steers("workers.drain")
    def drain(self, *names: str) -> WorkerInfos:
        """Let workers take no more jobs, finish those they have, however long that takes, and end.

        A worker is told when it renews its lease: within a third of it, 10 seconds unless `lease`
        was set. No other process takes its place: a supervisor does not replace a process that was
        drained, and ends when all of its processes were.

        Args:
            names: workers; or supervisors, for all of their processes.

        Returns:
            The workers that are drained now.

        Raises:
            WorkerNotFoundError: no worker of that name is alive. Then nothing was drained.
            OptionError: no worker was named.
        """
        if not names:
            raise OptionError("drain() needs a worker: app.workers.list() has their names")
        store = self._port().store()
        alive = [worker.name for worker in store.fleet().workers]
        found = {one for name in names for one in _of(check_text("worker", name), alive)}
        return store.drain_workers(found)

    async def adrain(self, *names: str) -> WorkerInfos:
        """`drain`, without blocking the event loop."""
        return await off_loop(self.drain, *names)

    async def alist(self) -> WorkerInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def arunning(self) -> dict[str, JobCount]:
        """`running`, without blocking the event loop."""
        return await off_loop(self.running)


def _of(name: str, alive: Collection[str]) -> list[str]:
    """Returns the worker of a name, or the workers of a supervisor. Raises if there are none."""
    found = [one for one in alive if one == name or one.startswith(f"{name}.")]
    if not found:
        raise WorkerNotFoundError(
            f"No worker {name!r} is alive{did_you_mean(name, alive)}: app.workers.list() "
            f"(rotulus ls workers) has those that are"
        )
    return found
