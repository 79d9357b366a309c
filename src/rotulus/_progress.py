"""Shows how far something has got: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_EVERY = 2.0
"""Seconds between two lines where there is no terminal."""


class Meter:
    """Progress on standard error, for the length of a `with` block. A bar goes away at the end.

    Args:
        title: what is going on.
        bar: whether a bar is drawn; unless given, if standard error is a terminal.
    """

    def __init__(self, title: str, *, bar: bool | None = None) -> None:
        self._title = title
        self._last_line = time.monotonic()
        self._bar: Progress | None = None
        if sys.stderr.isatty() if bar is None else bar:
            self._bar = _make_bar()
            self._row = self._bar.add_task(title, total=None, count="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: float | None, total: float | None = None, note: str = "") -> None:
        """It has got this far; None: as far as `note` says."""
        title = f"{self._title}: {note}" if note else self._title
        if self._bar is not None:
            count = f"{done or 0:g}{'' if total is None else f'/{total:g}'}"
            shown = count if done or total is not None else ""
            self._bar.update(
                self._row, completed=done or 0, total=total, description=title, count=shown
            )
        elif time.monotonic() - self._last_line >= _LINE_EVERY:
            self._last_line = time.monotonic()
            of = "" if total is None else f" of {total:g}"
            _print(title if done is None else f"{title}: {done:g}{of}")

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, soft_wrap=True)
        else:
            _print(text)


def _make_bar() -> "Progress":
    rich = import_module("rich.progress")  # now: a worker need not load what draws bars
    return rich.Progress(
        rich.SpinnerColumn(),
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TextColumn("{task.fields[count]}", style="progress.download", markup=False),
        rich.TimeElapsedColumn(),
        console=import_module("rich.console").Console(stderr=True, highlight=False),
        transient=True,
    )


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - for the person who waits
