"""`rotulus pause` and `resume`: hold up queues and runs, and let them go on."""

from collections.abc import Sequence
from contextlib import suppress

import click

from rotulus import App
from rotulus._text.names import did_you_mean
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
    _check_given("pause", [*queues, *runs])
    app = find_store(target, url)
    for run in _runs(app, "pause", runs):
        run.pause()
        click.echo(
            f"Paused run {run.id}. Running steps finish; 'rotulus resume --run {run.id}' lets it "
            f"go on."
        )
    if queues:
        app.pause(*queues)  # before anything is looked up, which may take long, or fail
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
    _check_given("resume", [*queues, *runs])
    app = find_store(target, url)
    for run in _runs(app, "resume", runs):
        run.resume()
        click.echo(f"Resumed run {run.id}.")
    if queues:
        paused = app.store.fleet().paused
        app.resume(*queues)
        resumed = [queue for queue in queues if queue in paused]
        if resumed:
            click.echo(f"Resumed {', '.join(resumed)}.")
        for queue in queues:
            if queue not in paused:
                _say_not_paused(queue, list(paused))


def _say_not_paused(queue: str, paused: Sequence[str]) -> None:
    hint = did_you_mean(queue, paused) or "."
    click.echo(f"Queue {queue!r} was not paused{hint} Paused queues: {listed(paused)}.", err=True)


def _check_given(verb: str, names: Sequence[str]) -> None:
    if not names:
        raise click.UsageError(
            f"What? Give a queue ('rotulus ls queues' lists them), or a run: "
            f"rotulus {verb} --run RUN"
        )


def _runs(app: App, verb: str, runs: Sequence[str]) -> list[Run]:
    """Returns the runs that are given, all of which have not ended."""
    found = [find_run(app, run) for run in runs]
    for job in found:
        if job.state.ended:
            raise click.ClickException(
                f"Run {job.id} has ended ({Run(app, job.id).status}): there is nothing to {verb}"
            )
    return [Run(app, job.id) for job in found]
