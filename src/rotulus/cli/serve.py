"""`rotulus serve`: the service of an app, or an application of one's own, on a port."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import Any

import click

from rotulus import App, service
from rotulus.cli.configured import configured, leave_service, settings_with
from rotulus.cli.importing import load_module
from rotulus.cli.init import leave_init
from rotulus.cli.logs import name_jobs, set_up_logging
from rotulus.cli.push import take_pushes
from rotulus.cli.reload import Reloader
from rotulus.cli.target import app_argument, load_app, no_target
from rotulus.errors import OptionError


@click.command()
@app_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="Its port."
)
@click.option("--root-path", default="", metavar="PATH", help="Below which a proxy has it.")
@click.option("--token", help="What clients have to know.")
@click.option("--open", "opens", is_flag=True, help="Open the console in a browser.")
@click.option("--worker", is_flag=True, help="Run a worker in the same process.")
@click.option("--push", is_flag=True, help="Answer the pushes of Google Pub/Sub, too.")
@click.option("--reload", is_flag=True, help="Start again when a source file changes.")
def serve(
    target: str | None,
    host: str,
    port: int,
    root_path: str,
    token: str | None,
    opens: bool,
    worker: bool,
    push: bool,
    reload: bool,
) -> None:
    """Serve an app over HTTP: tasks, jobs, artifacts, health and metrics; or an application.

    MODULE:APP is an App, or an ASGI application of your own. Without a token or auth, only this
    machine is served.
    """
    leave_init()
    settings = settings_with({"app": target, "token": token})
    if token is not None:
        os.environ["ROTULUS_TOKEN"] = token  # where all look for it, also after a reload
    if reload:
        sys.exit(Reloader(_command(), Path.cwd(), first=["--open"] if opens else ()).run())
    if settings["app"].value is None:
        raise no_target()
    set_up_logging(*(settings[name].value for name in ("log", "log_format", "tracebacks")))
    name_jobs()
    found = _load(settings["app"].value)
    is_app = isinstance(found, App)
    if isinstance(found, App):
        with configured():
            found = _service_of(found, worker=worker, push=push)
    elif push:
        raise OptionError(
            "--push is for an App: in an application of yours, write "
            "app.include_router(make_push_router(PushHandler(app, routes)))"
        )
    elif worker:
        raise OptionError(
            "--worker is for an App: in an application of yours, write "
            "FastAPI(lifespan=app.lifespan(worker=True))"
        )
    with configured():
        service.serve(
            found,
            host,
            port,
            lambda url: _tell(url, console=is_app, opens=opens),
            root_path=root_path,
        )


def _tell(url: str, *, console: bool, opens: bool) -> None:
    click.echo(f"Serving {url}", err=True)
    if console:
        click.echo(f"Console {url}/console/", err=True)
    if opens:
        webbrowser.open(f"{url}/console/" if console else url)


def _service_of(app: App, *, worker: bool, push: bool) -> Any:
    """Returns the service of an app. What is wrong with the app is said before a server starts."""
    app.check()
    application = service.service_of(app, worker=worker)
    if push:
        take_pushes(app, application)
    return application


def _command() -> list[str]:
    """This command, without what makes it start again, and without the token."""
    words = [
        word
        for word in sys.argv[1:]
        if word not in {"--reload", "--open"} and not word.startswith("--token=")
    ]
    if "--token" in words:
        at = words.index("--token")
        del words[at : at + 2]
    return [sys.executable, "-m", "rotulus", *words]


def _load(target: str) -> Any:
    """Returns the App or application of `module:name`."""
    left = leave_service()
    place, _, name = target.partition(":")
    if name:
        found: Any = load_module(place)
        for part in name.split("."):
            found = getattr(found, part, None)
        if callable(found) and not isinstance(found, App):
            return found
    return load_app(target, left)
