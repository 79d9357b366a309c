"""`rotulus retry`, `cancel`, `pause` and `resume`: what an operator does."""

from collections.abc import Sequence
from typing import Any

import click

from rotulus import App, Job, State
from rotulus.cli.output import json_option, print_json
from rotulus.cli.progress import Meter
from rotulus.cli.runs import count_live, find_run, is_run
from rotulus.cli.target import app_options, find_app
from rotulus.cli.words import many
from rotulus.errors import JobNotFoundError
from rotulus.workflow import Run

_AT_ONCE = 500
_SHOWN = 20
"""Of how many jobs more than their number is told."""

_RETRYABLE = (State.FAILED, State.DEAD, State.CANCELLED)
_WAITING = (State.BLOCKED, State.DELAYED, State.QUEUED, State.RUNNING)


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
    app = find_app(target, url)
    if not ids:
        states = [State(state)] if state else [State.FAILED, State.DEAD]
        ids = _chosen(app, "retry", states, task if task or state else "", yes=yes)
    else:
        _check_exist(app, ids)
    back: list[Job[Any]] = []
    with Meter("retrying") as meter:
        for start in range(0, len(ids), _AT_ONCE):
            back += app.retry(*ids[start : start + _AT_ONCE])
            meter.show(len(back), len(ids))
    parts = {job.id: count_live(app, job) for job in back if is_run(job)}
    if as_json:
        print_json({"retried": [job.id for job in back], "parts": parts})
        return
    click.echo(f"{len(back)} sent back to their queues.")
    for run, count in list(parts.items())[:_SHOWN]:
        click.echo(f"{run} goes on: {many(count, 'part')} of it to run.")
    for job in _left(app, ids, back):
        click.echo(f"{job.id} is {job.state}: it stays as it is.", err=True)


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
    app = find_app(target, url)
    if not ids:
        ids = _chosen(app, "cancel", _WAITING, task if task or queue else "", queue, yes=yes)
    else:
        _check_exist(app, ids)
    jobs: list[Job[Any]] = []
    parts = _live_parts(app, ids)
    with Meter("cancelling") as meter:
        for start in range(0, len(ids), _AT_ONCE):
            jobs += app.cancel(*ids[start : start + _AT_ONCE])
            meter.show(len(jobs), len(ids))
    if as_json:
        print_json(
            [
                {
                    "id": job.id,
                    "state": job.state,
                    "cancelling": job.cancel_requested,
                    "parts": parts.get(job.id, 0),
                }
                for job in jobs
            ]
        )
        return
    for job in jobs if len(jobs) <= _SHOWN else ():
        click.echo(f"{job.id} {_how_cancelled(app, job, parts.get(job.id, 0))}")
    if len(jobs) > _SHOWN:
        click.echo(f"{len(jobs)} cancelled or asked to stop.")


@click.command()
@click.argument("queues", nargs=-1, metavar="[QUEUE]...")
@click.option("--run", "runs", multiple=True, help="A run of a workflow, instead of a queue.")
@app_options
def pause(
    queues: tuple[str, ...], runs: tuple[str, ...], target: str | None, url: str | None
) -> None:
    """Claim no more jobs of these queues, in any worker, until they are resumed.

    Of a run: begin no further step.
    """
    app = find_app(target, url)
    for run in _runs(app, "pause", queues, runs):
        run.pause()
        click.echo(
            f"Paused run {run.id}. Steps that run finish; rotulus resume --run {run.id} goes on."
        )
    if queues:
        app.pause(*queues)
        click.echo(f"Paused {', '.join(queues)}. Jobs that run finish; rotulus resume goes on.")


@click.command()
@click.argument("queues", nargs=-1, metavar="[QUEUE]...")
@click.option("--run", "runs", multiple=True, help="A run of a workflow, instead of a queue.")
@app_options
def resume(
    queues: tuple[str, ...], runs: tuple[str, ...], target: str | None, url: str | None
) -> None:
    """Claim jobs of these queues again, or go on with these runs."""
    app = find_app(target, url)
    for run in _runs(app, "resume", queues, runs):
        run.resume()
        click.echo(f"Resumed run {run.id}.")
    if queues:
        app.resume(*queues)
        click.echo(f"Resumed {', '.join(queues)}.")


def _runs(app: App, verb: str, queues: Sequence[str], runs: Sequence[str]) -> list[Run]:
    """The runs that are given, all of which have not ended."""
    if not queues and not runs:
        raise click.UsageError(f"What? Give a queue, or a run: rotulus {verb} --run RUN")
    found = [find_run(app, run) for run in runs]
    for job in found:
        if job.state.ended:
            raise click.ClickException(
                f"Run {job.id} has ended, it is {Run(app, job.id).status}: there is nothing to "
                f"{verb}"
            )
    return [Run(app, job.id) for job in found]


def _live_parts(app: App, ids: Sequence[str]) -> dict[str, int]:
    """How many parts have not ended, of the runs among some jobs; of few jobs only."""
    if len(ids) > _SHOWN:
        return {}
    runs = [job for job in map(app.get, ids) if is_run(job)]
    return {job.id: count_live(app, job) for job in runs}


def _how_cancelled(app: App, job: Job[Any], parts: int) -> str:
    """What became of a job, and of the parts it had that had not ended."""
    how = "is asked to stop" if job.cancel_requested else f"is {job.state}"
    if not parts:
        return how
    left = count_live(app, job)
    runs_on = f"; {left} of them run, and are asked to stop" if left else ""
    return f"{how}, with {many(parts, 'part')}{runs_on}"


def _chosen(
    app: App,
    verb: str,
    states: Sequence[State],
    task: str | None,
    queue: str | None = None,
    *,
    yes: bool,
) -> tuple[str, ...]:
    """The jobs that options choose, once somebody has agreed."""
    if task == "":
        raise click.UsageError(f"Which jobs? Give their ids, or choose them: rotulus {verb} --help")
    ids: list[str] = []
    before: str | None = None
    while page := app.jobs(state=states, task=task, queue=queue, limit=_AT_ONCE, before=before):
        ids += [job.id for job in page]
        before = ids[-1]
    if ids and not yes:
        click.confirm(f"{verb} {len(ids)} jobs?", abort=True, err=True)
    return tuple(ids)


def _check_exist(app: App, ids: Sequence[str]) -> None:
    for job_id in ids:
        if app.store.get(job_id) is None:
            raise JobNotFoundError(f"No job {job_id} in {app.store.url}; nothing was done")


def _left(app: App, ids: Sequence[str], done: Sequence[Job[Any]]) -> list[Job[Any]]:
    """The jobs that were not changed, as they stand; a few of them."""
    changed = {job.id for job in done}
    return [app.get(job_id) for job_id in ids if job_id not in changed][:_SHOWN]
