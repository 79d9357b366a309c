"""Log lines for people on a terminal, JSON lines for everybody else."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from rotulus import JobLogFilter

_JOB = ("job", "task", "attempt", "run", "step")
_COLOURS = {
    logging.DEBUG: "\x1b[2m",
    logging.INFO: "",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
_PLAIN = "\x1b[0m"
_FIRST = "Traceback (most recent call last):"


def set_up_logging(level: str, form: str, tracebacks: str) -> None:
    """Send all logs to standard error.

    Args:
        level: the least level of Rotulus's own lines; other loggers are shown from INFO.
        form: `lines`, `json`, or `auto`: lines on a terminal, else JSON.
        tracebacks: `folded`: of a failed task only the frames of its own code; or `full`.
    """
    terminal = sys.stderr.isatty()
    as_json = form == "json" or (form == "auto" and not terminal)
    full = tracebacks == "full"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(full) if as_json else LineFormatter(full, terminal))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("rotulus").setLevel(level.upper())
    name_jobs()


def name_jobs() -> None:
    """Let every handler of the root logger, also those of the app, put the job on its records."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(known, JobLogFilter) for known in handler.filters):
            handler.addFilter(JobLogFilter())


class LineFormatter(logging.Formatter):
    """One readable line: the time, the message, and the logger and the job when it is not ours.

    Args:
        full: whether tracebacks of failed tasks show the frames of libraries, too.
        colours: whether the level is shown as a colour.
    """

    def __init__(self, full: bool, colours: bool) -> None:
        super().__init__()
        self._full = full
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        at = datetime.fromtimestamp(record.created).astimezone().timetz()
        whose = "" if record.name == "rotulus" else f"{record.name}: {_about(record)}"
        text = f"{at.isoformat('seconds')} {whose}{_one_line(record.getMessage())}"
        # A line of a traceback must not look like a line of the log either.
        for line in _traceback(record, full=self._full).splitlines():
            text += f"\n  {_one_line(line.expandtabs())}"
        colour = _COLOURS.get(record.levelno, "") if self._colours else ""
        return f"{colour}{text}{_PLAIN}" if colour else text


class JsonFormatter(logging.Formatter):
    """One JSON object: `ts`, `level`, `logger`, `message`, the job, and the data of the record.

    Args:
        full: whether tracebacks of failed tasks show the frames of libraries, too.
    """

    def __init__(self, full: bool) -> None:
        super().__init__()
        self._full = full

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        data: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if getattr(record, "job", None) is not None:
            data |= {name: getattr(record, name, None) for name in _JOB}
        data |= getattr(record, "rotulus", {})
        data.pop("traceback", None)
        if text := _traceback(record, full=self._full):
            data["exception"] = text
        return json.dumps(data, default=str, ensure_ascii=False)


def _about(record: logging.LogRecord) -> str:
    """Returns the job that a record of the task's own logging is about."""
    job = getattr(record, "job", None)
    if job is None:
        return ""
    step = getattr(record, "step", None)
    of_run = f" (step {step} of run {getattr(record, 'run', None)})" if step else ""
    return f"{getattr(record, 'task', None)} {job}{of_run}: "


def _traceback(record: logging.LogRecord, *, full: bool) -> str:
    """Returns the traceback of a record: as it was folded, unless it is to be full."""
    data = getattr(record, "rotulus", {})
    text = data.get("traceback")
    if text is None:
        return _formatted(record)
    if _FIRST not in text:
        return ""  # no frame: the message says it all
    return text if full else record.exc_text or text


def _formatted(record: logging.LogRecord) -> str:
    if record.exc_text:
        return record.exc_text
    return "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""


def _one_line(text: str) -> str:
    """Returns a text that cannot pretend to be two lines, or to be coloured."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
