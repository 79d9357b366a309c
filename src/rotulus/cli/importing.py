"""Imports the module of an app, and says where in the user's code that went wrong."""

import importlib
import sys
import sysconfig
import traceback
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from rotulus._text.names import did_you_mean
from rotulus.cli.hints import listed
from rotulus.errors import ConfigurationError, OptionError, RotulusError

_LIBRARY = str(Path(__file__).resolve().parents[1])
_INSTALLED = tuple(
    {str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")}
)


def load_module(place: str) -> ModuleType:
    """Import a module by its name, or by the path of its file.

    Raises:
        ConfigurationError: there is none, or importing it failed; the message says where.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if place.endswith(".py"):
        place = _module_of(place, folder)
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise _import_failed(place, error) from error
        raise ConfigurationError(_no_module(place, folder)) from None
    except OptionError as error:  # of the code, and of no word of the command
        raise ConfigurationError(_located(error)) from error
    except RotulusError as error:
        error.args = (_located(error), *error.args[1:])
        raise
    except Exception as error:
        raise _import_failed(place, error) from error


def place_of(error: BaseException) -> str | None:
    """Where in the user's code an error comes from, as `path:line`; None when nowhere in it.

    That is the innermost line that is neither ours nor of an installed package; else the
    innermost one that is not ours. A syntax error is where it stands.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return _shown(error.filename, error.lineno)
    frames = [
        frame
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if not frame.filename.startswith((_LIBRARY, "<"))
    ]
    own = [frame for frame in frames if not frame.filename.startswith(_INSTALLED)]
    for frame in (*own, *(f for f in frames if "importlib" not in f.filename)):
        return _shown(frame.filename, frame.lineno or 0)
    return None


def _module_of(place: str, folder: str) -> str:
    """Returns the name of the module that a file holds, whose folder is made known."""
    path = Path(place)
    if not path.is_file():
        here = [str(found) for found in path.parent.glob("*.py")]
        raise ConfigurationError(
            f"There is no file {place} in {folder}{did_you_mean(place, here) or ';'} Python files "
            f"there: {listed(here)}"
        )
    sys.path.insert(0, str(path.resolve().parent))
    return path.stem


def _no_module(place: str, folder: str) -> str:
    """Returns the message about a name that is no module."""
    above, _, name = place.rpartition(".")
    if above and _is_there(above):
        hint = f"; did you mean '{above}:{name}'?"
    else:
        here = [found.stem for found in Path(folder).glob("*.py")]
        hint = did_you_mean(place, here) or "."
    return (
        f"No module {place!r} in {folder}{hint} Give the app as module:app, from the folder that "
        f"holds the module"
    )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _import_failed(place: str, error: Exception) -> ConfigurationError:
    said = error.msg if isinstance(error, SyntaxError) else str(error).strip()
    text = f"Importing {place} failed: {type(error).__name__}: {said}"
    if isinstance(error, ModuleNotFoundError):
        hint = f"; install it for {sys.executable}, or mend the import"
    else:
        hint = "; --traceback shows how it got there"
    where = place_of(error)
    return ConfigurationError(f"{text}{hint}{f'  ({where})' if where else ''}")


def _located(error: RotulusError) -> str:
    """Returns the text of an error, with its place unless the text has it."""
    where = place_of(error)
    if where is None or where in str(error):
        return str(error)
    return f"{error}  ({where})"


def _shown(file: str, line: int) -> str:
    """Returns a place, relative to this folder when it is below it."""
    path = Path(file)
    here = Path.cwd()
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{line}"
