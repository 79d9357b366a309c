"""A folder with an app in it, in which one can type what is wrong."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from click.testing import CliRunner

from rotulus import App
from rotulus.cli.main import main

SHOP = """
from rotulus import App, TaskRegistry, task
registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task(name="emails.send_welcome", registry=registry)
def send_welcome(user_id: int, locale: str = "en") -> dict:
    return {}

@task(registry=registry)
def count(words: list[str], times: int = 1) -> int:
    return len(words)
"""

HEAD = """from rotulus import App, Retry, TaskRegistry, scheduled, task
import rotulus.workflow as wf
registry = TaskRegistry()
app = App("sqlite:///wrong.db", registry=registry)
"""
"""Four lines: what a row declares begins in the fifth."""


class Wrong(NamedTuple):
    """What is typed wrong.

    Attributes:
        words: the command.
        code: its exit code.
        what: what the answer has to say is wrong.
        where: where.
        do: what would do.
        source: what `wrong.py` declares, behind `HEAD`; None: there is no such file.
        files: other files of the folder.
        environment: what is set there.
    """

    words: str | list[str]
    code: int
    what: str
    where: str
    do: str
    source: str | None = None
    files: Mapping[str, str] = MappingProxyType({})
    environment: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """What the program said, and what it ended with."""

    code: int
    text: str


class Folder:
    """A folder with `shop.py` in it.

    Args:
        path: the folder, which is the current one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = set(sys.modules)
        self.write("shop.py", SHOP)

    def write(self, name: str, text: str) -> None:
        """Put a file there."""
        (self._path / name).write_text(text)

    def rotulus(self, *words: str, stdin: str | None = None, **environment: str) -> Answer:
        """Type a command."""
        result = CliRunner().invoke(
            main, list(words), prog_name="rotulus", env=environment, input=stdin
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, " ".join(result.output.split()))

    def close(self) -> None:
        """Close the apps of all modules that were imported from there, and forget those."""
        for name in set(sys.modules) - self._before:
            module = sys.modules[name]
            if str(getattr(module, "__file__", "")).startswith(str(self._path)):
                for value in vars(module).values():
                    if isinstance(value, App):
                        value.close()
                del sys.modules[name]
