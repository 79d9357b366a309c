"""Runs a command, and runs it anew whenever a source file changes."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

_LOOK_EVERY = 0.4
"""Seconds between two looks at the files."""

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})

_WRONG_CONFIGURATION = 3


class Reloader:
    """Keeps one process of a command running, of the source as it is now.

    Args:
        command: the command, as words.
        folder: the folder whose `.py` files are watched, with all folders below.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Go on until interrupted; the exit code of the last process."""
        signal.signal(signal.SIGTERM, _interrupt)
        seen = self._look()
        self._start()
        try:
            while True:
                time.sleep(_LOOK_EVERY)
                now = self._look()
                changed = sorted({path for path, _ in set(now.items()) ^ set(seen.items())})
                if changed:
                    seen = now
                    click.echo(f"{changed[0]} has changed: starting again", err=True)
                    self._stop()
                    self._start()
                else:
                    self._check()
        except KeyboardInterrupt:
            return self._stop()

    def _look(self) -> dict[str, float]:
        """When each source file was last changed."""
        return dict(_sources(self._folder))

    def _start(self) -> None:
        self._child = subprocess.Popen(self._command)  # noqa: S603 - our own program

    def _check(self) -> None:
        """Start it again if it has died, unless it would only die again."""
        code = None if self._child is None else self._child.poll()
        if code is None:
            return
        self._child = None
        if code == _WRONG_CONFIGURATION:
            click.echo("Waiting for a change.", err=True)
        else:
            click.echo(f"The worker ended with {code}: starting again", err=True)
            self._start()

    def _stop(self) -> int:
        """Let it drain. A second interruption reaches it by itself, and makes it hurry."""
        if self._child is None:
            return 0
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        while True:
            try:
                return self._child.wait()
            except KeyboardInterrupt:
                continue


def _sources(folder: Path) -> Iterator[tuple[str, float]]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_skipped(Path(place) / name)]
        for name in names:
            if name.endswith(".py"):
                path = Path(place) / name
                try:
                    yield str(path.relative_to(folder)), path.stat().st_mtime
                except OSError:
                    continue


def _is_skipped(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _SKIPPED
    return hidden or (folder / "pyvenv.cfg").exists()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
