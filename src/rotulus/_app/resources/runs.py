"""The runs of workflows of an app: a run is the job that ends it, and steered as a whole."""

from collections.abc import Callable
from typing import Any

from rotulus._app.port import AppPort
from rotulus._app.resources.jobs import Jobs
from rotulus._app.resources.steps import StepInfo, find_step, read_steps
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.job import Job


class Runs:
    """`app.runs`: the runs of workflows in the app's store, each verb also with an `a` in front.

    A run has the id of the job that ends it, and stands as that job does.

    Args:
        port: gives the port of the app that answers.
        jobs: the jobs of the same app.
    """

    def __init__(self, port: Callable[[], AppPort], jobs: Jobs) -> None:
        self._port = port
        self._jobs = jobs

    def get(self, run_id: str) -> Job[Any]:
        """The job that ends a run. Raises `JobNotFoundError`."""
        return self._jobs.get(run_id)

    def steps(self, run_id: str) -> list[StepInfo]:
        """The steps of a run as a tree, in an order in which each comes after what it needs.

        Args:
            run_id: the id of the run, or that of a step of it that is a workflow itself.

        Raises:
            JobNotFoundError: there is no such job.
        """
        return read_steps(self._port(), self._jobs.get(run_id))

    def step(self, run_id: str, step: str) -> StepInfo:
        """One step of a run.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path, such as `parse/17`.

        Raises:
            JobNotFoundError: there is no such run.
            StepNotFoundError: it has no such step; the message has the nearest one.
        """
        return find_step(self._port(), self._jobs.get(run_id), step)

    def cancel(self, *ids: str) -> list[Job[Any]]:
        """Cancel every step of these runs that has not ended; those that run are asked to stop."""
        return self._jobs.cancel(*ids)

    def retry(self, *ids: str) -> list[Job[Any]]:
        """Run again what failed, was given up or cancelled, and whatever came after that."""
        return self._jobs.retry(*ids)

    def pause(self, *ids: str) -> None:
        """Begin no further step of these runs until `resume`; what runs is left to finish."""
        self._port().store().pause((), paused=True, runs=ids)

    def resume(self, *ids: str) -> None:
        """Let these runs go on."""
        self._port().store().pause((), paused=False, runs=ids)

    async def aget(self, run_id: str) -> Job[Any]:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, run_id)

    async def asteps(self, run_id: str) -> list[StepInfo]:
        """`steps`, without blocking the event loop."""
        return await off_loop(self.steps, run_id)

    async def astep(self, run_id: str, step: str) -> StepInfo:
        """`step`, without blocking the event loop."""
        return await off_loop(self.step, run_id, step)

    async def acancel(self, *ids: str) -> list[Job[Any]]:
        """`cancel`, without blocking the event loop."""
        return await off_loop(self.cancel, *ids)

    async def aretry(self, *ids: str) -> list[Job[Any]]:
        """`retry`, without blocking the event loop."""
        return await off_loop(self.retry, *ids)

    async def apause(self, *ids: str) -> None:
        """`pause`, without blocking the event loop."""
        await off_loop(self.pause, *ids)

    async def aresume(self, *ids: str) -> None:
        """`resume`, without blocking the event loop."""
        await off_loop(self.resume, *ids)
