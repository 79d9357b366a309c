"""Finds the app that a command works on, from `module:app`, a file, or the settings."""

import getpass
import os
import socket
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import click

from rotulus import App, TaskRegistry, pubsub
from rotulus._lazy import extra_for
from rotulus._text.names import did_you_mean
from rotulus.cli.configured import (
    URL_SETTING,
    leave_service,
    refuse_address,
    service_address,
    settings_with,
)
from rotulus.cli.importing import load_module
from rotulus.errors import ConfigurationError, StoreUnavailableError

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST_NAME = 200


def traceback_option(command: F) -> F:
    """`--traceback`: errors are shown with where they come from."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta["rotulus.traceback"] = True

    return click.option(
        "--traceback",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show the whole traceback of an error.",
    )(command)


def app_options(command: F) -> F:
    """`--app` and `--url`, for commands that look at jobs."""
    url = click.option(
        "--url", help="Where the jobs live, instead of where the app says; or https://, a service."
    )
    target = click.option("--app", "target", metavar="MODULE:APP", help="The app.")
    return url(target(traceback_option(command)))


def app_argument(command: F) -> F:
    """The app as an argument, for commands that run one."""
    argument = click.argument("target", metavar="[MODULE:APP]", required=False)
    return argument(traceback_option(command))


def find_app(
    target: str | None,
    url: str | None = None,
    *,
    tasks: bool = False,
    acting: bool = True,
    served: bool = False,
) -> App:
    """Returns the app to work on, on behalf of who calls the program.

    Args:
        target: what was given; else `ROTULUS_APP`, else `[tool.rotulus]`.
        url: a store to look at without an app.
        tasks: whether the command needs the app's tasks.
        acting: whether the caller of the program is the one who acts, for the audit. Workers
            run jobs of everybody.
        served: whether the command works on the app of a service, too, which is elsewhere: with
            its nouns, and without its store and its code.

    Raises:
        ConfigurationError: there is none, it cannot be imported, or it has no tasks.
        UsageError: it is that of a service, and the command does not work there.
    """
    address = service_address(url) if served and (url or target is None) else None
    if address is not None:
        return _served_app(address)
    app = _find_app(target, url, tasks=tasks)
    context = click.get_current_context(silent=True)
    if acting and context is not None:
        context.with_resource(app.acting_as(_caller(), door="cli"))
    return app


def _served_app(address: str) -> App:
    """Returns the app of a service, for the bearer of the token in `ROTULUS_TOKEN`.

    It is no `App`, and has what commands ask of one; what it has not, no such command uses.
    """
    with extra_for("--url with the address of a service", {"httpx2": "client"}):
        served = import_module("rotulus.client.served.app").ServedApp
    app = served(address, os.environ.get("ROTULUS_TOKEN", "").strip())
    click.get_current_context().call_on_close(app.close)
    return cast("App", app)


def _caller() -> str:
    """Returns who calls the program: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # one without a name, as in some containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    name = f"{user}@{socket.gethostname()}"
    return "".join(c if c.isprintable() else "?" for c in name)[:_LONGEST_NAME]


def _find_app(target: str | None, url: str | None, *, tasks: bool) -> App:
    if url is not None:
        return bare_app(url)
    target = settings_with({"app": target})["app"].value
    if target is None:
        if tasks:
            raise no_target()
        return bare_app()
    app = load_app(target)
    if tasks and not len(app.registry):
        raise ConfigurationError(
            f"{target} has no tasks: import the modules that declare them where the app is made"
        )
    return app


def bare_app(url: str | None = None) -> App:
    """Returns an app without tasks, to look at a store; another one may be open beside it.

    Raises:
        OptionError: the URL is not allowed.
        ConfigurationError: a setting is not, such as the URL in a variable.
    """
    if url is not None and service_address(None) is not None:
        leave_service()  # the option takes its place, wherever it is read
    settings_with({"url": url})
    return App(url, registry=TaskRegistry())


