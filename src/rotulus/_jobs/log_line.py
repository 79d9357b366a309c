"""A line that a task has logged during an attempt, as it is kept with the attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from rotulus._jobs.record import Id, Micros, moment
from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError

LogLevel = Literal["debug", "info", "warning", "error"]
"""The least level of the lines that are kept."""

LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
"""The levels of `logging`, by their names here."""

_LARGEST = 2**31 - 1
_LAST_OF_ALL = (_LARGEST, _LARGEST)


class LogRow(NamedTuple):
    """A line as a store has it.

    Attributes:
        job: the job.
        attempt: the number of the attempt.
        line: the number of the line in the attempt, from 1.
        at: when it was logged, in microseconds since 1970, by the clock of the worker.
        level: its level, a number as `logging` has them.
        logger: the name of the logger; "" for `job.log`.
        text: what was logged.
    """

    job: Id
    attempt: int
    line: int
    at: Micros
    level: int
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a task has logged.

    Attributes:
        attempt: the number of the attempt.
        number: the number of the line in the attempt, from 1.
        at: when it was logged, by the clock of the worker.
        level: `debug`, `info`, `warning`, `error` or `critical`.
        logger: the name of the logger; "" for `job.log`. The line that tells how many were left
            out has the logger `rotulus`.
        text: what was logged, with the traceback if there is one.
    """

    attempt: int
    number: int
    at: datetime
    level: str
    logger: str
    text: str

    @property
    def cursor(self) -> str:
        """Its place, for `after=`: gives the lines that follow it."""
        return f"{self.attempt}:{self.number}"

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; its time is ISO 8601 text."""
        return {
            "attempt": self.attempt,
            "number": self.number,
            "at": self.at.isoformat(),
            "level": self.level,
            "logger": self.logger,
            "text": self.text,
        }


class LinesWanted(NamedTuple):
    """Which lines of a job are wanted.

    Attributes:
        attempt: only those of this attempt.
        level: only those of this level, a number, or above.
        after: only those after this one: the number of an attempt, and of a line in it.
        limit: how many at most.
    """

    attempt: int | None
    level: int
    after: tuple[int, int]
    limit: int


def check_wanted(
    attempt: object, after: object | None, level: object | None, limit: object
) -> LinesWanted:
    """Returns which lines are asked for. Raises `OptionError` for what is not allowed."""
    return LinesWanted(
        None if attempt is None else _check_number(attempt, "attempt", 1),
        0 if level is None else check_level(level),
        (0, 0) if after is None else read_cursor(after),
        _check_number(limit, "limit"),
    )


def _check_number(value: object, name: str, least: int = 0) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST:
        return value
    raise OptionError(
        f"{name}={value!r} is not allowed: give a whole number, {least} or more, {_LARGEST} at most"
    )


def read_line(row: LogRow) -> LogLine:
    """A line from its row."""
    reached = ["debug", *(name for name, least in LEVELS.items() if row.level >= least)]
    return LogLine(row.attempt, row.line, moment(row.at), reached[-1], row.logger, row.text)


def check_level(level: object, option: str = "level") -> int:
    """Returns the number of a level. Raises `OptionError` for what is none."""
    if isinstance(level, str) and level in LEVELS:
        return LEVELS[level]
    raise OptionError(
        f"{option}={level!r} is not allowed{did_you_mean(str(level), LEVELS)} (levels: "
        f"{', '.join(LEVELS)})"
    )


def read_cursor(cursor: object) -> tuple[int, int]:
    """The attempt and the number of a line. Raises `OptionError` for what is no cursor."""
    parts = cursor.split(":") if isinstance(cursor, str) else []
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        return min((int(parts[0]), int(parts[1])), _LAST_OF_ALL)
    raise OptionError(
        f"after={cursor!r} is not allowed: give the cursor of a line, such as lines[-1].cursor"
    )
