"""What is refused in code, variables and files is told apart from wrong words of a command."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import click

from rotulus.config import Setting, find_project_settings, load_settings
from rotulus.errors import ConfigurationError, OptionError

URL_SETTING = "the setting 'url' (ROTULUS_URL)"
"""What errors call the URL that no option gives."""


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

    With an app among the words its own store is meant, and not the service of a variable.

    Raises:
        OptionError: a word is not allowed.
        ConfigurationError: a variable or a file says what is not allowed.
        UsageError: the jobs are to be those of a service, and the command needs them itself.
    """
    environment = dict(os.environ)
    if given.get("app") is not None and _is_of_service(environment.get("ROTULUS_URL")):
        del environment["ROTULUS_URL"]
    _refuse_service(given.get("url"), environment)
    with configured():
        load_settings(environment=environment)
    return load_settings(given, environment)


def leave_service() -> str | None:
    """Take the variable `ROTULUS_URL` away, if it is the address of a service; that address.

    An app that is made then, here or in a process of this one, uses its own URL.
    """
    address = os.environ.get("ROTULUS_URL")
    if not _is_of_service(address):
        return None
    del os.environ["ROTULUS_URL"]
    return address


def refuse_address(address: str, given: str) -> NoReturn:
    """Raise `UsageError` for the address of a service where a store is needed."""
    context = click.get_current_context(silent=True)
    command = "this" if context is None else context.command_path
    raise click.UsageError(
        f"{command!r} needs the store or the code itself, and {given} is the address of a service, "
        f"{address}: give it the URL of the store, such as postgresql://host/shop, or leave it out"
    )


def service_address(url: str | None) -> str | None:
    """Returns the address of the service whose jobs are meant; None: they are those of a store.

    Args:
        url: what `--url` says; else it is `ROTULUS_URL`, else `[tool.rotulus]`.

    Raises:
        UsageError: the address has a password, which stands in the history of a shell.
    """
    return _service_address(url, os.environ)


def _service_address(url: str | None, environment: Mapping[str, str]) -> str | None:
    said: object = url or environment.get("ROTULUS_URL") or _said_by_file()
    if not _is_of_service(said):
        return None
    if "@" in said.partition("://")[2].partition("/")[0]:
        raise click.UsageError("The address of a service has no password: set ROTULUS_TOKEN")
    return said


def _is_of_service(said: object) -> TypeGuard[str]:
    return isinstance(said, str) and said.lower().startswith(("http://", "https://"))


def _said_by_file() -> object:
    with configured():
        return find_project_settings(Path.cwd())[1].get("url")


def _refuse_service(url: str | None, environment: Mapping[str, str]) -> None:
    """Raise `UsageError` for a service: a command that reads settings works here, and not there."""
    address = _service_address(url, environment)
    if address is not None:
        refuse_address(address, "--url" if url else URL_SETTING)
