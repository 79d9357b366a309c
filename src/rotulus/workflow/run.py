"""A run of a workflow: its status, its steps, and the actions on it."""

import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rotulus import App, ErrorInfo, Job, Progress, State
from rotulus._concurrency.pool import off_loop
from rotulus._concurrency.starting import start_thread
from rotulus._jobs.encrypted import check_readable
from rotulus._progress import Meter
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.paths import is_branch
from rotulus.errors import (
    JobFailedError,
    RotulusError,
    StepNotFoundError,
    ThreadNotStartedError,
    WorkflowError,
)

_PAGE = 1_000
_MOST_NAMED = 3
_LOOK_EVERY = 0.2

_STATUS = {
    State.BLOCKED: "Running",
    State.DELAYED: "Pending",
    State.QUEUED: "Pending",
    State.RUNNING: "Running",
    State.SUCCEEDED: "Completed",
    State.FAILED: "Failed",
    State.DEAD: "Failed",
    State.CANCELLED: "Cancelled",
    State.SKIPPED: "Skipped",
}


def status_of(job: Job[Any]) -> str:
    """Returns the status of a run or a step: `Pending`, `Running`, `Completed`, and so on."""
    if job.paused and not job.state.ended:
        return "Paused"
    waits = job.state is State.BLOCKED and not job.record.opened
    return "Pending" if waits else _STATUS[job.state]


@dataclass(frozen=True)
class WorkflowResult:
    """The result of a run.

    Attributes:
        run_id: the id of the run.
        status: `Completed`, `Failed` or `Cancelled`.
        start_time: when it was submitted, as RFC 3339 text.
        end_time: when it ended, likewise.
        final_context: what its last steps handed on, merged in the order of the workflow. Of a
            group: what its callback returned, under `result`.
        error_message: None when it completed; else why not, such as
            `1 task(s) failed, 4 completed, 2 skipped`.
    """

    run_id: str
    status: str
    start_time: str
    end_time: str
    final_context: Context
    error_message: str | None


