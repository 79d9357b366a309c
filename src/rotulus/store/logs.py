"""`Logs`: what attempts have logged."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from rotulus._jobs.log_line import LogRow


class LogFilter(NamedTuple):
    """Which lines of a job are wanted.

    Attributes:
        attempt: only those of this attempt.
        level: only those of this level, or above.
        after: only those after this one: the number of an attempt, and of a line in it.
    """

    attempt: int | None = None
    level: int = 0
    after: tuple[int, int] = (0, 0)


class Logs(Protocol):
    """Keeps the lines of attempts, as long as their jobs are kept."""

    def add(self, lines: Sequence[LogRow]) -> None:
        """Keep some lines.

        Lines of an attempt that is not the last one of its job are left out, and so are those of
        a job that is not there. A line that is there already stays as it is.
        """
        ...

    def read(self, job_id: str, wanted: LogFilter, limit: int) -> list[LogRow]:
        """Returns lines of a job, in their order."""
        ...
