"""`rotulus retry`, `cancel`, `pause` and `resume`: what an operator does."""

from collections.abc import Sequence
from typing import Any

import click

from rotulus import App, Job, State
from rotulus.cli.output import json_option, print_json
from rotulus.cli.progress import Meter
from rotulus.cli.target import app_options, find_app
from rotulus.errors import JobNotFoundError

_AT_ONCE = 500
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
    """Send jobs that failed, died or were cancelled back to their queues."""
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
    if as_json:
        print_json({"retried": [job.id for job in back]})
        return
    click.echo(f"{len(back)} sent back to their queues.")
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
    """Cancel jobs: those that wait at once; those that run are asked to stop."""
    app = find_app(target, url)
    if not ids:
        ids = _chosen(app, "cancel", _WAITING, task if task or queue else "", queue, yes=yes)
    else:
        _check_exist(app, ids)
    jobs: list[Job[Any]] = []
    with Meter("cancelling") as meter:
        for start in range(0, len(ids), _AT_ONCE):
            jobs += app.cancel(*ids[start : start + _AT_ONCE])
            meter.show(len(jobs), len(ids))
    if as_json:
        print_json(
            [{"id": job.id, "state": job.state, "cancelling": job.cancel_requested} for job in jobs]
        )
        return
    for job in jobs if len(jobs) <= 20 else ():
        click.echo(f"{job.id} {'is asked to stop' if job.cancel_requested else f'is {job.state}'}")
    if len(jobs) > 20:
        click.echo(f"{len(jobs)} cancelled or asked to stop.")


@click.command()
@click.argument("queues", nargs=-1, required=True, metavar="QUEUE...")
@app_options
def pause(queues: tuple[str, ...], target: str | None, url: str | None) -> None:
    """Claim no more jobs of these queues, in any worker, until they are resumed."""
    find_app(target, url).pause(*queues)
    click.echo(f"Paused {', '.join(queues)}. Jobs that run finish; rotulus resume goes on.")


@click.command()
@click.argument("queues", nargs=-1, required=True, metavar="QUEUE...")
@app_options
def resume(queues: tuple[str, ...], target: str | None, url: str | None) -> None:
    """Claim jobs of these queues again."""
    find_app(target, url).resume(*queues)
    click.echo(f"Resumed {', '.join(queues)}.")


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
    return [app.get(job_id) for job_id in ids if job_id not in changed][:20]
