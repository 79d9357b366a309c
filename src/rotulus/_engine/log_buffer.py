"""`LogBuffer`: what an attempt has logged and is not stored yet, bounded in lines and in bytes."""

import logging
import threading
import time
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from rotulus._jobs.log_line import LogRow
from rotulus._jobs.record import JobRecord

MOST_LINES = 1000
"""Lines that are kept of an attempt."""

MOST_BYTES = 256 * 1024
"""Bytes of text, in UTF-8, that are kept of an attempt."""

LONGEST = 16_000
"""Characters of a line; of a longer one the middle is left out."""

LONGEST_NAME = 200
"""Characters of the name of a logger."""

OFF = 1_000_000
"""A level that no line has."""

OURS = "rotulus"
"""The logger of the framework, whose lines are not kept."""


class Line(NamedTuple):
    """A line that has been logged: a `LogRow` without its attempt."""

    line: int
    at: int
    level: int
    logger: str
    text: str


class LogBuffer:
    """The lines of an attempt that are not stored yet. May be used from any thread.

    Args:
        job: the job, as it was claimed for the attempt.
        level: the least level that is kept.
    """

    def __init__(self, job: JobRecord, level: int) -> None:
        self._job = job
        self._level = level
        # Reentrant: a finalizer or a signal handler that logs may come while it is held.
        self._lock = threading.RLock()
        self._lines: list[Line] = []
        self._count = 0
        self._bytes = 0
        self._left_out = 0
        self._closed = False

    def hear(self, record: logging.LogRecord) -> None:
        """Keep a record of `logging`. It never raises."""
        if record.levelno < self._level or record.name.partition(".")[0] == OURS:
            return
        self.add(record.levelno, record.name, record.created, _text(record))

    def say(self, text: str, level: int) -> None:
        """Keep a line that has no logger."""
        if level >= self._level:
            self.add(level, "", time.time(), text)

    def add(self, level: int, logger: str, created: float, text: str) -> None:
        """Keep a line, if there is room for it; else count it."""
        if len(text) > LONGEST:
            text = _shortened(text)
        size = len(text) if text.isascii() else len(text.encode("utf-8", "backslashreplace"))
        with self._lock:
            if self._closed:
                return
            if self._count >= MOST_LINES or self._bytes + size > MOST_BYTES:
                self._left_out += 1
                return
            self._count += 1
            self._bytes += size
            number, level = self._count, min(level, OFF)
            name = logger[:LONGEST_NAME]
            self._lines.append(Line(number, int(created * 1e6), level, name, text))

    def relay(self, lines: Sequence[Line]) -> None:
        """Keep lines that were bounded elsewhere: in a task process."""
        with self._lock:
            for line in lines:
                self._count += 1
                self._lines.append(line._replace(line=self._count))

    def close(self) -> None:
        """Take no more: the attempt has ended. How many were left out is told in a last line."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._left_out:
                lines = "line was" if self._left_out == 1 else "lines were"
                text = (
                    f"{self._left_out:,} more {lines} left out: {MOST_LINES:,} lines and "
                    f"{MOST_BYTES // 1024} KB are kept of an attempt"
                )
                now = int(time.time() * 1e6)
                self._lines.append(Line(self._count + 1, now, logging.WARNING, OURS, text))

    def pending(self) -> list[LogRow]:
        """Returns the lines that are not stored yet, as rows."""
        job, attempt = self._job.id, self._job.attempt
        return [LogRow(job, attempt, *line) for line in self.lines()]

    def lines(self) -> list[Line]:
        """Returns the lines that are not stored yet, as texts that every database takes."""
        with self._lock:
            lines = list(self._lines)
        return [line._replace(logger=_clean(line.logger), text=_clean(line.text)) for line in lines]

    def stored(self, lines: Sequence[Line | LogRow]) -> None:
        """Forget some lines: they are stored, or somebody else stores them."""
        done = {line.line for line in lines}
        with self._lock:
            self._lines = [line for line in self._lines if line.line not in done]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to store."""
        return not self._lines


def _text(record: logging.LogRecord) -> str:
    """Returns the text of a record, with its traceback; formatting runs code of the task."""
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001 - a line that cannot be formatted is no failure
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        text = f"{message} (it could not be formatted: {type(error).__name__})"
    if record.exc_info and record.exc_info[0] is not None:
        text = f"{text}\n{_traceback(record)}"
    return f"{text}\n{record.stack_info}" if record.stack_info else text


def _traceback(record: logging.LogRecord) -> str:
    kind, error, frames = record.exc_info or (None, None, None)
    try:
        return "".join(traceback.format_exception(kind, error, frames)).rstrip("\n")
    except Exception as problem:  # noqa: BLE001 - formatting runs the exception's own code
        return f"Traceback not available: {type(problem).__name__} while formatting it"


def _shortened(text: str) -> str:
    cut = f"\n... {len(text) - LONGEST:,} characters left out ...\n"
    return text[: LONGEST // 2] + cut + text[-LONGEST // 2 :]


def _clean(text: str) -> str:
    """Text that every database takes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
