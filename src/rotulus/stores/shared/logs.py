"""The log lines of a store. See `rotulus.store.Logs`."""

from collections.abc import Callable, Sequence
from typing import Any

from rotulus._jobs.log_line import LogRow
from rotulus._text.ids import is_id
from rotulus.store import LogFilter
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]


class SharedLogs:
    """What attempts have logged.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
    """

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    def add(self, lines: Sequence[LogRow]) -> None:
        """Keep some lines. See `Logs.add`."""
        self._write(lambda session: session.execute("add_logs", **session.rows("log", lines)))

    def read(self, job_id: str, wanted: LogFilter, limit: int) -> list[LogRow]:
        """Lines of a job. See `Logs.read`."""
        if not is_id(job_id):
            return []
        after_attempt, after_line = wanted.after
        where: dict[str, Any] = {"id": job_id, "attempt": wanted.attempt, "level": wanted.level}
        where |= {"after_attempt": after_attempt, "after_line": after_line, "limit": limit}
        found = self._read(lambda session: session.fetch("read_logs", **where))
        return [LogRow(job_id, *row) for row in found]
