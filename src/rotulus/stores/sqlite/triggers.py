"""Triggers that a file has only while somebody needs them; nobody pays for them at other times."""

import re
from collections.abc import Callable
from pathlib import Path

_FOLDER = Path(__file__).with_name("triggers")

_WALL_CLOCK = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"

_TRIGGER = re.compile(r"^CREATE TRIGGER IF NOT EXISTS (\w+).*?^END;$", re.MULTILINE | re.DOTALL)


class Triggers:
    """The triggers of one script. All connections to the file take note of them by themselves.

    Args:
        script: the name of the script, in the folder of triggers.
    """

    def __init__(self, script: str) -> None:
        text = (_FOLDER / script).read_text(encoding="utf-8").replace("{wall_clock}", _WALL_CLOCK)
        self._statements = {found[1]: found[0] for found in _TRIGGER.finditer(text)}

    def make(self, run: Callable[[str], object]) -> None:
        """Make them, in the place of those that another version may have made.

        `run` runs a statement in a transaction.
        """
        self.drop(run)
        for statement in self._statements.values():
            run(statement)

    def drop(self, run: Callable[[str], object]) -> None:
        """Drop them, if they are there."""
        for name in self._statements:
            run(f"DROP TRIGGER IF EXISTS {name}")