class Run:
    """One run of a workflow, or of a group. Each call reads the current state.

    Args:
        app: the app whose store it is in.
        run_id: its id, which is that of the job that ends it.
    """

    def __init__(self, app: App, run_id: str) -> None:
        self._app = app
        self.id = run_id

    @property
    def job(self) -> Job[Any]:
        """The job that ends it, as it stands now. Raises `JobNotFoundError`."""
        return self._app.get(self.id)

    @property
    def status(self) -> str:
        """`Pending`, `Running`, `Paused`, `Completed`, `Failed` or `Cancelled`."""
        return status_of(self.job)

    def steps(self, *, parts: bool = False) -> list[Job[Any]]:
        """Returns the jobs of its steps, in an order in which each comes after what it needs.

        Args:
            parts: whether the branches of steps, and the steps of workflows within, are among them.
        """
        steps = [job for job in reversed(list(self._jobs())) if job.step]
        return steps if parts else [job for job in steps if "/" not in (job.step or "")]

    def reached(self) -> Progress:
        """Returns how many of its steps have ended, of how many, and which run now.

        Of a group: how many of its jobs have ended, of how many.
        """
        counts = self._app.store.count("step", self.id)
        ended = sum(count.jobs for count in counts if count.state.ended)
        running = [count.group for count in counts if count.state is State.RUNNING]
        running = [path for path in running if not is_branch(path)]
        total = sum(count.jobs for count in counts)
        return Progress(ended, total, ", ".join(running[:_MOST_NAMED]))

    def step(self, step: str) -> Job[Any]:
        """Returns the job of one step, by its id or its path. Raises `StepNotFoundError`."""
        found = self._app.jobs(run=self.id, step=step)
        if not found:
            raise StepNotFoundError(f"Run {self.id} has no step {step!r}")
        return found[0]

    def wait(self, timeout: float | None = None) -> WorkflowResult:
        """Wait until it has ended.

        Args:
            timeout: the longest time to wait, in seconds; None waits for ever.

        Raises:
            JobNotFoundError: there is no such run.
            ResultTimeoutError: it has not ended in time; the message says what it waits for.
        """
        job = self.job
        if not job.state.ended:
            with suppress(JobFailedError):  # that is a result, too
                job.result(timeout)
            job = self.job
        return result_of(job)

    async def await_end(self, timeout: float | None = None) -> WorkflowResult:  # noqa: ASYNC109
        """`wait`, without blocking the event loop."""
        with suppress(JobFailedError):
            job = await off_loop(self._app.get, self.id)
            await job.aresult(timeout)
        return result_of(await off_loop(self._app.get, self.id))

    def cancel(self) -> None:
        """Cancel every step that has not ended; those that run are asked to stop."""
        self._app.cancel(self.id)

    def pause(self) -> None:
        """Begin no further step until `resume`; running steps finish."""
        self._app.runs.pause(self.id)

    def resume(self) -> None:
        """Go on."""
        self._app.runs.resume(self.id)

    def retry(self) -> None:
        """Run the failed, dead and cancelled steps again, and every step that came after them.

        Steps that succeeded, and did not wait for any of these, stay.

        Raises:
            WorkflowError: there is nothing to retry.
        """
        if not self._app.retry(self.id):
            raise WorkflowError(
                f"Run {self.id} is {self.status}: only one that failed or was cancelled is retried"
            )

    def replay(self, step: str, context: Context | Mapping[str, Any] | None = None) -> None:
        """Run a step that has ended again, and everything that came after it.

        Args:
            step: its id, or its path.
            context: what the step is given, until something that it needs runs again; what its
                needs handed on, unless given.

        Raises:
            StepNotFoundError: there is no such step.
            WorkflowError: it has not ended; or it is a branch, and a context was given.
            ContextError: the context is larger than the app's `max_bytes`, or cannot be one.
        """
        job = self.step(step)
        if not job.state.ended:
            raise WorkflowError(f"Step {step!r} is {status_of(job)}: it is replayed once it ended")
        self._app.runs.replay(self.id, step, context)

    def skip(self, step: str) -> None:
        """Go on without a step that waits, failed, died or was cancelled.

        Args:
            step: its id, or its path.

        Raises:
            StepNotFoundError: there is no such step.
            WorkflowError: it runs, has succeeded or was skipped. See `app.runs.skip`.
        """
        self._app.runs.skip(self.id, step)

    def _jobs(self) -> Iterator[Job[Any]]:
        """All jobs of the run, the last added first."""
        page = self._app.jobs.find(run=self.id, limit=_PAGE)
        yield from page
        while page.next is not None:
            page = self._app.jobs.find(run=self.id, limit=_PAGE, after=page.next)
            yield from page

    def __repr__(self) -> str:
        return f"<Run {self.id}>"


def result_of(job: Job[Any]) -> WorkflowResult:
    """Returns the result of a run, given the job that ended it."""
    return WorkflowResult(
        run_id=job.id,
        status=status_of(job),
        start_time=_text(job.created_at),
        end_time=_text(job.ended_at or job.created_at),
        final_context=_final_context(job),
        error_message=_message(job),
    )


def _final_context(job: Job[Any]) -> Context:
    text = job.record.result
    if text is None:
        return Context()
    check_readable(text, f"The result of run {job.id}")
    return Context({"result": jsontext.decode(text)}) if job.group else Context.from_json(text)


@contextmanager
def watched(run: Run, show: bool | None = None) -> Generator[None, None, None]:
    """Show how far a run has got, for the length of a block.

    Args:
        run: the run.
        show: whether to show it; None: if stderr is a terminal.
    """
    if not (sys.stderr.isatty() if show is None else show):
        yield
        return
    done = threading.Event()
    watcher = None
    with suppress(ThreadNotStartedError):  # the run goes on without being shown
        watcher = start_thread(partial(_show, run, done), "rotulus-bar")
    try:
        yield
    finally:
        done.set()
        if watcher is not None:
            watcher.join()


def _show(run: Run, done: threading.Event) -> None:
    with Meter(run.job.task, bar=True) as meter:
        while not done.wait(_LOOK_EVERY):
            with suppress(RotulusError):  # the caller that waits for the run is told
                meter.show(*run.reached())


def _message(job: Job[Any]) -> str | None:
    if job.state is State.SUCCEEDED:
        return None
    error: ErrorInfo | None = job.error
    if error is None:
        return f"{job.state} ({job.reason})" if job.reason else str(job.state)
    return error.message if error.type == "WorkflowFailed" else str(error)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
