"""`rotulus dev`: a worker, and a server beside it, that start again when a source file changes."""

import sys
from importlib.util import find_spec
from pathlib import Path

import click

from rotulus.cli.configured import settings_with
from rotulus.cli.init import leave_init
from rotulus.cli.push import emulated
from rotulus.cli.reload import Reloader
from rotulus.cli.target import app_argument, no_target
from rotulus.cli.values import Whole
from rotulus.cli.worker import tracebacks_option
from rotulus.errors import OptionError


@click.command()
@app_argument
@click.option("--slots", type=Whole(1, 10_000, example=10), help="Jobs to run at once.")
@tracebacks_option
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, help="Of the server.")
@click.option("--serve/--no-serve", default=True, help="Serve the app over HTTP, or not.")
@click.option("--open", "opens", is_flag=True, help="Open the console in a browser.")
@click.option("--push", is_flag=True, help="Let an emulated Pub/Sub push, instead of a worker.")
@click.option("--migrate", is_flag=True, help="Make or update the tables, if that is needed.")
@click.pass_context
def dev(
    ctx: click.Context,
    target: str | None,
    slots: int | None,
    tracebacks: str | None,
    port: int,
    serve: bool,
    opens: bool,
    push: bool,
    migrate: bool,
) -> None:
    """Run a worker and the schedules, and start them again when a source file changes.

    The app is served over HTTP beside it, to this machine, if 'rotulus[service]' is installed.

    Problems that a restart does not mend are waited out: a wrong import, a store that cannot be
    reached, tables that are not there.
    """
    leave_init()
    target = settings_with({"app": target})["app"].value
    if target is None:
        raise no_target()
    rotulus = [sys.executable, "-m", "rotulus"]
    migration = [*rotulus, "migrate", "--app", target]
    first = ["--open"] if opens else []
    if push:
        with emulated(port) as there:
            click.echo(f"Watching {Path.cwd()}; Ctrl-C stops.", err=True)
            command = [*rotulus, "serve", target, "--port", str(there), "--push"]
            sys.exit(Reloader(command, Path.cwd(), migration, migrate=migrate, first=first).run())
    command = [*rotulus, "worker", target, "--verbose", "--drain", "5", "--processes", "1"]
    if slots is not None:
        command += ["--slots", str(slots)]
    if tracebacks is not None:
        command += ["--tracebacks", tracebacks]
    if ctx.meta.get("rotulus.traceback"):
        command.append("--traceback")
    click.echo(f"Watching {Path.cwd()}; Ctrl-C stops.", err=True)
    served = serve and find_spec("uvicorn") and find_spec("fastapi")
    if opens and not served:
        raise OptionError(
            "--open opens the console, which is served: without --no-serve, and with "
            "pip install 'rotulus[service]'"
        )
    beside = [*rotulus, "serve", target, "--port", str(port)] if served else []
    kept = Reloader(command, Path.cwd(), migration, migrate=migrate, beside=beside, first=first)
    sys.exit(kept.run())
