"""What is refused in code, variables and files is told apart from wrong words of a command."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rotulus.config import Setting, load_settings
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
    """
    with configured():
        load_settings()
    return load_settings(given)
