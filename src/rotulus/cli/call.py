"""`rotulus run` and `rotulus enqueue`: call a task, here and now or by a worker."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import click

from rotulus import App, Job, JobFailedError
from rotulus.cli.output import job_data, json_option, print_json
from rotulus.cli.progress import Meter
from rotulus.cli.rehearsal import rehearse
from rotulus.cli.runs import is_run, reached
from rotulus.cli.target import app_options, find_app
from rotulus.cli.values import read_call
from rotulus.errors import TaskNotFoundError
from rotulus.workflow import list_workflows

_LOOK_EVERY = 0.5


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
    call = read_call(app, task, words, json_args)
    if task in {workflow.name for workflow in list_workflows(app.registry)}:
        click.echo(json.dumps(rehearse(app, task, call), default=str, ensure_ascii=False))
        return
    try:
        result = app.run(task, *call.args, **call.kwargs)
    except JobFailedError as error:
        click.echo(error.traceback, err=True, nl=False)
        raise
    click.echo(json.dumps(result, default=str, ensure_ascii=False))


@click.command()
@click.argument("task")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--json-args", metavar="OBJECT", help="Named arguments as one JSON object.")
@click.option("--queue", help="The queue to wait under.")
@click.option("--priority", type=int, help="Higher is sooner.")
@click.option("--in", "delay", type=float, metavar="SECONDS", help="Run it after so long.")
@click.option("--at", metavar="TIME", help="Run it at an ISO 8601 time, UTC unless it says.")
@click.option("--key", help="A unique key: while it is held, no second job is added.")
@click.option("--wait", is_flag=True, help="Wait for the result, and print it.")
@click.option("--timeout", type=float, help="Seconds to wait at most.")
@click.option("--unchecked", is_flag=True, help="Also a task that this app does not have.")
@json_option
@app_options
def enqueue(
    task: str,
    words: tuple[str, ...],
    json_args: str | None,
    queue: str | None,
    priority: int | None,
    delay: float | None,
    at: str | None,
    key: str | None,
    wait: bool,
    timeout: float | None,
    unchecked: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Store a job of TASK, and print its id."""
    app = find_app(target, url, tasks=not unchecked)
    if not unchecked:
        _check_known(app, task)
    call = read_call(app, task, words, json_args)
    given = {"queue": queue, "priority": priority, "delay": delay, "at": _time(at), "key": key}
    options: dict[str, Any] = {name: v for name, v in given.items() if v is not None}
    job = app.using(**options).enqueue(task, *call.args, **call.kwargs)
    if not wait:
        if as_json:
            print_json(job_data(job))
        else:
            click.echo(job.id)
        return
    _follow(app, job, timeout)
    try:
        result = job.result(0)
    except JobFailedError:
        if is_run(job.refresh()):
            click.echo(f"See what went wrong: rotulus show {job.id}", err=True)
        raise
    click.echo(json.dumps(result, default=str, ensure_ascii=False))


def _check_known(app: App, task: str) -> None:
    try:
        app.registry.get(task)
    except TaskNotFoundError as error:
        raise TaskNotFoundError(f"{error}; --unchecked enqueues it all the same", task) from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write 2026-11-20T09:30", param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _follow(app: App, job: Job[Any], timeout: float | None) -> None:
    """Wait until a job has ended, or the time is over, showing what it reports."""
    end = time.monotonic() + (float("inf") if timeout is None else timeout)
    with Meter(f"{job.task} {job.id}") as meter:
        while not job.state.ended and time.monotonic() < end:
            meter.show(*reached(app, job))
            app.store.wait(job.id, min(_LOOK_EVERY, end - time.monotonic()))
            job = job.refresh()
