"""`rotulus demo`: a shop with two weeks of history, a worker, and the console, to look around."""

import logging
import shutil
import socket
import tempfile
import threading
import time
import webbrowser
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from rotulus import App, service
from rotulus._progress import Meter
from rotulus.cli.configured import configured
from rotulus.cli.logs import set_up_logging
from rotulus.demo.customers import Customers
from rotulus.demo.history import DAYS, make_history
from rotulus.demo.shop import open_shop
from rotulus.demo.world import UNWELL_FOR, World
from rotulus.errors import ConfigurationError

_FILE = "shop.db"
_HOST = "127.0.0.1"
_SLOTS = 6
_EVERY = 2.5
"""Seconds between two customers, on average."""

_FASTER = 4.0
"""How many times faster the shop works while somebody looks on."""


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="Of the page."
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@click.option("--seed", default=7, show_default=True, help="Another one makes another history.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the shop here, for the next time.",
)
def demo(port: int, opens: bool, seed: int, folder: Path | None) -> None:
    """Look around: a small shop, its last two weeks, and a worker that goes on, in the console.

    The history is made now: each of its jobs is run, by a clock that is set. It is gone after
    Ctrl-C, unless a folder is given; the shop that is there goes on from where it was.
    """
    set_up_logging("error", "auto", "folded")
    _check(port)
    with _place(folder) as place:
        file = place / _FILE
        if not file.exists():
            _make(place, file, seed)
        now = datetime.now(UTC)
        world = World(seed, lambda: datetime.now(UTC), _wait, now - UNWELL_FOR)
        with open_shop(_url(file), world) as app:
            _serve(app, Customers(app, world), port, opens=opens)


def _check(port: int) -> None:
    """Raise `ConfigurationError` for what would stop the service, before there is a history."""
    _ = service.ServiceBuilder  # which needs its extra
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen at {_HOST}, port {port}: {error}. Choose another one with --port"
            ) from None


@contextmanager
def _place(folder: Path | None) -> Generator[Path, None, None]:
    """The folder of the shop; one of our own is taken away at the end."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="rotulus-demo-") as made:
            yield Path(made)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be made: {error}. Give another one with --folder"
        ) from None
    yield folder.absolute()


def _make(place: Path, file: Path, seed: int) -> None:
    """Make the history beside its place, and put it there whole: Ctrl-C leaves no half of it."""
    with tempfile.TemporaryDirectory(dir=place, prefix="making-") as making:
        made = Path(making) / _FILE
        logger = logging.getLogger("rotulus")
        before, logger.level = logger.level, logging.CRITICAL + 1
        try:
            with Meter(f"The last {DAYS} days of the shop") as meter:
                make_history(_url(made), seed, datetime.now(UTC), show=meter.show)
        finally:
            logger.setLevel(before)
        shutil.move(made, file)


def _serve(app: App, customers: Customers, port: int, *, opens: bool) -> None:
    """Serve the shop until Ctrl-C, while customers come."""
    builder = service.ServiceBuilder(info=service.ServiceInfo(display_name="The shop"), app=app)
    builder = builder.with_landing_page().with_console().with_health().with_system()
    builder = builder.with_metrics().with_resources().with_tasks()
    application: Any = builder.with_worker(slots=_SLOTS, drain=3, name="shop-1").build()
    closed = threading.Event()
    coming = threading.Thread(target=_let_come, args=(customers, closed), daemon=True)

    def tell(url: str) -> None:
        coming.start()
        click.echo(f"The shop is open: {url}/console/", err=True)
        click.echo("Ctrl-C closes it.", err=True)
        if opens:
            webbrowser.open(f"{url}/console/")

    try:
        with configured():
            service.serve(application, _HOST, port, tell)
    finally:
        closed.set()
        if coming.is_alive():
            coming.join()


def _let_come(customers: Customers, closed: threading.Event) -> None:
    """Let customers come until the shop is closed."""
    while not closed.wait(customers.pause(_EVERY)):
        customers.come()


def _wait(seconds: float) -> None:
    time.sleep(seconds / _FASTER)


def _url(file: Path) -> str:
    return f"sqlite:///{file}?synchronous=normal"
