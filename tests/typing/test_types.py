"""Type checkers see a task's own parameters in `enqueue`, and its value in the result."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.anywhere

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def pyright(file):
    """The lines in which pyright finds an error."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    told = subprocess.run([*command, str(file)], capture_output=True, text=True, cwd=ROOT)
    found = json.loads(told.stdout)["generalDiagnostics"]
    return sorted({d["range"]["start"]["line"] + 1 for d in found if d["severity"] == "error"})


def mypy(file):
    """The lines in which mypy finds an error."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir"]
    told = subprocess.run(
        [*command, "/dev/null", str(file)], capture_output=True, text=True, cwd=ROOT
    )
    return sorted({int(n) for n in re.findall(rf"{file.name}:(\d+): error", told.stdout)})


@pytest.mark.parametrize("checker", [pyright, mypy])
def test_what_is_right_is_accepted(checker):
    """And every `assert_type` holds."""
    assert checker(HERE / "right.py") == []


@pytest.mark.parametrize("checker", [pyright, mypy])
def test_what_is_wrong_is_refused(checker):
    """Each marked line, and no other."""
    file = HERE / "wrong.py"
    lines = file.read_text().splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if line.endswith("# wrong")]

    assert checker(file) == wrong
