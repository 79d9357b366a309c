"""The listings of the third source document, as they stand there, but for their imports."""

import importlib.util
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "chapkit"

_MOVES = {
    "from chapkit.task import": "from rotulus.service import",
    "from chapkit.api import": "from rotulus.service import",
    "from chapkit.artifact import": "from rotulus.service import",
    "from servicekit.api.dependencies import": "from rotulus.service import",
    "from servicekit import": "from rotulus.service import",
    "from chapkit.scheduler import ChapkitScheduler": (
        "from rotulus.service import JobScheduler as ChapkitScheduler"
    ),
}


def ours(name):
    """The text of a listing, with its imports changed."""
    text = (FOLDER / f"{name}.py").read_text()
    text = re.sub(r"(from chapkit\.task import .*)\bTaskRegistry\b,? ?", r"\1", text)
    text = re.sub(r"from chapkit\.task import *\n", "", text)
    for theirs, here in _MOVES.items():
        text = text.replace(theirs, here)
    if "TaskRegistry" in text:
        text = "from rotulus import registry as TaskRegistry\n" + text
    assert "chapkit" not in re.sub(r"Chapkit\w+", "", text)
    return text


def write(name, folder):
    """Write a listing into a folder; the file."""
    path = folder / f"{name}.py"
    path.write_text(ours(name))
    return path


def load(name, folder):
    """Import a listing, as a module of its own each time."""
    path = write(name, folder)
    spec = importlib.util.spec_from_file_location(f"listing_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
