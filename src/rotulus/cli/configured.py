"""What is refused in code, variables and files is told apart from wrong words of a command."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from rotulus.config import Setting, find_project_settings, load_settings
from rotulus.errors import ConfigurationError, OptionError


@contextmanager
def configured() -> Generator[None, None, None]:
    """A block in which no word of the command is read: what is refused there is configuration.

    The program ends with 3 for that, and with 2 for an `OptionError` outside of such a block.

    Raises:
        ConfigurationError: in the place of an `OptionError`.
    """
    try:
        yield
    except OptionError as error:
        raise ConfigurationError(str(error)) from error


def settings_with(given: Mapping[str, Any]) -> dict[str, Setting]:
    """Returns all settings, with those that words of the command have given; None is not given.

    Raises:
        OptionError: a word is not allowed.
        ConfigurationError: a variable or a file says what is not allowed.
        UsageError: the jobs are to be those of a service, and the command needs them itself.
    """
    _refuse_service(given.get("url"))
    with configured():
        load_settings()
    return load_settings(given)


def service_address(url: str | None) -> str | None:
    """Returns the address of the service whose jobs are meant; None: they are those of a store.

    Args:
        url: what `--url` says; else it is `ROTULUS_URL`, else `[tool.rotulus]`.

    Raises:
        UsageError: the address has a password, which stands in the history of a shell.
    """
    said: object = url or os.environ.get("ROTULUS_URL") or _said_by_file()
    if not isinstance(said, str) or not said.lower().startswith(("http://", "https://")):
        return None
    if "@" in said.partition("://")[2].partition("/")[0]:
        raise click.UsageError("The address of a service has no password: set ROTULUS_TOKEN")
    return said


def _said_by_file() -> object:
    with configured():
        return find_project_settings(Path.cwd())[1].get("url")


def _refuse_service(url: str | None) -> None:
    """Raise `UsageError` for a service: a command that reads settings works here, and not there."""
    address = service_address(url)
    if address is None:
        return
    context = click.get_current_context(silent=True)
    command = "this" if context is None else context.command_path
    given = "--url" if url else "the setting 'url' (ROTULUS_URL)"
    raise click.UsageError(
        f"{command!r} needs the store or the code itself, and {given} is the address of a service, "
        f"{address}: give it the URL of the store, such as postgresql://host/shop, or leave it out"
    )
