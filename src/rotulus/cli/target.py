"""Finds the app that a command works on, from `module:app`, a file, or the settings."""

import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from rotulus import App
from rotulus.config import load_settings
from rotulus.errors import ConfigurationError, OptionError

F = TypeVar("F", bound=Callable[..., Any])


def app_options(command: F) -> F:
    """`--app` and `--url`, for commands that look at jobs."""
    url = click.option("--url", help="Where the jobs live, instead of where the app says.")
    target = click.option("--app", "target", metavar="MODULE:APP", help="The app.")
    return url(target(command))


def app_argument(command: F) -> F:
    """The app as an argument, for commands that run one."""
    return click.argument("target", metavar="[MODULE:APP]", required=False)(command)


def find_app(target: str | None, url: str | None = None, *, tasks: bool = False) -> App:
    """The app to work on.

    Args:
        target: what was given; else `ROTULUS_APP`, else `[tool.rotulus]`.
        url: a store to look at without an app.
        tasks: whether the command needs the app's tasks.

    Raises:
        ConfigurationError: there is none, it cannot be imported, or it has no tasks.
    """
    if url is not None:
        return App(url)
    target = target or load_settings()["app"].value
    if target is None:
        if tasks:
            raise OptionError(
                'Which app? Give it as module:app, in ROTULUS_APP, or as app = "module:app" '
                "under [tool.rotulus] in pyproject.toml"
            )
        return App()
    app = load_app(target)
    if tasks and not len(app.registry):
        raise ConfigurationError(
            f"{target} has no tasks: import the modules that declare them where the app is made"
        )
    return app


def load_app(target: str) -> App:
    """Import the app of `module:app`, `module`, `file.py` or `file.py:app`."""
    place, _, name = target.partition(":")
    module = _load_module(place)
    if not name:
        return _only_app(module, place)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, App):
        return found
    what = "no App" if found is None else f"a {type(found).__name__}, not an App,"
    known = ", ".join(_apps(module)) or "none"
    raise ConfigurationError(f"{place} has {what} named {name!r}; its apps: {known}")


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


def _load_module(place: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise ConfigurationError(f"There is no file {place} in {folder}")
        sys.path.insert(0, str(path.resolve().parent))
        place = path.stem
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name != place.split(".")[0] and error.name != place:
            raise _import_failed(place, error) from error
        raise ConfigurationError(
            f"No module {place!r} in {folder}: give the app as module:app, from the folder that "
            f"holds the module"
        ) from None
    except ConfigurationError:
        raise
    except Exception as error:
        raise _import_failed(place, error) from error


def _import_failed(place: str, error: Exception) -> ConfigurationError:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename
    ]
    last = frames[-1] if frames else None
    where = f"  ({last.filename}:{last.lineno})" if last else ""
    return ConfigurationError(f"Importing {place} failed: {type(error).__name__}: {error}{where}")
