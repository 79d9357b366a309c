"""Every Python snippet of the guide is accepted by type checkers in their strict modes.

What a strict mode accepts the plain one accepts, too.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from guide_snippets import write

pytestmark = pytest.mark.anywhere

WRONG = (
    'send.enqueue("seven", urgent="perhaps", locale="de")',  # arguments that are refused
    'send_receipt.enqueue(7, locle="de")',
    "return text.split()",  # results that are refused
    "def publish(context): ...",  # two examples have a step of that name
)
"""Lines that show what is refused."""


LOOSE = ("--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls")
"""Steps of workflows are written without annotations; nothing of ours may be refused for it."""

STYLE = (
    "MissingParameterType",
    "MissingTypeStubs",
    "Redeclaration",
    "UnknownArgumentType",
    "UnknownMemberType",
    "UnknownParameterType",
    "UnknownVariableType",
    "UnusedFunction",
    "UnusedImport",
)
"""The same for pyright, and what is a matter of style in a snippet."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder for the snippets of each page."""
    return write(tmp_path_factory.mktemp("guide"))


def unexpected(found):
    """The errors in lines that are not wrong on purpose."""
    told = []
    for file, line, message in found:
        if file.endswith("settings.py"):  # of Django, which sets no types for them
            continue
        text = Path(file).read_text().splitlines()[line - 1]
        if not any(wrong in text for wrong in WRONG):
            told.append(f"{Path(file).parent.name}/{Path(file).name}: {text.strip()}: {message}")
    return told


def test_mypy_accepts_the_guide(folders, tmp_path):
    """Page by page, each in a folder of its own."""
    found = []
    for folder in folders:
        files = sorted(map(str, folder.glob("*.py")))
        if not files:
            continue
        command = [sys.executable, "-m", "mypy", "--no-error-summary", "--show-absolute-path"]
        command += ["--cache-dir", str(tmp_path), "--strict", *LOOSE, *files]
        path = {**os.environ, "MYPYPATH": str(folder)}
        told = subprocess.run(command, capture_output=True, text=True, env=path)
        lines = re.findall(r"^(.+?):(\d+): error: (.*)$", told.stdout, re.MULTILINE)
        assert told.returncode in (0, 1), told.stdout + told.stderr
        found += [(file, int(line), message) for file, line, message in lines]

    assert [] == unexpected(found)


def test_pyright_accepts_the_guide(folders):
    """All pages in one run; a page imports its own modules."""
    root = folders[0].parent
    places = [{"root": folder.name} for folder in folders]
    quiet = {f"report{what}": False for what in STYLE}
    settings = {"typeCheckingMode": "strict", "executionEnvironments": places, **quiet}
    (root / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    told = subprocess.run(
        [*command, "--project", str(root)], capture_output=True, text=True, cwd=root
    )
    errors = [d for d in json.loads(told.stdout)["generalDiagnostics"] if d["severity"] == "error"]

    assert [] == unexpected(
        (d["file"], d["range"]["start"]["line"] + 1, d["message"]) for d in errors
    )
