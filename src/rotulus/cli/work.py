"""`rotulus worker` and `rotulus dev`: run jobs and schedules."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click

from rotulus import App
from rotulus.cli.logs import set_up_logging
from rotulus.cli.output import ago, many
from rotulus.cli.progress import Meter
from rotulus.cli.reload import Reloader
from rotulus.cli.target import app_argument, find_app
from rotulus.config import FORMATS, LEVELS, load_settings
from rotulus.events import AttemptFailed, AttemptSucceeded, Event


@click.command()
@app_argument
@click.option("--slots", type=click.IntRange(1, 10_000), help="Jobs to run at once.")
@click.option("--queues", metavar="A,B", help="Only these queues, separated by commas.")
@click.option("--lease", type=float, help="Seconds after which a worker that hangs is given up.")
@click.option("--drain", type=float, help="Seconds for running jobs to finish after a stop.")
@click.option("--burst", is_flag=True, help="Stop as soon as nothing is due.")
@click.option("--name", help="A name that no other worker ever has.")
@click.option("--log", "level", type=click.Choice(LEVELS), help="The least level to log.")
@click.option("--log-format", type=click.Choice(FORMATS), help="Lines, JSON, or as it fits.")
@click.option("-v", "--verbose", is_flag=True, help="Log each job: the same as --log debug.")
def worker(
    target: str | None,
    slots: int | None,
    queues: str | None,
    lease: float | None,
    drain: float | None,
    burst: bool,
    name: str | None,
    level: str | None,
    log_format: str | None,
    verbose: bool,
) -> None:
    """Run jobs, fire schedules, and take back what dead workers held, until stopped.

    SIGTERM or Ctrl-C lets running jobs finish; a second one gives them back at once.
    """
    given = {"log": "debug" if verbose else level, "log_format": log_format, "queues": queues}
    settings = load_settings(given)
    set_up_logging(settings["log"].value, settings["log_format"].value)
    app = find_app(target, tasks=True)
    _greet(app)
    served = settings["queues"].value if queues else None
    with _counted(app) if burst else nullcontext():
        app.run_worker(queues=served, slots=slots, lease=lease, drain=drain, burst=burst, name=name)


@click.command()
@app_argument
@click.option("--slots", type=click.IntRange(1, 10_000), help="Jobs to run at once.")
def dev(target: str | None, slots: int | None) -> None:
    """Run a worker and the schedules, and start them again when a source file changes."""
    target = target or load_settings()["app"].value
    if target is None:
        raise click.UsageError("Which app? Give it as module:app, such as: rotulus dev hello:app")
    command = [sys.executable, "-m", "rotulus", "worker", target, "--verbose", "--drain", "5"]
    if slots is not None:
        command += ["--slots", str(slots)]
    click.echo(f"Watching {Path.cwd()}; Ctrl-C stops.", err=True)
    sys.exit(Reloader(command, Path.cwd()).run())


def _greet(app: App) -> None:
    """Say what is going to run, to somebody who looks on."""
    if not sys.stderr.isatty():
        return
    names = app.registry.list_all()
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    click.echo(f"{many(len(names), 'task')}: {shown}", err=True)
    now = datetime.now(UTC)
    for name, schedule in app.provider.schedule.items():
        at = schedule.next(now)[0]
        click.echo(f"schedule: {name} {schedule.explain()}, next {ago(at)}", err=True)
    click.echo(f"jobs: {app.store.url}", err=True)


@contextmanager
def _counted(app: App) -> Generator[None, None, None]:
    """Show how many jobs have been run, of those that are due now."""
    due = sum(count.jobs for count in app.store.count() if count.state == "queued")
    done = 0
    with Meter("running") as meter:

        def count(_event: Event) -> None:
            nonlocal done
            done += 1
            meter.show(done, max(due, done))

        stop = app.events.subscribe(count, AttemptSucceeded, AttemptFailed)
        try:
            yield
        finally:
            stop()
