"""The filter that tells log records which job they belong to."""

import logging
from typing import Any

from rotulus._jobs.current import CURRENT
from rotulus._jobs.record import JobRecord

FIELDS = ("job", "task", "attempt", "run", "step")


class JobLogFilter(logging.Filter):
    """Puts the job on each log record: `job`, `task`, `attempt`, `run` and `step`.

    Add it to a handler: `handler.addFilter(JobLogFilter())`, or in a `dictConfig`
    `"filters": {"job": {"()": "rotulus.JobLogFilter"}}`. Then a format may hold `%(job)s`. Records
    that are made while a task runs carry the job it runs for, in any library; Rotulus's own
    lines about a job carry that job. On other records all five are None, as are `run` and `step`
    where the job is no part of a workflow. Fields from `extra=` stay. It lets
    every record pass.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the job on a record."""
        data: dict[str, Any] | None = getattr(record, "rotulus", None)
        about = _current() if data is None else data
        for name in FIELDS:
            if not hasattr(record, name):
                setattr(record, name, about.get(name))
        return True


def _current() -> dict[str, Any]:
    attempt = CURRENT.get()
    return {} if attempt is None else job_fields(attempt.job)


def job_fields(job: JobRecord) -> dict[str, Any]:
    """The fields that name the job of a record: for `JobLogFilter`, and for structured logs."""
    return {
        "job": job.id,
        "task": job.task,
        "attempt": job.attempt,
        "run": job.run,
        "step": job.step,
    }
