"""`client.jobs`: the jobs of a service: found, counted, read, and waited for."""

from math import ceil
from typing import Any, NamedTuple, Unpack

from rotulus import JobCount, LogLine
from rotulus._app.resources.where import Where
from rotulus._time.clock import monotonic
from rotulus._time.lengths import check_seconds
from rotulus.client.calls import Call, get, path_of, query_of, reader
from rotulus.client.job_verbs import JobVerbs
from rotulus.client.values import (
    Job,
    JobCounts,
    JobDetail,
    JobPage,
    Page,
    page_reader,
    read_count,
    read_counts,
    read_jobs,
)
from rotulus.client.wire import Wire
from rotulus.errors import ResultTimeoutError
from rotulus.filters import CountedBy

_LONGEST_WAIT = 60
"""Seconds that the service lets a request wait at most."""

_job, _detail, _lines = reader(Job), reader(JobDetail), page_reader(LogLine)


class _Result(NamedTuple):
    """What a job has returned."""

    value: Any


class Jobs(JobVerbs):
    """The jobs of a service, with the verbs of `app.jobs`.

    Each verb has a form that begins with `a`, for coroutines. Filters are those of `app.jobs.find`.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get(self, job_id: str) -> JobDetail:
        """Returns a job, with its arguments, result, earlier attempts, and why it stands so.

        Args:
            job_id: its id, or a beginning of it that no other id has.

        Raises:
            JobNotFoundError: there is no such job, or there are several.
            ServiceError: the service refuses, or does not answer; so do all verbs.
        """
        return self._wire.send(_get(job_id))

    def find(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        arguments: bool = False,
        **where: Unpack[Where],
    ) -> JobPage:
        """Returns the jobs that match, the last added first.

        Args:
            limit: at most so many: up to 500.
            after: `page.next` of the page before, with the same filters.
            arguments: whether they are told with their arguments: up to 100 then.
            where: which jobs.

        Raises:
            OptionError: a filter does not exist, or no job can have its value.
        """
        return self._wire.send(_find(limit, after, where, arguments=arguments))

    def count(self, **where: Unpack[Where]) -> JobCount:
        """Returns how many jobs match: exact up to 10,000."""
        return self._wire.send(get("/jobs/$count", read_count, query_of(**where)))

    def count_by(self, by: CountedBy, *, limit: int = 50, **where: Unpack[Where]) -> JobCounts:
        """Returns how many jobs match of each error, task, queue or worker; the most first.

        Args:
            by: `"error"`, `"task"`, `"queue"` or `"worker"`.
            limit: at most so many of them: up to 500.
            where: which jobs; the last 10,000 that match are counted.
        """
        return self._wire.send(_count_by(by, limit, where))

    def result(self, job_id: str, timeout: float | None = None) -> Any:
        """Returns what the task of a job has returned, as JSON data; waits until then.

        Args:
            job_id: its id.
            timeout: seconds to wait; None: as long as it takes.

        Raises:
            JobFailedError: it has ended without a result.
            ResultTimeoutError: it has not ended in that time. It is not cancelled.
            OptionError: the timeout is no length of time.
        """
        end = _end(timeout)
        while True:
            found = self._wire.send(_result(job_id, _wait(end)))
            if isinstance(found, _Result):
                return found.value
            _check_end(end, found)

    def logs(
        self,
        job_id: str,
        *,
        attempt: int | None = None,
        after: str | None = None,
        level: str | None = None,
        limit: int = 500,
    ) -> Page[LogLine]:
        """Returns the lines that the attempts of a job have logged, the oldest first.

        Args:
            job_id: its id.
            attempt: only those of this attempt.
            after: the `cursor` of a line: only those that follow it.
            level: only those of this level, or above.
            limit: at most so many: up to 500.
        """
        return self._wire.send(_logs(job_id, attempt, after, level, limit))

    async def aget(self, job_id: str) -> JobDetail:
        """`get`, for coroutines."""
        return await self._wire.asend(_get(job_id))

    async def afind(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        arguments: bool = False,
        **where: Unpack[Where],
    ) -> JobPage:
        """`find`, for coroutines."""
        return await self._wire.asend(_find(limit, after, where, arguments=arguments))

    async def acount(self, **where: Unpack[Where]) -> JobCount:
        """`count`, for coroutines."""
        return await self._wire.asend(get("/jobs/$count", read_count, query_of(**where)))

    async def acount_by(
        self, by: CountedBy, *, limit: int = 50, **where: Unpack[Where]
    ) -> JobCounts:
        """`count_by`, for coroutines."""
        return await self._wire.asend(_count_by(by, limit, where))

    async def aresult(self, job_id: str, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - as result
        """`result`, for coroutines."""
        end = _end(timeout)
        while True:
            found = await self._wire.asend(_result(job_id, _wait(end)))
            if isinstance(found, _Result):
                return found.value
            _check_end(end, found)

    async def alogs(
        self,
        job_id: str,
        *,
        attempt: int | None = None,
        after: str | None = None,
        level: str | None = None,
        limit: int = 500,
    ) -> Page[LogLine]:
        """`logs`, for coroutines."""
        return await self._wire.asend(_logs(job_id, attempt, after, level, limit))


def _get(job_id: str) -> Call[JobDetail]:
    path = path_of("jobs", job_id)
    return Call("GET", path, _detail, repeatable=True, versioned=True)


def _find(limit: int, after: str | None, where: Where, *, arguments: bool = False) -> Call[JobPage]:
    query = query_of(limit=limit, after=after, arguments=arguments or None, **where)
    return get("/jobs", read_jobs, query)


def _count_by(by: str, limit: int, where: Where) -> Call[JobCounts]:
    return get("/jobs/$count_by", read_counts, query_of(by=by, limit=limit, **where))


def _result(job_id: str, wait: int) -> Call[_Result | Job]:
    path, headers = path_of("jobs", job_id, "$result"), {"Prefer": f"wait={wait}"}
    return Call("GET", path, _read_result, headers=headers, repeatable=True, seconds=wait)


def _read_result(body: Any) -> _Result | Job:
    return _Result(body["result"]) if "result" in body else _job(body)


def _logs(
    job_id: str, attempt: int | None, after: str | None, level: str | None, limit: int
) -> Call[Page[LogLine]]:
    query = query_of(attempt=attempt, after=after, level=level, limit=limit)
    return get(path_of("jobs", job_id, "$logs"), _lines, query)


def _end(timeout: float | None) -> float | None:
    """Returns until when to wait. Of what lies in the past already, a result is asked for once."""
    if timeout is None:
        return None
    try:
        past = timeout < 0
    except TypeError:  # no number: the check says so
        past = False
    return monotonic() + (0.0 if past else check_seconds(timeout, "timeout"))


def _wait(end: float | None) -> int:
    """Returns how many seconds the service shall wait for the end of a job: whole ones."""
    if end is None:
        return _LONGEST_WAIT
    return max(0, min(_LONGEST_WAIT, ceil(end - monotonic())))


def _check_end(end: float | None, job: Job) -> None:
    if end is not None and monotonic() >= end:
        raise ResultTimeoutError(f"Job {job.id} of {job.task} has not ended: it is {job.state}")
