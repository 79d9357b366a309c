"""A job of no store: for the test of a function that takes the job it is run as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import uuid4

from rotulus._jobs.job import Job
from rotulus._jobs.log_line import LogLine, LogRow, check_wanted, read_line
from rotulus._jobs.port import LogsWanted, Progress
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State
from rotulus._text import jsontext
from rotulus.errors import JobNotRunningError


def make_job(
    task: str = "task",
    arguments: Mapping[str, Any] | None = None,
    *,
    attempt: int = 1,
    cancel_requested: bool = False,
) -> Job[Any]:
    """Returns a running job of no store, to call a task with that takes one.

    `count(["a"], job=make_job())` calls the function, `job.reached` tells the progress it reported
    last, and `job.logs()` what it kept with `job.log`. `job.complete(connection)` does nothing;
    methods that need a store raise.

    Args:
        task: the name of its task.
        arguments: its arguments.
        attempt: which attempt it is.
        cancel_requested: whether somebody wants it to stop, so that `raise_if_cancelled` raises.
    """
    now = micros(datetime.now(UTC))
    record = JobRecord(
        id=str(uuid4()),
        arguments=jsontext.encode(dict(arguments or {})),
        key=None,
        limit_key=None,
        instant=None,
        labels=None,
        headers=None,
        task=task,
        queue="default",
        priority=0,
        state=State.RUNNING,
        created_at=now,
        run_at=now,
        started_at=now,
        attempt=attempt,
        cancel_requested=int(cancel_requested),
    )
    running = _Attempt(attempt, cancel_requested)
    return Job(record, _NoPort(running), running)


@dataclass
class _Attempt:
    """An attempt that a test makes."""

    number: int
    cancel_requested: bool
    reached: Progress | None = None
    lines: list[LogRow] = field(default_factory=list[LogRow])

    def report(self, progress: Progress) -> None:
        """Take note of how far it has got."""
        self.reached = progress

    def log(self, text: str, level: int) -> None:
        """Keep a line."""
        now, number = micros(datetime.now(UTC)), len(self.lines) + 1
        self.lines.append(LogRow("", self.number, number, now, level, "", text))

    def note_completed(self) -> None:
        """Nothing is to be settled."""


class _NoPort:
    """Stands where the app of a job would."""

    def __init__(self, attempt: _Attempt) -> None:
        self._attempt = attempt

    def logs(self, _job_id: str, wanted: LogsWanted) -> list[LogLine]:
        """What the task has kept with `job.log`, as far as it is wanted."""
        attempt, level, after, limit = check_wanted(*wanted)
        lines = [
            read_line(row)
            for row in self._attempt.lines
            if attempt in (None, row.attempt)
            and row.level >= level
            and (row.attempt, row.line) > after
        ]
        return lines[:limit]

    def complete(
        self, _record: JobRecord, result: Any, _connection: Any, _reached: Progress | None
    ) -> None:
        """Nothing is to be settled; what cannot be stored is refused all the same."""
        jsontext.encode(result)

    def look(self, job_id: str) -> NoReturn:
        """There is no store to look into."""
        raise JobNotRunningError(
            f"Job {job_id} was made by make_job() and is in no store: use an app in memory, "
            f'App("sqlite://"), and drain it'
        )

    def wait(self, job_id: str, _timeout: float | None) -> NoReturn:
        """There is no worker to wait for."""
        self.look(job_id)

    async def await_end(self, job_id: str, _timeout: float | None) -> NoReturn:
        """There is no worker to wait for."""
        self.look(job_id)

    def value(self, record: JobRecord) -> NoReturn:
        """There is no result to read."""
        self.look(record.id)

    why = cancel = retry = look
