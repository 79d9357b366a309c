"""Shows how far something has got: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from rotulus.cli.bar import Bar

_LINE_EVERY = 2.0
"""Seconds between two lines where there is no terminal."""


class Meter:
    """Progress on standard error, for the length of a `with` block.

    Args:
        title: what is going on.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._last_line = time.monotonic()
        self._bar: Bar | None = None
        if sys.stderr.isatty():  # else a worker need not load what draws it
            self._bar = import_module("rotulus.cli.bar").Bar(title)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: float | None, total: float | None = None, note: str = "") -> None:
        """It has got this far; None: as far as `note` says."""
        title = f"{self._title}: {note}" if note else self._title
        if self._bar is not None:
            self._bar.show(title, done, total)
        elif time.monotonic() - self._last_line >= _LINE_EVERY:
            self._last_line = time.monotonic()
            of = "" if total is None else f" of {total:g}"
            click.echo(title if done is None else f"{title}: {done:g}{of}", err=True)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.say(text)
        else:
            click.echo(text, err=True)
