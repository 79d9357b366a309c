"""`rotulus retry` and `cancel`: the actions of an operator on jobs."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from rotulus import App, Job, State
from rotulus._progress import Meter
from rotulus._text.words import many
from rotulus.cli.hints import no_queue, no_task
from rotulus.cli.job_ids import count_live, find_job
from rotulus.cli.output import json_option, print_json
from rotulus.cli.streams import ask
from rotulus.cli.target import app_options, find_store
from rotulus.errors import JobNotFoundError

_AT_ONCE = 500
_SHOWN = 20
"""Of how many jobs more than their number is told."""

_RETRYABLE = (State.FAILED, State.DEAD, State.CANCELLED)


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB]...")
@click.option("--state", type=click.Choice([str(s) for s in _RETRYABLE]), help="All in this state.")
@click.option("--task", help="All failed and dead jobs of this task.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@app_options
def retry(
    ids: tuple[str, ...],
    state: str | None,
    task: str | None,
    yes: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Send jobs that failed, died or were cancelled back to their queues.

    Of a run of a workflow: what went wrong, and whatever came after that, runs again.
    """
    _check_chosen("retry", [*ids, state, task])
    app = find_store(target, url)
    chosen = _known(app, ids)
    if not chosen:
        states = [State(state)] if state else [State.FAILED, State.DEAD]
        chosen = _agreed("retry", app.jobs.retry(state=states, task=task, dry_run=True), yes=yes)
    back: list[Job[Any]] = []
    with Meter("retrying") as meter:
        for start in range(0, len(chosen), _AT_ONCE):
            back += app.retry(*chosen[start : start + _AT_ONCE])
            meter.show(len(back), len(chosen))
    parts = {job.id: count_live(app, job) for job in back if job.is_run}
    if as_json:
        print_json({"retried": [job.id for job in back], "parts": parts})
        return
    where = "its queue" if len(back) == 1 else "their queues"
    click.echo(f"{len(back)} sent back to {where}.")
    for run, count in list(parts.items())[:_SHOWN]:
        click.echo(f"{run} goes on: {many(count, 'part')} of it to run.")
    for job in _left(app, chosen, back):
        click.echo(f"{job.id} {_why_left(job)}", err=True)
    _say_nothing_found(app, chosen, "failed, died or was cancelled", task, None)


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB]...")
@click.option("--task", help="All waiting and running jobs of this task.")
@click.option("--queue", help="All waiting and running jobs of this queue.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@app_options
def cancel(
    ids: tuple[str, ...],
    task: str | None,
    queue: str | None,
    yes: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Cancel jobs: those that wait at once; those that run are asked to stop.

    A run of a workflow is cancelled with all of its parts.
    """
    _check_chosen("cancel", [*ids, task, queue])
    app = find_store(target, url)
    chosen = _known(app, ids)
    if not chosen:
        chosen = _agreed("cancel", app.jobs.cancel(task=task, queue=queue, dry_run=True), yes=yes)
    jobs: list[Job[Any]] = []
    parts = _live_parts(app, chosen)
    with Meter("cancelling") as meter:
        for start in range(0, len(chosen), _AT_ONCE):
            jobs += app.cancel(*chosen[start : start + _AT_ONCE])
            meter.show(len(jobs), len(chosen))
    if as_json:
        print_json([_cancelled_data(job, parts.get(job.id, 0)) for job in jobs])
        return
    for job in jobs if len(jobs) <= _SHOWN else ():
        click.echo(f"{job.id} {_how_cancelled(app, job, parts.get(job.id, 0))}")
    if len(jobs) > _SHOWN:
        click.echo(f"{many(len(jobs), 'job')} cancelled or asked to stop.")
    _say_nothing_found(app, chosen, "waits or runs", task, queue)


def _cancelled_data(job: Job[Any], parts: int) -> dict[str, Any]:
    cancelling = job.cancel_requested
    return {"id": job.id, "state": job.state, "cancelling": cancelling, "parts": parts}


def _live_parts(app: App, ids: Sequence[str]) -> dict[str, int]:
    """Returns how many parts have not ended, of the runs among some jobs; of few jobs only."""
    if len(ids) > _SHOWN:
        return {}
    runs = [job for job in map(app.get, ids) if job.is_run]
    return {job.id: count_live(app, job) for job in runs}


def _how_cancelled(app: App, job: Job[Any], parts: int) -> str:
    """Returns the outcome for a job, and for its parts that had not ended."""
    if job.state.ended and job.state is not State.CANCELLED:
        return f"{job.state.words}: there is nothing to cancel"
    how = "is asked to stop" if job.cancel_requested else "is cancelled"
    if not parts:
        return how
    left = count_live(app, job)
    runs_on = f"; {left} of them run, and are asked to stop" if left else ""
    return f"{how}, with {many(parts, 'part')}{runs_on}"


def _agreed(verb: str, jobs: Sequence[Job[Any]], *, yes: bool) -> tuple[str, ...]:
    """Returns the ids of the jobs that options choose, once somebody has agreed."""
    if jobs and not yes:
        _ask(f"{verb} {many(len(jobs), 'job')}?")
    return tuple(job.id for job in jobs)


def _check_chosen(verb: str, choices: Sequence[str | None]) -> None:
    if not any(choices):
        raise click.UsageError(f"Which jobs? Give their ids, or choose them: rotulus {verb} --help")


def _ask(question: str) -> None:
    """Go on if somebody agrees; else end the program."""
    agreed = ask(question)
    if agreed is None:
        raise click.UsageError("Nobody answered, so nothing was done; --yes does not ask")
    if not agreed:
        click.echo("Nothing was done.", err=True)
        sys.exit(1)


def _known(app: App, words: Sequence[str]) -> tuple[str, ...]:
    """Returns the ids that words stand for, all of which are there."""
    try:
        return tuple(dict.fromkeys(find_job(app, word).id for word in words))
    except JobNotFoundError as error:
        raise JobNotFoundError(f"{error}; nothing was done") from None


def _left(app: App, ids: Sequence[str], done: Sequence[Job[Any]]) -> list[Job[Any]]:
    """Returns the jobs that were not changed, as they stand; a few of them."""
    changed = {job.id for job in done}
    left: list[Job[Any]] = []
    for job_id in [one for one in ids if one not in changed][:_SHOWN]:
        with suppress(JobNotFoundError):  # it has been pruned meanwhile
            left.append(app.get(job_id))
    return left


def _why_left(job: Job[Any]) -> str:
    """Returns why a job was not sent back."""
    if job.state not in _RETRYABLE:
        return f"{job.state.words}: it stays as it is"
    return f"{job.state.words}, and stays so. {job.why()[-1]}"


def _say_nothing_found(
    app: App, chosen: Sequence[str], what: str, task: str | None, queue: str | None
) -> None:
    """Say that options chose no job, and what there is in place of a name that is not known."""
    if chosen:
        return
    which = f" of task {task!r}" * bool(task) + f" in queue {queue!r}" * bool(queue)
    click.echo(f"No job{which} {what}: nothing was done.", err=True)
    for hint in filter(None, (no_task(app, task), no_queue(app, queue))):
        click.echo(hint, err=True)
