"""The pictures of the guide show the console as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.conftest import CHROMIUM

pytestmark = pytest.mark.anywhere

ROOT = Path(__file__).parent.parent.parent


def test_pictures_have_the_words_of_today(built, tmp_path):
    """Headings, columns, buttons and links of each screen; `make pictures` takes them again."""
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: the pictures of the guide, which need Chromium")
    command = [sys.executable, ROOT / "scripts" / "screens.py", "--words", tmp_path]
    subprocess.run(command, check=True, timeout=300)
    shown, now = (
        json.loads((folder / "console.json").read_text())
        for folder in (ROOT / "docs" / "pictures", tmp_path)
    )

    assert now == shown, "the pictures in docs/pictures are out of date: run make pictures"
