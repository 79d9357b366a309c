"""The Python environments of the contenders: each its own, under `.bench/`."""

import functools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".bench"
REQUIREMENTS = Path(__file__).parent / "requirements"
OURS = "rotulus"
NEEDS = {"oban": (3, 12)}
"""The oldest Python that a contender runs on, where ours may be older."""


class MissingError(Exception):
    """Something that this machine does not have, and that some contenders need."""


def python_of(name):
    """The Python of an environment, which is made when it is not there; our own for `rotulus`.

    Raises:
        MissingError: it cannot be made here.
    """
    if name == OURS:
        return Path(sys.executable)
    folder, wanted = HOME / f"venv-{name}", (REQUIREMENTS / f"{name}.txt").read_text()
    made_of = folder / "made-of"
    if not made_of.exists() or made_of.read_text() != wanted:
        print(f"preparing {folder.relative_to(ROOT)}", flush=True)
        subprocess.run([_python_for(name), "-m", "venv", "--clear", folder], check=True)
        _install(folder / "bin" / "python", REQUIREMENTS / f"{name}.txt")
        made_of.write_text(wanted)
    return folder / "bin" / "python"


def version_of(name):
    """What is measured of an environment: the first line of its requirements."""
    return (REQUIREMENTS / f"{name}.txt").read_text().splitlines()[0].partition("==")[2]


def _python_for(name):
    oldest = NEEDS.get(name, (3, 11))
    for python, version in _pythons():
        if version >= oldest:
            return python
    needed = ".".join(map(str, oldest))
    raise MissingError(f"{name} needs Python {needed} or newer, which is not installed here")


@functools.cache
def _pythons():
    """The Pythons of this machine with their versions, our own first."""
    told = subprocess.run(
        [ROOT / "scripts" / "pythons"], capture_output=True, text=True, check=True
    )
    ask = "import sys; print(*sys.version_info[:2])"
    found = []
    for python in [sys.executable, *told.stdout.split()]:
        answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
        found.append((python, tuple(map(int, answer.stdout.split()))))
    return found


def _install(python, requirements):
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    told = subprocess.run(
        [*pip, "--requirement", requirements], capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise MissingError(f"pip could not install {requirements.name}: {told.stderr[-500:]}")