def find_store(target: str | None, url: str | None = None) -> App:
    """Returns the app to work on, for commands that only read what is stored, or change it.

    They work on the app of a service, too.

    Raises:
        ConfigurationError: there is none, or it cannot be imported.
        StoreUnavailableError: its file is not there: a command that reads makes none.
    """
    app = find_app(target, url, served=True)
    file = _file_of(app)
    if file is not None and not file.exists() and file.parent.is_dir():
        raise StoreUnavailableError(
            f"There is no database {file}: the first 'rotulus enqueue' or 'rotulus worker' makes "
            f"it, and so does 'rotulus migrate'. If the jobs are elsewhere, give --app or --url"
        )
    return app


def url_of(app: App) -> str:
    """Where an app's jobs live, without a password. Nothing is opened."""
    return app.settings["url"].value


def has_store(app: App) -> bool:
    """Whether there is a file where an app's jobs live, if that is one. Nothing is opened."""
    file = _file_of(app)
    return file is None or file.exists()


def _file_of(app: App) -> Path | None:
    """Returns the file that an app's jobs live in, if they live in one."""
    scheme, _, rest = url_of(app).partition("://")
    path = rest.partition("?")[0].removeprefix("/")
    return Path(path) if scheme == "sqlite" and path else None


def no_target() -> ConfigurationError:
    """Returns the error of a command that needs an app, and was given none."""
    return ConfigurationError(
        'Which app? Give it as module:app, in ROTULUS_APP, or as app = "module:app" '
        "under [tool.rotulus] in pyproject.toml"
    )


def load_app(target: str, left: str | None = None) -> App:
    """Import the app of `module:app`, `module`, `file.py` or `file.py:app`.

    Args:
        target: where it is.
        left: the address of a service that was in the variable `ROTULUS_URL`, if it was taken away
            before; else it is taken away now.

    Raises:
        ConfigurationError: there is no such app.
        UsageError: the app takes its URL from that variable, and there is the address of a service.
    """
    left = leave_service() or left
    app = _imported(target)
    if left is not None and app.settings["url"].origin == "default":
        refuse_address(left, URL_SETTING)
    return app


def _imported(target: str) -> App:
    place, _, name = target.partition(":")
    module = load_module(place)
    if not name:
        return _only_app(module, place)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, App):
        return found
    what = "no App" if found is None else f"a {type(found).__name__}, not an App,"
    known = _apps(module)
    raise ConfigurationError(
        f"{place} has {what} named {name!r}{did_you_mean(name, known)}; its apps: "
        f"{', '.join(known) or 'none'}"
    )


def carrier_of(app: App) -> "pubsub.PubSubCarrier":
    """The carrier of an app that has routes. Raises `ConfigurationError`, which shows how."""
    carrier = app.carrier
    if isinstance(carrier, pubsub.PubSubCarrier) and carrier.routes:
        return carrier
    raise ConfigurationError(
        "This app has no routes, so Google Pub/Sub delivers nothing of it. Say which tasks it is "
        "to deliver, where the app is made:\n\n"
        "    from rotulus.pubsub import PubSubCarrier, TaskRoute\n\n"
        "    app.carry(PubSubCarrier([TaskRoute(send_welcome)]))\n"
    )


def _only_app(module: ModuleType, place: str) -> App:
    apps = _apps(module)
    if len(apps) == 1:
        return next(iter(apps.values()))
    if not apps:
        raise ConfigurationError(
            f"{place} has no App: make one, such as app = App('sqlite:///jobs.db')"
        )
    raise ConfigurationError(
        f"{place} has several apps: choose one of {', '.join(apps)} as {place}:NAME"
    )


def _apps(module: ModuleType) -> dict[str, App]:
    found = {name: value for name, value in vars(module).items() if isinstance(value, App)}
    return {name: app for name, app in found.items() if not name.startswith("_")}
