"""Reads the lines that attempts have logged, for the app and for its jobs."""

from rotulus._jobs.log_line import LogLine, check_level, read_cursor, read_line
from rotulus._jobs.port import LogsWanted
from rotulus.errors import OptionError
from rotulus.store import LogFilter, Store

_LARGEST = 2**31 - 1


def read_lines(store: Store, job_id: str, wanted: LogsWanted) -> list[LogLine]:
    """Returns lines of a job, in their order. Raises `OptionError`."""
    if wanted.attempt is not None:
        _check(wanted.attempt, "attempt")
    level = 0 if wanted.level is None else check_level(wanted.level)
    after = (0, 0) if wanted.after is None else read_cursor(wanted.after)
    where = LogFilter(wanted.attempt, level, after)
    return [read_line(row) for row in store.logs.read(job_id, where, _check(wanted.limit, "limit"))]


def _check(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
        return value
    raise OptionError(
        f"{name}={value!r} is not allowed: give a whole number, 0 or more, {_LARGEST} at most"
    )
