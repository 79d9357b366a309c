"""The verbs of an app that are those of its jobs and queues, under shorter names."""

from typing import Any

from rotulus._app.resources import Jobs, Queues
from rotulus._jobs.job import Job


class Shortcuts:
    """The most frequent calls on an app: each is the verb of that name of a resource.

    Attributes:
        jobs: the jobs in its store; called, it finds them: `app.jobs(state="failed")`.
        queues: the queues in its store.
    """

    jobs: Jobs
    queues: Queues

    def get(self, job_id: str) -> Job[Any]:
        """Returns the job of that id, with its earlier attempts. See `app.jobs.get`."""
        return self.jobs.get(job_id)

    async def aget(self, job_id: str) -> Job[Any]:
        """`get`, without blocking the event loop."""
        return await self.jobs.aget(job_id)

    def cancel(self, *ids: str) -> list[Job[Any]]:
        """Cancel jobs: at once those that wait; those that run are asked to stop.

        Returns:
            The jobs that exist, as they stand then.

        Raises:
            OptionError: no id is given, or one is no text.
        """
        return self.jobs.cancel(*ids)

    async def acancel(self, *ids: str) -> list[Job[Any]]:
        """`cancel`, without blocking the event loop."""
        return await self.jobs.acancel(*ids)

    def retry(self, *ids: str) -> list[Job[Any]]:
        """Send `failed`, `dead` and `cancelled` jobs back to their queues, with fresh budgets.

        Returns:
            The jobs that were sent back.

        Raises:
            OptionError: no id is given, or one is no text.
        """
        return self.jobs.retry(*ids)

    async def aretry(self, *ids: str) -> list[Job[Any]]:
        """`retry`, without blocking the event loop."""
        return await self.jobs.aretry(*ids)

    def pause(self, *queues: str) -> None:
        """Claim no more jobs of these queues, in any worker, until `resume`."""
        self.queues.pause(*queues)

    async def apause(self, *queues: str) -> None:
        """`pause`, without blocking the event loop."""
        await self.queues.apause(*queues)

    def resume(self, *queues: str) -> None:
        """Claim jobs of these queues again."""
        self.queues.resume(*queues)

    async def aresume(self, *queues: str) -> None:
        """`resume`, without blocking the event loop."""
        await self.queues.aresume(*queues)
