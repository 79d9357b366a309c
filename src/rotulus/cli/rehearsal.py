"""A workflow, run to its end here and now, with its jobs in memory."""

import threading
from typing import Any

import click

from rotulus import App, Job, JobFailedError, State
from rotulus.cli.progress import Meter
from rotulus.cli.runs import is_run, reached, read_steps, walk
from rotulus.cli.steps import print_steps
from rotulus.cli.values import CallWords

_LOOK_EVERY = 0.1


def rehearse(app: App, workflow: str, call: CallWords) -> Any:
    """The final context of a workflow, run by a worker of its own.

    Raises:
        ArgumentsError: the call does not fit it.
        JobFailedError: it did not succeed; its steps have been shown on stderr.
        KeyboardInterrupt: somebody stopped it.
    """
    with App("sqlite://", like=app) as memory:
        job = memory.enqueue(workflow, *call.args, **call.kwargs)
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(memory, job, over), daemon=True)
        watcher.start()
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
        except JobFailedError:
            _show_failure(memory, job)
            raise


def _watch(memory: App, job: Job[Any], over: threading.Event) -> None:
    """Show how far it has got, and end the worker when it has ended."""
    with Meter(job.task) as meter:
        while not (job := job.refresh()).state.ended and not over.is_set():
            meter.show(*reached(memory, job))
            memory.store.wait(job.id, _LOOK_EVERY)
    memory.stop()


def _show_failure(memory: App, job: Job[Any]) -> None:
    nodes = read_steps(memory, job) if is_run(job) else []
    wrong = [bad for node in walk(nodes) for bad in (node.wrong or [node.job])]
    for bad in wrong:
        if bad.state in (State.FAILED, State.DEAD) and bad.error is not None:
            click.echo(f"{bad.step}: {bad.error.traceback or bad.error}", err=True)
    if nodes:
        print_steps(job, nodes, err=True)
