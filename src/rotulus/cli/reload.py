"""Runs a command, and runs it anew whenever a source file changes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click

from rotulus.cli.streams import ask

_LOOK_EVERY = 0.4
"""Seconds between two looks at the files."""

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})

_MIGRATION_NEEDED = 7

_LASTING = frozenset({2, 3, 4, _MIGRATION_NEEDED})
"""Exit codes of what starting again does not mend: usage, configuration, the store, its tables."""

_SETTLED = 1.0
"""Seconds after which a process has probably begun well."""

_YOUNG = 5.0
"""Seconds: a process that dies earlier has hardly begun."""

_KILL_AFTER = 10.0
"""Seconds for what runs beside it to end; then it is killed."""

_DEATHS = 3
"""After how many of those in a row a change is waited for."""


class Reloader:
    """Keeps one process of a command running, of the source as it is now.

    Args:
        command: the command, as words.
        folder: the folder whose `.py` files are watched, with all folders below.
        migration: the command that makes the tables that the other one needs.
        migrate: whether to run that without being asked.
        beside: a command of another process that runs beside it, once it has begun well.
        first: further words for the first start only: of what runs beside it, if anything does.
        further: gives further files that are watched.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        migration: Sequence[str] = (),
        *,
        migrate: bool = False,
        beside: Sequence[str] = (),
        first: Sequence[str] = (),
        further: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self._command = command
        self._folder = folder
        self._further = further
        self._migration = migration
        self._migrate = migrate
        self._child: subprocess.Popen[bytes] | None = None
        self._beside_command = beside
        self._first = first
        self._beside: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0

    def run(self) -> int:
        """Go on until interrupted; the exit code of the last process."""
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            seen = self._look()
            self._start()
            while True:
                time.sleep(_LOOK_EVERY)
                now = self._look()
                changed = sorted({path for path, _ in set(now.items()) ^ set(seen.items())})
                if changed:
                    seen = now
                    self._deaths = 0
                    shown = _shown(changed[0], self._folder)
                    click.echo(f"{shown} has changed: starting again", err=True)
                    self._stop()
                    self._start()
                else:
                    self._check()
        except KeyboardInterrupt:
            return self._stop()
        finally:
            self._stop_beside()

    def _look(self) -> dict[Path, float]:
        """When each source file was last changed."""
        files = (*_sources(self._folder), *self._further())
        return {file: time for file in files if (time := _changed_at(file)) is not None}

    def _start(self) -> None:
        self._started = time.monotonic()
        more = () if self._beside_command else self._first_words()
        self._child = subprocess.Popen([*self._command, *more])  # noqa: S603 - our own program

    def _check(self) -> None:
        """Start it again if it has died, unless it would only die again."""
        code = None if self._child is None else self._child.poll()
        if code is None:
            self._start_beside()
            return
        self._child = None
        young = time.monotonic() - self._started < _YOUNG
        self._deaths = self._deaths + 1 if young else 0
        if code == _MIGRATION_NEEDED and self._migration:
            self._stop_beside()  # what is asked now is asked by one program, and so is its answer
            self._offer_migration()
        elif code in _LASTING or self._deaths >= _DEATHS:
            click.echo("Waiting for a change.", err=True)
        else:
            click.echo(f"The worker {_ending(code)}: starting again", err=True)
            self._start()

    def _start_beside(self) -> None:
        """Start what runs beside it, if it has not failed at once: one of them says what is wrong.

        A process that has ended by itself is not started again until a file changes.
        """
        settled = self._child is not None and time.monotonic() - self._started > _SETTLED
        if self._beside_command and self._beside is None and settled:
            command = [*self._beside_command, *self._first_words()]
            self._beside = subprocess.Popen(command)  # noqa: S603 - our own program

    def _first_words(self) -> Sequence[str]:
        words, self._first = self._first, ()
        return words

    def _stop_beside(self) -> None:
        beside, self._beside = self._beside, None
        if beside is None:
            return
        beside.terminate()
        try:
            beside.wait(_KILL_AFTER)
        except subprocess.TimeoutExpired:
            beside.kill()
            beside.wait()

    def _offer_migration(self) -> None:
        """Make the tables, if somebody agrees, and start again; else say what does it."""
        agreed = self._migrate
        if not agreed and sys.stdin.isatty() and sys.stderr.isatty():
            agreed = bool(ask("Run 'rotulus migrate' now?"))
        if agreed and subprocess.call(self._migration) == 0:  # noqa: S603 - our own program
            self._start()
            return
        command = " ".join(["rotulus", *self._migration[3:]])
        click.echo(
            f"Waiting for a change. '{command}' makes the tables, and so does 'rotulus dev "
            f"--migrate'.",
            err=True,
        )

    def _stop(self) -> int:
        """Let it drain. A second interruption reaches it by itself, and makes it hurry."""
        with suppress(KeyboardInterrupt):  # it has heard that, too
            self._stop_beside()
        if self._child is None:
            return 0
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        while True:
            try:
                return _exit_code(self._child.wait())
            except KeyboardInterrupt:
                continue


def _exit_code(code: int) -> int:
    """Returns the exit code after the end of a process that was told to stop."""
    if code in (-signal.SIGTERM, -signal.SIGINT):  # before it could listen
        return 0
    return 128 - code if code < 0 else code


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _sources(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_skipped(Path(place) / name)]
        for name in names:
            if name.endswith(".py"):
                yield Path(place) / name


def _shown(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)


def _changed_at(file: Path) -> float | None:
    try:
        return file.stat().st_mtime
    except OSError:
        return None


def _is_skipped(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _SKIPPED
    return hidden or (folder / "pyvenv.cfg").exists()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
