"""Names of a package that are imported when they are first used, and extras that they need."""

import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from rotulus.errors import ConfigurationError


def lazy(
    package: str, homes: Mapping[str, Sequence[str]], extras: Mapping[str, str]
) -> Callable[[str], Any]:
    """Returns the `__getattr__` of a package: it imports a name when that is first used.

    Args:
        package: the name of the package.
        homes: the names that each module defines, by the full name of the module.
        extras: the extra of each package of others that these modules import.
    """

    def find(name: str) -> Any:
        home = next((home for home, names in homes.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with extra_for(f"{package}.{name}", extras):
            value = getattr(import_module(home), name)
        if isinstance(value, type) and value.__module__.startswith(f"{package}."):
            value.__module__ = package  # shown where users find it
        setattr(sys.modules[package], name, value)
        return value

    return find


@contextmanager
def extra_for(what: str, extras: Mapping[str, str]) -> Generator[None, None, None]:
    """Say which extra is missing, where a block imports a package that is not installed.

    Args:
        what: what needs it.
        extras: the extra of each package.

    Raises:
        ConfigurationError: one of these packages is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in extras:
            raise
        raise ConfigurationError(
            f"{what} needs {missing}: pip install 'rotulus[{extras[missing]}]'"
        ) from None
