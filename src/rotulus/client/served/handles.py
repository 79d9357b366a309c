"""Jobs of a service as `rotulus.Job`s: commands read handles, and a client has values."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotulus import ErrorInfo, Job, LogLine, State
from rotulus._jobs.grouped import head_arguments
from rotulus._jobs.job import no_result
from rotulus._jobs.kept import kept_reason
from rotulus._jobs.outcome import write_error
from rotulus._jobs.port import LogsWanted
from rotulus._jobs.record import JobRecord, micros
from rotulus._text import jsontext
from rotulus.client.jobs import Jobs
from rotulus.client.problems import ServiceError
from rotulus.client.values import Job as JobValue
from rotulus.client.values import JobAttempt, JobDetail, JobError, JobPage
from rotulus.errors import JobFailedError, JobNotFoundError, JobNotRunningError, RotulusError

_PAGE = 500
_PAGE_WITH_ARGUMENTS = 100


@dataclass(frozen=True, eq=False, repr=False)
class ServedJob(Job[Any]):
    """A job of a service, as it stood when the service answered.

    Attributes:
        whole: whether its arguments were read with it; else they are read when somebody asks.
        tag: the version of it that the service has told.
        listed: the arguments of the list that the job was found in; None: it was in none.
    """

    whole: bool = True
    tag: str | None = None
    listed: "ListedArguments | None" = None

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments by parameter name, as plain JSON data."""
        known = None if self.whole or self.listed is None else self.listed.of(self.id)
        if known is not None:
            return dict(known)
        record = self.record if self.whole else self._port.look(self.id)
        return jsontext.decode(record.arguments)

    @property
    def version(self) -> str:
        """What the service takes as its version; "" where it has told none."""
        return self.tag or ""

    def refresh(self) -> "ServedJob":
        """Returns the job as it stands now. Raises `JobNotFoundError`."""
        return ServedJob(self._port.look(self.id), self._port)


class ListedArguments:
    """The arguments of the jobs of a list, read when somebody asks for those of the first one.

    Args:
        find: finds a page of the list.
        limit: how many jobs the list has at most.
        after: the cursor that the list begins after.
        where: the filters of the list.
    """

    def __init__(
        self,
        find: Callable[..., JobPage],
        limit: int,
        after: str | None,
        where: Mapping[str, Any],
    ) -> None:
        self._find, self._limit, self._after, self._where = find, limit, after, where
        self._found: dict[str, Mapping[str, Any]] | None = None

    def of(self, job_id: str) -> Mapping[str, Any] | None:
        """Returns the arguments of a job; None if the job is not in the list any more."""
        if self._found is None:
            self._found = self._read()
        return self._found.get(job_id)

    def _read(self) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        left, after = self._limit, self._after
        while left > 0:
            limit = min(_PAGE_WITH_ARGUMENTS, left)
            page = self._find(limit=limit, after=after, arguments=True, **self._where)
            found |= {job.id: job.arguments for job in page if job.arguments is not None}
            left, after = left - limit, page.next
            if after is None or page.looked_to is not None:
                break
        return found


