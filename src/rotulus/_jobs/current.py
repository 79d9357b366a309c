"""The attempt that the present code is part of, wherever in the attempt that code runs."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from logging import LogRecord
from typing import Protocol

from rotulus._jobs.record import JobRecord


class CurrentAttempt(Protocol):
    """An attempt under way."""

    @property
    def job(self) -> JobRecord:
        """The job, as it was claimed."""
        ...

    def hear(self, record: LogRecord) -> None:
        """Keep what it has logged. It never raises."""
        ...

    def begin_waiting(self, job_id: str) -> None:
        """Take note that its body waits for the end of another job, in its slot."""
        ...

    def end_waiting(self, job_id: str) -> None:
        """Take note that it does not any more."""
        ...


CURRENT: ContextVar[CurrentAttempt | None] = ContextVar("rotulus_attempt", default=None)
"""Set in the context of each attempt, and so in the threads and asyncio tasks of its body."""


@contextmanager
def waiting_for(job_id: str, *, unless: bool = False) -> Generator[None, None, None]:
    """For the length of the block, the present attempt waits for another job, if there is one.

    Args:
        job_id: the job whose end is waited for.
        unless: whether there is nothing to wait for, as that one has ended already.
    """
    attempt = None if unless else CURRENT.get()
    if attempt is None:
        yield
        return
    attempt.begin_waiting(job_id)
    try:
        yield
    finally:
        attempt.end_waiting(job_id)
