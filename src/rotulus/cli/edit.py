"""`rotulus edit`: another priority, other arguments, or another moment for a job that waits."""

from collections.abc import Sequence
from typing import Any

import click

from rotulus import App, Job, State
from rotulus.cli.job_ids import find_job
from rotulus.cli.output import ago, json_option, moment_text, print_json
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, read_call, read_document, read_seconds, read_time


@click.command()
@click.argument("job_id", metavar="JOB")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--args", "document", metavar="OBJECT", help="All arguments as one JSON object.")
@click.option("--priority", type=Whole(-1_000_000, 1_000_000, example=5), help="Higher is sooner.")
@click.option("--in", "delay", metavar="SECONDS", help="Run it after so many seconds.")
@click.option("--at", metavar="TIME", help="Run it at an ISO 8601 time, UTC unless it says.")
@click.option("--version", metavar="VERSION", help="Only if it still is as 'show --json' told.")
@click.option("--unchecked", is_flag=True, help="Also arguments of a task that only workers have.")
@json_option
@app_options
def edit(
    job_id: str,
    words: tuple[str, ...],
    document: str | None,
    priority: int | None,
    delay: str | None,
    at: str | None,
    version: str | None,
    unchecked: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Change a job that waits: some of its arguments, its priority, or when it is due.

    NAME=VALUE changes one argument, and the others stay; --args takes the place of all of them.
    """
    app = find_store(target, url)
    job = find_job(app, job_id)
    changes: dict[str, Any] = {
        "priority": priority,
        "delay": read_seconds(delay),
        "at": read_time(at),
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    if words or document is not None:
        changes["arguments"] = _arguments(app, job, words, document)
    if not changes:
        raise click.UsageError(
            "Nothing to change: give NAME=VALUE, --args, --priority, --in or --at"
        )
    # The arguments that stay are those of the job as it was read here.
    seen = version or (job.version if words else None)
    edited = app.jobs.edit(job.id, version=seen, unchecked=unchecked, **changes)
    if as_json:
        print_json({**edited.to_dict(), "version": edited.version})
        return
    click.echo(f"{edited.id} of {edited.task} is edited, and {edited.state.words}.")
    if edited.state is State.DELAYED:
        click.echo(f"It is due {ago(edited.run_at)}, at {moment_text(edited.run_at)}.", err=True)


def _arguments(
    app: App, job: Job[Any], words: Sequence[str], document: str | None
) -> dict[str, Any]:
    """Returns all arguments of a job, with those that words give in their place."""
    if document is not None and words:
        raise click.UsageError("Give NAME=VALUE or --args, and not both: --args is all of them")
    if document is not None:
        return read_document(document, "--args")
    call = read_call(app, job.task, words, None)
    if call.args:
        raise click.UsageError(
            f"{call.args[0]!r} is no NAME=VALUE: each argument is changed by its name"
        )
    known = dict(job.arguments)
    return {**known, **known.pop("**", {}), **call.kwargs}
