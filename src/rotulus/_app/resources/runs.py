"""The runs of workflows of an app: a run is the job that ends it, and steered as a whole."""

from collections.abc import Mapping
from typing import Any

from rotulus._app.resources.run_skips import RunSkips
from rotulus._app.resources.steering import steers
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.encrypted import check_readable
from rotulus._jobs.grouped import is_member
from rotulus._jobs.job import Job
from rotulus._text.jsontext import NotJSONError
from rotulus._text.names import check_task_name
from rotulus._workflows.context import Context
from rotulus._workflows.paths import is_branch, split_path
from rotulus._workflows.stored import read
from rotulus.errors import ContextError, OptionError, WorkflowError


class Runs(RunSkips):
    """`app.runs`: the runs of workflows in the app's store, each verb also with an `a` in front.

    A run has the id and the state of the job that ends it.

    Args:
        port: gives the port of the app that answers.
        jobs: the jobs of the same app.
    """

    def get(self, run_id: str) -> Job[Any]:
        """Returns the job that ends a run.

        Args:
            run_id: its id, or a unique beginning of it.

        Raises:
            JobNotFoundError: there is no such job, or it is not a run but a step of one, or a job
                of an ordinary task.
        """
        return self._run(run_id)

    def latest(self, *workflows: str) -> dict[str, Job[Any]]:
        """Returns the last run of each of these workflows, by name, as the job that ends it.

        A run that is a step of another one does not count. They are looked for among the last
        20,000 jobs of the store and its last 2,000 runs, all at once; workflows without a run there
        are left out.
        """
        port = self._port()
        for name in workflows:
            check_task_name(name)
        found = port.store().last_runs(workflows) if workflows else []
        return {record.task: Job(record, port) for record in found}

    @steers("runs.cancel")
    def cancel(self, *ids: str) -> list[Job[Any]]:
        """Cancel every step of these runs that has not ended; those that run are asked to stop.

        Raises `OptionError` if no run was named.
        """
        return self._jobs.cancel(*_named(ids, "cancel"))

    @steers("runs.retry")
    def retry(self, *ids: str) -> list[Job[Any]]:
        """Run the failed, dead and cancelled steps again, and every step that came after them.

        Raises `OptionError` if no run was named.
        """
        return self._jobs.retry(*_named(ids, "retry"))

    @steers("runs.pause")
    def pause(self, *ids: str) -> None:
        """Begin no further step of these runs until `resume`; running steps finish.

        Raises:
            JobNotFoundError: one of them is not there, or a step of a run; none is paused then.
            OptionError: no run was named.
        """
        self._pause("pause", ids, paused=True)

    @steers("runs.resume")
    def resume(self, *ids: str) -> None:
        """Let these runs go on. Raises as `pause` does."""
        self._pause("resume", ids, paused=False)

    @steers("runs.replay")
    def replay(
        self, run_id: str, step: str, context: Mapping[str, Any] | None = None
    ) -> list[Job[Any]]:
        """Run a step that has ended again, and everything that came after it.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path.
            context: what the step is given, until something that it needs runs again; what its
                needs handed on, unless given.

        Returns:
            The jobs that run again.

        Raises:
            JobNotFoundError: there is no such run.
            StepNotFoundError: it has no such step.
            WorkflowError: the step has not ended; or it is a branch, and a context was given.
            ContextError: the context is larger than the app's `max_bytes`, or cannot be one.
            CipherError: what the step begins with is encrypted, and cannot be decrypted here.
        """
        port, job = self._port(), self._job(run_id, step)
        if not job.state.ended:
            raise WorkflowError(f"Step {step!r} {job.state.words}: it is replayed once it ended")
        if job.group is not None:
            raise WorkflowError(
                f"The callback of group {job.group!r} is replayed by replaying one of its jobs"
            )
        if is_member(job.record):
            return self._replay_member(job, context)
        if is_branch(step) and context is not None:
            raise WorkflowError(
                f"Step {step!r} is one branch, and has its item: replay the step it is a branch of"
            )
        check_readable(job.record.arguments, f"The context of step {step!r} of run {job.run}")
        stored = read(job.record.arguments, split_path(step)[1])
        new_context = None if context is None else Context(context).to_dict()
        try:
            arguments = stored.replayed(new_context, port.max_bytes)
        except NotJSONError as error:
            raise ContextError(
                f"The context for step {step!r} {error}: make it smaller, or App(max_bytes=...) "
                f"larger"
            ) from None
        return [Job(record, port) for record in port.store().retry([job.id], arguments)]

    def _pause(self, verb: str, ids: tuple[str, ...], *, paused: bool) -> None:
        runs = [self._whole(run_id).id for run_id in _named(ids, verb)]
        self._port().store().pause((), paused=paused, runs=runs)

    def _replay_member(self, job: Job[Any], context: Mapping[str, Any] | None) -> list[Job[Any]]:
        if context is not None:
            raise WorkflowError(
                f"{job.step!r} is a job of a group, and has its arguments: replay it without a "
                f"context"
            )
        port = self._port()
        again = port.store().retry([job.id], job.record.arguments)
        return [Job(record, port) for record in again]

    async def aget(self, run_id: str) -> Job[Any]:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, run_id)

    async def alatest(self, *workflows: str) -> dict[str, Job[Any]]:
        """`latest`, without blocking the event loop."""
        return await off_loop(self.latest, *workflows)

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

    async def areplay(
        self, run_id: str, step: str, context: Mapping[str, Any] | None = None
    ) -> list[Job[Any]]:
        """`replay`, without blocking the event loop."""
        return await off_loop(self.replay, run_id, step, context)


def _named(ids: tuple[str, ...], verb: str) -> tuple[str, ...]:
    if not ids:
        raise OptionError(f"{verb}: which runs? Give their ids, such as app.runs.{verb}(run.id)")
    return ids
