"""`rotulus run` and `rotulus enqueue`: call a task here and now, or store a job and wait for it."""

import json
import sys
import time
from typing import Any

import click

from rotulus import App, Job, JobFailedError, State
from rotulus._progress import Meter
from rotulus.cli.hints import listed
from rotulus.cli.job_ids import reached
from rotulus.cli.output import ago, json_option, moment_text, print_json
from rotulus.cli.run_here import run_here
from rotulus.cli.streams import INTERRUPTED
from rotulus.cli.target import app_options, find_app
from rotulus.cli.values import Whole, read_call, read_labels, read_seconds, read_time, seconds_like
from rotulus.errors import ResultTimeoutError, TaskNotFoundError


@click.command()
@click.argument("task")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--json-args", metavar="OBJECT", help="Named arguments as one JSON object.")
@app_options
def run(
    task: str, words: tuple[str, ...], json_args: str | None, target: str | None, url: str | None
) -> None:
    """Run TASK here and now, and print its result as JSON.

    It is validated, injected and timed as by a worker; nothing is stored. A workflow is run to
    its end, its jobs in the memory of this process, and the final context printed.
    """
    app = find_app(target, url, tasks=True)
    _check_known(app, task)
    call = read_call(app, task, words, json_args)
    click.echo(json.dumps(run_here(app, task, call), default=str, ensure_ascii=False))


@click.command()
@click.argument("task")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--json-args", metavar="OBJECT", help="Named arguments as one JSON object.")
@click.option("--queue", help="The queue to wait under.")
@click.option("--priority", type=Whole(-1_000_000, 1_000_000, example=5), help="Higher is sooner.")
@click.option("--in", "delay", metavar="SECONDS", help="Run it after so many seconds.")
@click.option("--at", metavar="TIME", help="Run it at an ISO 8601 time, UTC unless it says.")
@click.option("--key", help="A unique key: while it is held, no second job is added.")
@click.option("--label", "labels", multiple=True, metavar="NAME=TEXT", help="A word to find it by.")
@click.option("--wait", is_flag=True, help="Wait for the result, and print it.")
@click.option("--timeout", type=seconds_like(10), help="Seconds to wait at most.")
@click.option("--unchecked", is_flag=True, help="Also a task that this app does not have.")
@json_option
@app_options
def enqueue(
    task: str,
    words: tuple[str, ...],
    json_args: str | None,
    queue: str | None,
    priority: int | None,
    delay: str | None,
    at: str | None,
    key: str | None,
    labels: tuple[str, ...],
    wait: bool,
    timeout: float | None,
    unchecked: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Store a job of TASK, and print its id."""
    app = find_app(target, url, tasks=not unchecked, served=True)
    if not unchecked:
        _check_known(app, task, "--unchecked enqueues it all the same")
    call = read_call(app, task, words, json_args)
    chosen = {"queue": queue, "priority": priority, "key": key}
    chosen |= {"delay": read_seconds(delay), "at": read_time(at), "labels": read_labels(labels)}
    options: dict[str, Any] = {name: v for name, v in chosen.items() if v is not None}
    job = app.using(unchecked=unchecked, **options).enqueue(task, *call.args, **call.kwargs)
    if job.state is State.DELAYED and (delay or at):
        click.echo(f"{job.id} is due {ago(job.run_at)}, at {moment_text(job.run_at)}.", err=True)
    if wait:
        result = _wait_for(app, job, timeout)
        click.echo(json.dumps(result, default=str, ensure_ascii=False))
    elif as_json:
        print_json(job.to_dict())
    else:
        click.echo(job.id)


def _check_known(app: App, task: str, otherwise: str = "") -> None:
    """Raise `TaskNotFoundError`, with the tasks there are, unless a task is known."""
    try:
        app.registry.get(task)
    except TaskNotFoundError as error:
        stop = "" if str(error).endswith("?") else "."
        here = f"{error}{stop} Tasks of this app: {listed(app.registry.list_all())}"
        raise TaskNotFoundError(f"{here}; {otherwise}" if otherwise else here, task) from None


_LOOK_EVERY = 0.5
_EXPLAIN_AFTER = 2.0
"""Seconds after which the program says why a job has not begun."""


def _wait_for(app: App, job: Job[Any], timeout: float | None) -> Any:
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
