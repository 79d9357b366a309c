"""The ports of a job: to the app that it belongs to, and to the attempt under way."""

from typing import Any, NamedTuple, Protocol

from rotulus._jobs.log_line import LogLine
from rotulus._jobs.record import JobRecord


class Progress(NamedTuple):
    """How far a running task says it has got: `done` of `total`, and a note."""

    done: float
    total: float | None = None
    note: str = ""


class LogsWanted(NamedTuple):
    """Which lines of a job are wanted, as they were asked for.

    Attributes:
        attempt: only those of this attempt.
        after: only those after the line with this cursor.
        level: only those of this level, or above.
        limit: how many at most.
    """

    attempt: int | None
    after: str | None
    level: str | None
    limit: int


class EnqueueRequest(NamedTuple):
    """The request of an enqueue that found a job with the same key."""

    task: str
    arguments: str
    queue: str
    priority: int


class JobPort(Protocol):
    """Where a job asks about itself: the app it belongs to."""

    def look(self, job_id: str) -> JobRecord:
        """Returns the job as it stands now."""
        ...

    def wait(self, job_id: str, timeout: float | None, /) -> JobRecord:
        """Returns the job once it has ended."""
        ...

    async def await_end(self, job_id: str, timeout: float | None, /) -> JobRecord:  # noqa: ASYNC109
        """Returns the job once it has ended, without blocking the event loop."""
        ...

    def value(self, record: JobRecord) -> Any:
        """Returns the result of an ended job, or the error that says why there is none."""
        ...

    def why(self, job_id: str) -> list[str]:
        """Returns why it stands as it does."""
        ...

    def complete(
        self, record: JobRecord, result: Any, connection: Any, reached: Progress | None, /
    ) -> None:
        """Settle a running attempt as succeeded, in the transaction of a connection.

        `reached` is how far it says it has got.
        """
        ...

    def logs(self, job_id: str, wanted: LogsWanted, /) -> list[LogLine]:
        """Returns lines that its attempts have logged."""
        ...

    def cancel(self, job_id: str) -> JobRecord:
        """Cancel it, and give it as it stands then."""
        ...

    def retry(self, job_id: str) -> JobRecord:
        """Send it back to its queue, and give it as it stands then."""
        ...


class Running(Protocol):
    """The attempt under way, as the worker that runs it sees it."""

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody wants it to stop."""
        ...

    @property
    def reached(self) -> Progress | None:
        """How far it says it has got, if it does."""
        ...

    def report(self, progress: Progress) -> None:
        """Take note of how far it has got."""
        ...

    def log(self, text: str, level: int) -> None:
        """Keep a line with it."""
        ...

    def note_completed(self) -> None:
        """Take note that it has settled itself, if its transaction commits."""
        ...
