"""Log lines for people on a terminal, JSON lines for everybody else."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

_COLOURS = {
    logging.DEBUG: "\x1b[2m",
    logging.INFO: "",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
_PLAIN = "\x1b[0m"


def set_up_logging(level: str, form: str) -> None:
    """Send all logs to standard error.

    Args:
        level: the least level of Rotulus's own lines; other loggers are shown from INFO.
        form: `lines`, `json`, or `auto`: lines on a terminal, else JSON.
    """
    terminal = sys.stderr.isatty()
    as_json = form == "json" or (form == "auto" and not terminal)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else LineFormatter(colours=terminal))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("rotulus").setLevel(level.upper())


class LineFormatter(logging.Formatter):
    """One readable line: the time, the message, and the logger when it is not ours."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created).astimezone()
        whose = "" if record.name == "rotulus" else f"{record.name}: "
        text = f"{at:%H:%M:%S} {whose}{_one_line(record.getMessage())}"
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        colour = _COLOURS.get(record.levelno, "") if self._colours else ""
        return f"{colour}{text}{_PLAIN}" if colour else text


class JsonFormatter(logging.Formatter):
    """One JSON object: `ts`, `level`, `logger`, `message`, and what the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        data: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        data |= getattr(record, "rotulus", {})
        if record.exc_info:
            data["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(data, default=str, ensure_ascii=False)


def _one_line(text: str) -> str:
    """A text that cannot pretend to be two lines, or to be coloured."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
