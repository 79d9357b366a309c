"""Waits for a job that a worker runs, and says what it waits for."""

import sys
import time
from typing import Any

import click

from rotulus import App, Job, JobFailedError, State
from rotulus._progress import Meter
from rotulus.cli.job_ids import reached
from rotulus.cli.streams import INTERRUPTED
from rotulus.errors import ResultTimeoutError

_LOOK_EVERY = 0.5
_EXPLAIN_AFTER = 2.0
"""Seconds after which the program says why a job has not begun."""


def wait_for(app: App, job: Job[Any], timeout: float | None) -> Any:
    """Returns the result of a job, once it has ended; meanwhile it is shown how far it has got.

    Ctrl-C ends the program, and not the job.

    Raises:
        JobFailedError: it did not succeed.
        ResultTimeoutError: it has not ended in time.
    """
    try:
        _follow(app, job, timeout)
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped waiting. The job goes on: rotulus show {job.id}; rotulus cancel {job.id} "
            f"would stop it",
            err=True,
        )
        sys.exit(INTERRUPTED)
    job = job.refresh()
    if timeout is not None and not job.state.ended:
        raise ResultTimeoutError(
            f"Job {job.id} of {job.task!r} is still {job.state} after {timeout:g} "
            f"second{'' if timeout == 1 else 's'}. {' '.join(job.why())}"
        )
    try:
        return job.result(0)
    except JobFailedError:
        if job.is_run:
            click.echo(f"See what went wrong: rotulus show {job.id}", err=True)
        raise


def _follow(app: App, job: Job[Any], timeout: float | None) -> None:
    """Wait until a job has ended, or the time is over, showing what it reports."""
    begun = time.monotonic()
    end = begun + (float("inf") if timeout is None else timeout)
    explained = False
    with Meter(f"{job.task} {job.id}") as meter:
        while not job.state.ended and (now := time.monotonic()) < end:
            if not explained and now - begun >= _EXPLAIN_AFTER and not _has_begun(job):
                explained = True
                meter.say(f"{job.task} {job.id} is {job.state}. {' '.join(job.why())}")
            meter.show(*reached(app, job))
            app.store.wait(job.id, max(0.0, min(_LOOK_EVERY, end - time.monotonic())))
            job = job.refresh()


def _has_begun(job: Job[Any]) -> bool:
    return job.state is State.RUNNING or (job.is_run and job.attempt > 0)
