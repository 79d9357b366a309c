"""The skip of a step of a run: at once, or when its turn comes."""

from typing import Any

from rotulus._app.resources.run_views import RunViews
from rotulus._app.resources.steering import steers
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.encrypted import check_readable
from rotulus._jobs.grouped import is_member
from rotulus._jobs.job import Job
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import RETRYABLE, State
from rotulus._workflows.stored import to_be_skipped
from rotulus.errors import WorkflowError
from rotulus.store import Edit

_TRIES = 3
"""How often a skip looks again at a step that changes while it looks."""


class RunSkips(RunViews):
    """The skip of steps, for `app.runs`.

    Args:
        port: gives the port of the app that answers.
        jobs: the jobs of the same app.
    """

    @steers("runs.skip")
    def skip(self, run_id: str, step: str, *, dry_run: bool = False) -> list[Job[Any]]:
        """Go on without a step that waits, failed, died or was cancelled: it is `skipped`.

        The steps after it begin as if it had succeeded, with the context that it was given itself.
        A step that waits for others is skipped when these have ended. A step is skipped with
        everything in it. Of a step that runs for each item, a branch can be skipped: in its place
        stands `null`. If the run had ended it goes on, and what came after the step runs again. No
        callback is called.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path.
            dry_run: change nothing, and return which jobs it would be.

        Returns:
            The job of the step, `blocked` if it is skipped later; and then the jobs that had ended
            and run again: of steps after it, and of the run.

        Raises:
            JobNotFoundError: there is no such run.
            StepNotFoundError: it has no such step.
            WorkflowError: the step, or something in it, runs: cancel it, and skip it then. Or it
                has succeeded, or was skipped; or another job has the key of the run by now; or it
                is the run itself, or a job of a group.
            CipherError: it waits, and what it begins with cannot be decrypted here.
        """
        port, job = self._port(), self._job(run_id, step)
        _check_step(job)
        for _ in range(_TRIES):
            records = port.store().skip(job.id, dry_run=dry_run) or self._skip_later(job, dry_run)
            if records:
                return [Job(record, port) for record in records]
        raise WorkflowError(_why_not_skipped(job.refresh()))

    def _skip_later(self, job: Job[Any], dry_run: bool) -> list[JobRecord]:
        """Have a step that waits for others skipped when its turn comes; none: it does not wait."""
        store = self._port().store()
        seen = job.refresh().record
        if seen.state != State.BLOCKED or seen.opened or not seen.waits_for:
            return []
        check_readable(seen.arguments, f"The context of step {seen.step!r} of run {seen.run}")
        if dry_run:
            return [seen]
        changed = store.edit(seen, Edit(arguments=to_be_skipped(seen.arguments)))
        return [] if changed is None else [changed]

    async def askip(self, run_id: str, step: str, *, dry_run: bool = False) -> list[Job[Any]]:
        """`skip`, without blocking the event loop."""
        return await off_loop(self.skip, run_id, step, dry_run=dry_run)


def _check_step(job: Job[Any]) -> None:
    """Raise `WorkflowError` for a job that is no step: a run, or a job of a group."""
    if not job.step:
        raise WorkflowError(
            f"A run as a whole is not skipped: skip a step of it, or cancel it with "
            f"app.runs.cancel({job.id!r})"
        )
    if is_member(job.record):
        raise WorkflowError(
            f"{job.step!r} is a job of a group, whose callback runs however its jobs ended: cancel "
            f"it with app.jobs.cancel({job.id!r})"
        )


def _why_not_skipped(job: Job[Any]) -> str:
    """Returns why a step was left as it is, and what to do."""
    if job.state in (State.SUCCEEDED, State.SKIPPED):
        return f"Step {job.step!r} {job.state.words}: only one that waits or went wrong is skipped"
    about = job.why() if job.state in RETRYABLE else []
    if len(about) > 1:  # another job has the key of the run
        return f"Step {job.step!r} {job.state.words}, and stays so. {about[-1]}"
    what = "runs" if job.state is State.RUNNING else f"{job.state.words}, and a part of it runs"
    return (
        f"Step {job.step!r} {what}: cancel it with app.jobs.cancel({job.id!r}), and skip it when "
        f"that has ended"
    )
