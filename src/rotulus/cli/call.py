"""`rotulus run` and `rotulus enqueue`: call a task, here and now or by a worker."""

import json
from typing import Any

import click

from rotulus import App, State
from rotulus.cli.hints import listed
from rotulus.cli.output import json_option, print_json
from rotulus.cli.run_here import run_here
from rotulus.cli.target import app_options, find_app
from rotulus.cli.times import ago, moment_text
from rotulus.cli.values import Whole, read_call, read_seconds, read_time, seconds_like
from rotulus.cli.waiting import wait_for
from rotulus.errors import TaskNotFoundError


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
        _check_known(app, task, "--unchecked enqueues it all the same")
    call = read_call(app, task, words, json_args)
    chosen = {"queue": queue, "priority": priority, "key": key}
    chosen |= {"delay": read_seconds(delay), "at": read_time(at)}
    options: dict[str, Any] = {name: v for name, v in chosen.items() if v is not None}
    job = app.using(unchecked=unchecked, **options).enqueue(task, *call.args, **call.kwargs)
    if job.state is State.DELAYED and (delay or at):
        click.echo(f"{job.id} is due {ago(job.run_at)}, at {moment_text(job.run_at)}.", err=True)
    if wait:
        result = wait_for(app, job, timeout)
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
