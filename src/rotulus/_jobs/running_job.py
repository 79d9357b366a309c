"""`RunningJob`: what a task asks of the job that it is run as."""

from typing import Any

from rotulus._jobs.log_line import check_level
from rotulus._jobs.port import JobPort, Progress, Running
from rotulus._jobs.record import JobRecord
from rotulus._jobs.signals import Cancel
from rotulus.errors import JobNotRunningError


class RunningJob:
    """The verbs of a job that only its own task can use, while it runs."""

    __slots__ = ()

    record: JobRecord
    _port: JobPort
    _running: Running | None

    def progress(self, done: float, total: float | None = None, note: str = "") -> None:
        """Say how far the running task has got; stored about once a second, the last one always.

        Raises:
            JobNotRunningError: this is not the job a task was given.
        """
        self._attempt().report(Progress(done, total, note))

    def log(self, text: object, level: str = "info") -> None:
        """Keep a line with the attempt, whatever the levels of `logging` are.

        It is kept as the lines of the task's own `logging` are: see `logs`. It is not written to
        the log of the worker.

        Args:
            text: the line; anything else than a text is kept as `str` of it.
            level: `debug`, `info`, `warning`, `error` or `critical`.

        Raises:
            JobNotRunningError: this is not the job a task was given.
            OptionError: there is no such level.
        """
        self._attempt().log(str(text), check_level(level))

    def complete(self, connection: Any, result: Any = None) -> None:
        """End the running job as succeeded, in a transaction of yours.

        What the transaction does, and the end of the job, happen together or not at all: so the
        effects of a task on the database that holds its job happen exactly once, though it may be
        run twice. Call it last, and commit. A later return value of the task is not stored.

        Args:
            connection: a connection or session on the database of the jobs, as for `using`.
            result: what `job.result()` gives.

        Raises:
            JobNotRunningError: this attempt is not the job's any more; roll back. Or this is not
                the job a task was given.
            OptionError: the connection is not to that database.
        """
        attempt = self._attempt()
        self._port.complete(self.record, result, connection, attempt.reached)
        attempt.note_completed()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancel` when somebody wants the running task to stop.

        A plain function cannot be interrupted from outside; call this between its steps.

        Raises:
            JobNotRunningError: this is not the job a task was given.
        """
        if self._attempt().cancel_requested:
            raise Cancel("cancelled on request")

    def _attempt(self) -> Running:
        if self._running is None:
            raise JobNotRunningError(
                f"Job {self.record.id} is not being run here: take it as a parameter of the task, "
                f"'job: Job', and call this on that one"
            )
        return self._running
