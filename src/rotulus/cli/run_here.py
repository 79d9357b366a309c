"""Runs a task or a workflow here and now, and shows how far it has got."""

import sys
import threading
from functools import partial
from typing import Any

import click

from rotulus import App, Job, JobFailedError, State
from rotulus._concurrency.starting import start_thread
from rotulus._progress import Meter
from rotulus.cli.job_ids import reached
from rotulus.cli.steps import print_steps
from rotulus.cli.streams import INTERRUPTED
from rotulus.cli.values import CallWords
from rotulus.events import ProgressReported
from rotulus.workflow import list_workflows

_LOOK_EVERY = 0.1


def run_here(app: App, task: str, call: CallWords) -> Any:
    """Returns the result of a task; of a workflow, the final context. Ctrl-C ends the program.

    Raises:
        ArgumentsError: the call does not fit it.
        JobFailedError: it did not succeed; what went wrong has been shown on stderr.
    """
    try:
        if task in {workflow.name for workflow in list_workflows(app.registry)}:
            return _run_workflow(app, task, call)
        return _run_task(app, task, call)
    except JobFailedError as error:
        if error.traceback:
            click.echo(error.traceback.rstrip("\n"), err=True)
        raise
    except KeyboardInterrupt:
        click.echo(f"\nStopped {task}: it has not ended, and nothing of it is stored.", err=True)
        sys.exit(INTERRUPTED)


def _run_task(app: App, task: str, call: CallWords) -> Any:
    """Returns the result of a task; meanwhile its progress is shown."""
    with Meter(task) as meter:

        def tell(event: Any) -> None:
            meter.show(*event.progress)

        stop = app.events.subscribe(tell, ProgressReported)
        try:
            return app.run(task, *call.args, **call.kwargs)
        finally:
            stop()


def _run_workflow(app: App, workflow: str, call: CallWords) -> Any:
    """The final context of a workflow, run by a worker of its own, with its jobs in memory."""
    with App("sqlite://", like=app) as memory:
        job = memory.enqueue(workflow, *call.args, **call.kwargs)
        over = threading.Event()
        watcher = start_thread(partial(_watch, memory, job, over), "rotulus-meter")
        try:
            memory.run_worker()
        finally:
            over.set()
            watcher.join()
        job = job.refresh()
        if not job.state.ended:
            raise KeyboardInterrupt
        try:
            return job.result(0)
        except JobFailedError as error:
            _show_failure(memory, job)
            error.traceback = ""  # each step has shown its own
            raise


def _watch(memory: App, job: Job[Any], over: threading.Event) -> None:
    """Show how far it has got, and end the worker when it has ended."""
    with Meter(job.task) as meter:
        while not (job := job.refresh()).state.ended and not over.is_set():
            meter.show(*reached(memory, job))
            memory.store.wait(job.id, _LOOK_EVERY)
    memory.stop()


def _show_failure(memory: App, job: Job[Any]) -> None:
    steps = memory.runs.steps(job.id) if job.is_run else []
    every = [inner for step in steps for inner in step.walk()]
    wrong = [bad for step in every for bad in (step.wrong or [step.job])]
    for bad in wrong:
        if bad.state in (State.FAILED, State.DEAD) and bad.error is not None:
            click.echo(f"{bad.step}: {bad.error.traceback or bad.error}", err=True)
    if steps:
        print_steps(job, steps, err=True)
