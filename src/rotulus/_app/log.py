"""Logs events, each by its own level, line and data; folds tracebacks to the user's own frames."""

import logging
import re
import sysconfig
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from rotulus.events import Event, Events

logger = logging.getLogger("rotulus")

_FRAME = re.compile(r'(?P<indent>[\s|]*  )File "(?P<file>.+)", line \d+, in ')
_PACKAGES = re.compile(r"^.*[\\/](?:site|dist)-packages[\\/](?P<package>[^\\/]+)")
_OURS = str(Path(__file__).parent.parent)


def log_events(events: Events) -> None:
    """Log what happens to the logger `rotulus`, from now on.

    A success is logged at DEBUG, useful news at INFO, failures that will be tried again at WARNING,
    and problems that need a person at ERROR. Each record carries its data as `record.rotulus`, a
    dict, for structured logs. The line of a failed attempt has the exception in `exc_info`, if it
    was raised in this process, and its traceback in `exc_text`, where the frames of libraries are
    folded; the whole text is `record.rotulus["traceback"]`. The level of the logger when the event
    happens decides whether its line is written.
    """
    events.subscribe(_log, *(kind for kind in Event.kinds if kind.is_logged()))


def _log(event: Event) -> None:
    level = event.level
    if not _is_heard(level):
        return
    raised = event.raised
    exc_info = None if raised is None else (type(raised), raised, raised.__traceback__)
    data = {"event": event.name, **event.data()}
    record = logger.makeRecord(
        logger.name, level, __file__, 0, event.line(), (), exc_info, extra={"rotulus": data}
    )
    if text := data.get("traceback"):
        record.exc_text = folded(text)
    logger.handle(record)


def _is_heard(level: int) -> bool:
    """Returns whether a line of this level is to be logged.

    `dictConfig` disables every logger that exists and that it does not name, unless it is told not
    to. A worker must not fall silent by accident: for silence, set a level.
    """
    if logger.disabled:
        logger.disabled = False
    return logger.isEnabledFor(level)


class _Piece(NamedTuple):
    """A frame with the lines that belong to it, or a line that belongs to none.

    `library` is the package that the frame is in, or the module of the standard library; "" for
    the frames of the task's own code, and for other lines.
    """

    lines: list[str]
    indent: str
    library: str


def folded(traceback: str) -> str:
    """Returns a traceback with its frames in libraries counted instead of shown.

    Libraries are the standard library and installed packages, but not the one that the task
    itself is in. A traceback of libraries only stays as it is.
    """
    own = _own_library(traceback)
    pieces = list(_pieces(traceback, own))
    if all(piece.library or not piece.indent for piece in pieces):
        return traceback
    lines: list[str] = []
    for (indent, is_library), group in groupby(pieces, lambda p: (p.indent, bool(p.library))):
        found = list(group)
        if is_library:
            names = ", ".join(dict.fromkeys(piece.library for piece in found))
            more = f"{len(found)} frames" if len(found) > 1 else "1 frame"
            lines.append(f"{indent}... {more} in {names}")
        else:
            lines += [line for piece in found for line in piece.lines]
    return "\n".join(lines)


def _pieces(traceback: str, own: str) -> Iterator[_Piece]:
    piece = _Piece([], "", "")
    for line in traceback.rstrip("\n").split("\n"):
        frame = _FRAME.match(line)
        if frame is None and piece.indent and _goes_on(line, piece.indent):
            piece.lines.append(line)
            continue
        if piece.lines:
            yield piece
        library = _library(frame["file"]) if frame else ""
        shown = "" if library == own else library
        piece = _Piece([line], frame["indent"] if frame else "", shown)
    yield piece


def _goes_on(line: str, indent: str) -> bool:
    """Returns whether a line belongs to the frame above it: its source, or its repetitions."""
    return line.startswith((f"{indent}  ", f"{indent}[Previous line repeated"))


def _own_library(traceback: str) -> str:
    """The installed package that the task is in, where the traceback begins; "" if it is in none.

    The traceback of the error itself comes last, after those of its causes.
    """
    _, _, last = traceback.rpartition("Traceback (most recent call last):")
    first = next((frame for line in last.split("\n") if (frame := _FRAME.match(line))), None)
    installed = first and _PACKAGES.match(first["file"])
    return installed["package"] if installed else ""


@lru_cache(1024)
def _library(file: str) -> str:
    """The package or module that a file is in, if that is installed or standard; else ""."""
    if file.startswith(_OURS):
        return "rotulus"
    if installed := _PACKAGES.match(file):
        return installed["package"]
    if file.startswith("<frozen "):
        return file.removeprefix("<frozen ").rstrip(">")
    for folder in _standard_folders():
        if file.startswith(folder):
            parts = file[len(folder) :].lstrip("\\/").replace("\\", "/").split("/")
            return parts[0].removesuffix(".py")
    return ""


@cache
def _standard_folders() -> frozenset[str]:
    return frozenset(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
