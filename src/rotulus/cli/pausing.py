"""`rotulus pause` and `resume`: hold up queues and runs, and let them go on."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from rotulus import App
from rotulus._text.names import check_queue_name, did_you_mean
from rotulus.cli.hints import listed, no_queue
from rotulus.cli.job_ids import find_run
from rotulus.cli.target import app_options, find_store
from rotulus.errors import StoreError
from rotulus.workflow import Run


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
    _check_given("pause", queues, runs)
    app = find_store(target, url)
    found = _runs(app, "pause", runs)
    _pause(app.runs.pause, found)
    _pause(app.queues.pause, queues)  # before looking up queues, which may be slow
    for run in found:
        click.echo(
            f"Paused run {run}. Running steps finish; 'rotulus resume --run {run}' lets it go on."
        )
    if queues:
        click.echo(
            f"Paused {', '.join(queues)}. Running jobs finish; 'rotulus resume "
            f"{' '.join(queues)}' lets further ones start."
        )
        with suppress(StoreError):
            for hint in filter(None, (no_queue(app, queue) for queue in queues)):
                click.echo(hint, err=True)


@click.command()
@click.argument("queues", nargs=-1, metavar="[QUEUE]...")
@click.option("--run", "runs", multiple=True, help="A run of a workflow, instead of a queue.")
@app_options
def resume(
    queues: tuple[str, ...], runs: tuple[str, ...], target: str | None, url: str | None
) -> None:
    """Claim jobs of these queues again, or go on with these runs."""
    _check_given("resume", queues, runs)
    app = find_store(target, url)
    found = _runs(app, "resume", runs)
    paused = app.store.fleet().paused
    _pause(app.runs.resume, found)
    _pause(app.queues.resume, queues)
    for run in found:
        click.echo(f"Resumed run {run}.")
    if queues:
        resumed = [queue for queue in queues if queue in paused]
        if resumed:
            click.echo(f"Resumed {', '.join(resumed)}.")
        for queue in queues:
            if queue not in paused:
                _say_not_paused(queue, list(paused))


def _pause(verb: Callable[..., None], names: Sequence[str]) -> None:
    if names:
        verb(*names)


def _say_not_paused(queue: str, paused: Sequence[str]) -> None:
    hint = did_you_mean(queue, paused) or "."
    click.echo(f"Queue {queue!r} was not paused{hint} Paused queues: {listed(paused)}.", err=True)


def _check_given(verb: str, queues: Sequence[str], runs: Sequence[str]) -> None:
    for queue in queues:
        check_queue_name(queue)
    if not queues and not runs:
        raise click.UsageError(
            f"What? Give a queue ('rotulus ls queues' lists them), or a run: "
            f"rotulus {verb} --run RUN"
        )


def _runs(app: App, verb: str, runs: Sequence[str]) -> list[str]:
    """Returns the ids of the runs that are given, all of which have not ended."""
    found = [find_run(app, run) for run in runs]
    for job in found:
        if job.state.ended:
            raise click.ClickException(
                f"Run {job.id} has ended ({Run(app, job.id).status}): there is nothing to {verb}"
            )
    return [job.id for job in found]
