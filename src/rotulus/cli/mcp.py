"""`rotulus mcp`: an assistant looks into an app, or a service, on stdin and stdout."""

import asyncio
import os

import click

from rotulus.cli.configured import settings_with
from rotulus.cli.target import app_argument, load_app, no_target
from rotulus.errors import OptionError
from rotulus.mcp import serve_app, serve_url


@click.command()
@app_argument
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="VERB",
    help="Also let it do this, such as retry_jobs; several times, or 'all'.",
)
@click.option("--service", metavar="URL", help="A service elsewhere, in place of an app.")
@click.option("--token", help="The token of that service; ROTULUS_TOKEN unless given.")
@click.option("--name", default="assistant", show_default=True, help="Its name in the audit.")
def mcp(
    target: str | None, allowed: tuple[str, ...], service: str | None, token: str | None, name: str
) -> None:
    """Let an assistant look into an app by the Model Context Protocol, on stdin and stdout.

    It can find jobs, say why they wait, and read failures, runs and statistics; secret values are
    masked. It changes nothing, unless --allow says what.
    """
    if service is not None:
        if target is not None:
            raise OptionError("Give an app or --service, and not both")
        secret = token if token is not None else os.environ.get("ROTULUS_TOKEN", "").strip()
        asyncio.run(serve_url(service, secret, allowed))
        return
    if token is not None:
        raise OptionError("--token is that of a service: give --service, too")
    app = settings_with({"app": target})["app"].value
    if app is None:
        raise no_target()
    asyncio.run(serve_app(load_app(app), allowed, name))
