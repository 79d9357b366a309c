"""The built console, for the tests that look at it; and where it cannot be built, a word why not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rotulus.console.files import BUILT

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with the files of the console, made by `make console`."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT TESTED: the console, which is built with Node 20.19 or newer and npm")
    lock = tmp_path_factory.getbasetemp().parent / "console.lock"
    command = ["flock", str(lock), str(ROOT / "scripts" / "console")]  # processes of tests wait
    made = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if made.returncode == 3:
        pytest.skip(f"NOT TESTED: the console: {made.stderr.strip()}")
    assert made.returncode == 0, made.stdout + made.stderr
    return BUILT