class ServedHandles:
    """Makes handles of values, and is where they ask: the port of jobs.

    Args:
        jobs: the jobs of a client.
        place: the address of the service, for what is told.
    """

    def __init__(self, jobs: Jobs, place: str) -> None:
        self._jobs = jobs
        self._place = place

    def handle(self, value: JobValue, listed: ListedArguments | None = None) -> ServedJob:
        """Returns the handle of a value, which was found in a list or alone."""
        if isinstance(value, JobDetail):
            return ServedJob(_record(value), self, tag=value.version)
        return ServedJob(_record(value), self, whole=value.group is not None, listed=listed)

    def named(self, job_id: str, task: str, state: State, instant: datetime | None) -> ServedJob:
        """Returns the handle of a job of which little else is told."""
        at = 0 if instant is None else micros(instant)
        record = JobRecord(
            id=job_id,
            arguments="{}",
            key=None,
            limit_key=None,
            instant=None if instant is None else at,
            labels=None,
            headers=None,
            task=task,
            queue="",
            priority=0,
            state=state.value,
            created_at=at,
            run_at=at,
        )
        return ServedJob(record, self, whole=False)

    def get(self, job_id: str) -> ServedJob:
        """Returns a job, by its id or a beginning of it. Raises `JobNotFoundError`."""
        try:
            return self.handle(self._jobs.get(job_id))
        except JobNotFoundError:
            raise JobNotFoundError(
                f"No job {job_id} in {self._place}, or several ids begin so; a beginning has 8 "
                f"characters at least"
            ) from None

    def look(self, job_id: str) -> JobRecord:
        """Returns the job as it stands now."""
        return _record(self._jobs.get(job_id))

    def wait(self, job_id: str, timeout: float | None) -> JobRecord:
        """Returns the job once it has ended. Raises `ResultTimeoutError`."""
        with suppress(JobFailedError):  # which `value` raises, of the job as it stands
            self._jobs.result(job_id, timeout)
        return self.look(job_id)

    async def await_end(self, job_id: str, timeout: float | None) -> JobRecord:  # noqa: ASYNC109
        """The same, for coroutines."""
        with suppress(JobFailedError):
            await self._jobs.aresult(job_id, timeout)
        return _record(await self._jobs.aget(job_id))

    def value(self, record: JobRecord) -> Any:
        """Returns the result of an ended job. Raises `JobFailedError`: it has none."""
        if record.state == State.SUCCEEDED:
            return jsontext.decode(record.result or "null")
        raise no_result(record)

    def why(self, job_id: str) -> list[str]:
        """Returns why it stands as it does."""
        return list(self._jobs.get(job_id).why)

    def logs(self, job_id: str, wanted: LogsWanted) -> list[LogLine]:
        """Returns lines that its attempts have logged."""
        attempt, after, level, most = wanted
        found: list[LogLine] = []
        while len(found) < most:
            limit = min(_PAGE, most - len(found))
            page = self._jobs.logs(job_id, attempt=attempt, after=after, level=level, limit=limit)
            found += page
            if (after := page.next) is None:
                break
        return found

    def complete(self, record: JobRecord, *_: Any) -> None:
        """Refuse: nothing runs here."""
        raise JobNotRunningError(f"Job {record.id} does not run here")

    def cancel(self, job_id: str) -> JobRecord:
        """Cancel it, and give it as it stands then."""
        self._jobs.cancel(job_id)
        return self.look(job_id)

    def retry(self, job_id: str) -> JobRecord:
        """Send it back to its queue, and give it as it stands then."""
        self._jobs.retry(job_id)
        return self.look(job_id)


@contextmanager
def unchanged(what: str, error: type[RotulusError]) -> Generator[None, None, None]:
    """Say that something is of another version by now, as an app says it, where a block finds that.

    Args:
        what: what it is, with its name.
        error: what is raised.
    """
    try:
        yield
    except ServiceError as told:
        if told.code != "changed_meanwhile":
            raise
        raise error(
            f"{what} has been edited meanwhile, and is not of that version any more: look at it "
            f"again"
        ) from told


def error_info(error: JobError) -> ErrorInfo:
    """Returns an error as jobs have it."""
    return ErrorInfo(error.type, error.message, error.traceback or "", error.fingerprint or "")


def _record(value: JobValue) -> JobRecord:
    """Returns a job as a store holds it, with what the service tells of it."""
    detail = value if isinstance(value, JobDetail) else None
    error = value.error and error_info(value.error)
    progress = value.progress
    return JobRecord(
        id=value.id,
        arguments=_arguments(value),
        key=value.key,
        limit_key=None,
        instant=_micros(value.instant),
        labels=_text(dict(value.labels) or None),
        headers=None if detail is None else _text(dict(detail.headers) or None),
        task=value.task,
        queue=value.queue,
        priority=value.priority,
        state=value.state.value,
        created_at=micros(value.created_at),
        run_at=micros(value.run_at),
        schedule=value.schedule,
        attempt=value.attempt,
        worker=value.worker,
        started_at=_micros(value.started_at),
        ended_at=_micros(value.ended_at),
        cancel_requested=int(value.cancel_requested),
        reason=value.reason,
        progress=progress and _text([progress.done, progress.total, progress.note]),
        result=None if detail is None else _text(detail.result),
        error=write_error(error),
        fingerprint=error and error.fingerprint,
        run=value.run,
        step=value.step,
        opened=int(value.run == value.id if detail is None else detail.parts is not None),
        paused=int(value.paused),
        history=None if detail is None else _text(list(map(_row, detail.attempts)) or None),
    )


def _arguments(value: JobValue) -> str:
    if value.group is not None:  # whose arguments say that it is the callback of a group
        return head_arguments(value.group)
    return jsontext.encode(dict(value.arguments)) if isinstance(value, JobDetail) else "{}"


def _row(attempt: JobAttempt) -> list[Any]:
    """Returns an earlier attempt as a store writes it."""
    return [
        attempt.number,
        kept_reason(attempt.reason, attempt.outcome),
        attempt.worker,
        _micros(attempt.started_at),
        micros(attempt.ended_at),
        write_error(attempt.error and error_info(attempt.error)),
    ]


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
