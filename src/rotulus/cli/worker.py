"""`rotulus worker`: runs jobs and schedules."""

import logging
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

import click

from rotulus import App
from rotulus._progress import Meter
from rotulus._text.words import many
from rotulus.cli.configured import settings_with
from rotulus.cli.hints import no_queue
from rotulus.cli.init import leave_init
from rotulus.cli.logs import name_jobs, set_up_logging
from rotulus.cli.output import ago
from rotulus.cli.target import app_argument, find_app, has_store, url_of
from rotulus.cli.values import Whole, seconds_like
from rotulus.config import FORMATS, LEVELS, TRACEBACKS, Setting
from rotulus.errors import StoreError
from rotulus.events import AttemptFailed, AttemptSucceeded, Event

logger = logging.getLogger("rotulus")

tracebacks_option = click.option(
    "--tracebacks", type=click.Choice(TRACEBACKS), help="Fold the frames of libraries, or not."
)


@click.command()
@app_argument
@click.option("--slots", type=Whole(1, 10_000, example=10), help="Jobs to run at once.")
@click.option("--queues", metavar="A,B", help="Only these queues, separated by commas.")
@click.option(
    "--lease", type=seconds_like(30), help="Seconds after which a worker that hangs is given up."
)
@click.option(
    "--drain", type=seconds_like(20), help="Seconds for running jobs to finish after a stop."
)
@click.option(
    "--processes", type=Whole(1, 10_000, example=4), help="Processes to run, each with its slots."
)
@click.option(
    "--recycle-jobs", type=Whole(1, example=1000), help="Replace a process after so many jobs."
)
@click.option(
    "--recycle-memory",
    type=Whole(1, example=500),
    metavar="MB",
    help="Replace a process that has grown so large.",
)
@click.option("--burst", is_flag=True, help="Stop as soon as nothing is due.")
@click.option("--name", help="A name that no other worker ever has.")
@click.option("--parent", type=int, hidden=True, help="Where the supervisor is heard.")
@click.option("--log", "level", type=click.Choice(LEVELS), help="The least level to log.")
@click.option("--log-format", type=click.Choice(FORMATS), help="Lines, JSON, or as it fits.")
@tracebacks_option
@click.option("-v", "--verbose", is_flag=True, help="Log each job: the same as --log debug.")
def worker(
    target: str | None,
    slots: int | None,
    queues: str | None,
    lease: float | None,
    drain: float | None,
    processes: int | None,
    recycle_jobs: int | None,
    recycle_memory: int | None,
    burst: bool,
    name: str | None,
    parent: int | None,
    level: str | None,
    log_format: str | None,
    tracebacks: str | None,
    verbose: bool,
) -> None:
    """Run jobs, fire schedules, and take back what dead workers held, until stopped.

    SIGTERM or Ctrl-C lets running jobs finish; a second one gives them back at once.
    """
    if parent is None:
        leave_init()
    level = "debug" if verbose else level
    per_process: dict[str, Any] = {"slots": slots, "queues": queues, "lease": lease, "drain": drain}
    per_process |= {"recycle_jobs": recycle_jobs, "recycle_memory": recycle_memory}
    per_process |= {"log": level, "log_format": log_format, "tracebacks": tracebacks}
    settings = settings_with(per_process | {"processes": processes, "app": target})
    set_up_logging(*(settings[name].value for name in ("log", "log_format", "tracebacks")))
    app = find_app(target, tasks=True, acting=False)
    name_jobs()
    if parent is None:
        _warn_of_queues(app, settings["queues"].value)
    if parent is None and needs_supervisor(settings):
        _greet(app)
        command = _command(target, per_process, burst=burst)
        app.supervise(
            command, processes=processes, lease=lease, drain=drain, burst=burst, name=name
        )
        return
    if parent is None:
        _greet(app)
    with _counted(app) if burst and parent is None else nullcontext():
        app.run_worker(
            queues=settings["queues"].value if queues else None,
            slots=slots,
            lease=lease,
            drain=drain,
            burst=burst,
            name=name,
            recycle_jobs=recycle_jobs,
            recycle_memory=recycle_memory,
            parent=parent,
        )


def _warn_of_queues(app: App, queues: Sequence[str] | None) -> None:
    """Warn of queues that nobody has ever used: they may be misspelt, or their jobs yet to come."""
    for queue in queues or () if has_store(app) else ():
        with suppress(StoreError):  # the worker itself waits until the store can be used
            hint = no_queue(app, queue)
            if hint is not None:
                logger.warning(hint)


def needs_supervisor(settings: Mapping[str, Setting]) -> bool:
    """Returns whether there is more to watch over than one process that runs to its end."""
    recycles = settings["recycle_jobs"].value or settings["recycle_memory"].value
    return settings["processes"].value > 1 or recycles is not None


def _command(target: str | None, per_process: Mapping[str, Any], *, burst: bool) -> list[str]:
    """This command, for one process of several."""
    words = [sys.executable, "-m", "rotulus", "worker", *([target] if target else [])]
    for name, value in per_process.items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return [*words, "--burst"] if burst else words


def _greet(app: App) -> None:
    """Say on a terminal what is going to run."""
    if not sys.stderr.isatty():
        return
    names = app.registry.list_all()
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    click.echo(f"{many(len(names), 'task')}: {shown}", err=True)
    now = datetime.now(UTC)
    for name, schedule in app.provider.schedule.items():
        for at in schedule.next(now):
            click.echo(f"schedule: {name} {schedule.explain()}, next {ago(at)}", err=True)
    click.echo(f"jobs: {url_of(app)}", err=True)


@contextmanager
def _counted(app: App) -> Generator[None, None, None]:
    """Show how many jobs have been run, of those that are due now."""
    queued = [found for found in app.store.backlog() if found.state == "queued"]
    due = sum(found.jobs for found in queued) if all(found.exact for found in queued) else None
    done = 0
    with Meter("running") as meter:

        def count(_event: Event) -> None:
            nonlocal done
            done += 1
            meter.show(done, None if due is None else max(due, done))

        stop = app.events.subscribe(count, AttemptSucceeded, AttemptFailed)
        try:
            yield
        finally:
            stop()
