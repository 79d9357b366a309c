"""Programs on the version before, from the history of this clone."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

BEFORE = "a49a45c"
"""The last commit of the version before: it knows the first two migrations."""

ROOT = Path(__file__).parents[2]

OLDER = """
    import json, sys
    from rotulus import App, TaskRegistry
    from rotulus._jobs.outcome import ErrorInfo, retried, succeeded
    from rotulus._text.ids import Ids
    from rotulus.store import ClaimFilter, NewJob, Terms

    app = App(sys.argv[1], registry=TaskRegistry())
    app.store.migrate()
    numbers = iter(range(1000))

    def new(task="t", **fields):
        own = {name: fields.pop(name) for name in NewJob._fields if name in fields}
        return NewJob(f"00000000-0000-7000-8000-{next(numbers):012}", "{}", Terms(task, **fields), **own)
"""


def unpack(folder):
    """Put the version before into a folder; skips the test where the history does not have it."""
    archive = ["git", "archive", f"--output={folder / 'src.tar'}", BEFORE, "src/rotulus"]
    if subprocess.run(archive, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("the history of this clone does not have the version before")
    subprocess.run(["tar", "-xf", folder / "src.tar", "-C", folder], check=True)


def start(folder, program, url):
    """Run a program on the version in a folder; its process, whose output is JSON."""
    text = textwrap.dedent(OLDER) + textwrap.dedent(program)
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    words = [sys.executable, "-c", text, url]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env=environment, stdin=pipe, stdout=pipe, text=True)
