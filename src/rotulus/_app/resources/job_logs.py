"""What the jobs of an app have logged: a part of `app.jobs`."""

from collections.abc import Callable

from rotulus._app.port import AppPort
from rotulus._app.resources.where import check_text
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.log_line import LogLine
from rotulus._jobs.port import LogsWanted


class JobLogs:
    """The lines that attempts have logged.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def logs(
        self,
        job_id: str,
        *,
        attempt: int | None = None,
        after: str | None = None,
        level: str | None = None,
        limit: int = 10_000,
    ) -> list[LogLine]:
        """Returns the lines that the attempts of a job have logged, oldest first.

        While an attempt runs, its lines come about a second later.

        Args:
            job_id: its id, or a beginning of it that no other id has.
            attempt: only lines of this attempt.
            after: the cursor of a line: gives those that follow it.
            level: only lines of this level, or above: `debug`, `info`, `warning`, `error` or
                `critical`.
            limit: at most so many.

        Raises:
            JobNotFoundError: there is no such job, or there are several.
            OptionError: an argument is not allowed.
        """
        port = self._port()
        wanted = LogsWanted(attempt, after, level, limit)
        return port.logs(port.pick(check_text("job id", job_id)).id, wanted)

    async def alogs(
        self,
        job_id: str,
        *,
        attempt: int | None = None,
        after: str | None = None,
        level: str | None = None,
        limit: int = 10_000,
    ) -> list[LogLine]:
        """`logs`, without blocking the event loop."""
        return await off_loop(
            self.logs, job_id, attempt=attempt, after=after, level=level, limit=limit
        )
