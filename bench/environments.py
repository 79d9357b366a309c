"""The Python environments of the contenders: each its own, under `.bench/`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".bench"
REQUIREMENTS = Path(__file__).parent / "requirements"


def python_of(name):
    """The Python of an environment, which is made when it is not there; ours for `rotulus`."""
    if name == "rotulus":
        return Path(sys.executable)
    folder, wanted = HOME / f"venv-{name}", (REQUIREMENTS / f"{name}.txt").read_text()
    made_of = folder / "made-of"
    if not made_of.exists() or made_of.read_text() != wanted:
        print(f"preparing {folder.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        _install(folder / "bin" / "python", REQUIREMENTS / f"{name}.txt")
        made_of.write_text(wanted)
    return folder / "bin" / "python"


def _install(python, requirements):
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--requirement", requirements], check=True)
