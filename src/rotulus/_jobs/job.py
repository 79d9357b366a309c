"""A job as users hold it: what was enqueued, how it stands, and what can be asked of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple

from typing_extensions import TypeVar

from rotulus._concurrency.pool import off_loop
from rotulus._jobs.grouped import group_name, is_group
from rotulus._jobs.kept import kept_word, own_reason
from rotulus._jobs.labels import read_texts
from rotulus._jobs.log_line import LogLine
from rotulus._jobs.outcome import ErrorInfo, OutcomeWord, read_error
from rotulus._jobs.port import EnqueueRequest, JobPort, LogsWanted, Progress, Running
from rotulus._jobs.record import JobRecord, moment
from rotulus._jobs.running_job import RunningJob
from rotulus._jobs.states import State
from rotulus._text import jsontext
from rotulus.errors import JobFailedError

V_co = TypeVar("V_co", covariant=True, default=Any)


class Attempt(NamedTuple):
    """An earlier attempt of a job, one that was followed by another.

    Attributes:
        number: which attempt it was, from 1.
        reason: what ended it: `retry`, `snooze`, `shutdown`, `unstarted`, `lost`, or how the job
            had ended before an operator retried it.
        worker: the worker that ran it.
        started_at: when it was claimed.
        ended_at: when it ended.
        error: what it raised, if it raised.
        outcome: its outcome in one word, as statistics have it. `retried`, `lost`, `snoozed` or
            `released`: the job went on by itself. `opened`: it went on when its parts had ended.
            `succeeded`, `failed`, `dead`, `cancelled` or `skipped`: the job had ended so before an
            operator retried or skipped it.
    """

    number: int
    reason: str
    worker: str | None
    started_at: datetime | None
    ended_at: datetime
    error: ErrorInfo | None
    outcome: OutcomeWord

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; its times are ISO 8601 text."""
        error = self.error and self.error._asdict()
        times = {"started_at": _iso(self.started_at), "ended_at": _iso(self.ended_at)}
        return self._asdict() | times | {"error": error}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Job(RunningJob, Generic[V_co]):
    """One durable intent to run a task, as it stood when it was read.

    A job never changes under your hands: `refresh()` gives it as it stands now. In a task that
    asks for it (`def crunch(path: str, job: Job = INJECTED)`), it is the job being run, and
    `progress()` and `raise_if_cancelled()` work.
    """

    record: JobRecord
    _port: JobPort
    _running: Running | None = None
    _request: EnqueueRequest | None = None

    @property
    def id(self) -> str:
        """Its id: a UUID (version 7) as text."""
        return self.record.id

    @property
    def task(self) -> str:
        """The name of its task."""
        return self.record.task

    @property
    def queue(self) -> str:
        """The queue it waits or waited under."""
        return self.record.queue

    @property
    def priority(self) -> int:
        """Higher is sooner; 0 unless given."""
        return self.record.priority

    @property
    def state(self) -> State:
        """How it stood when it was read."""
        return State(self.record.state)

    @property
    def reason(self) -> str | None:
        """Why it stands like that, in one word; None when there is nothing to say."""
        return self.record.reason

    @property
    def error(self) -> ErrorInfo | None:
        """The error of its last attempt, if there is one."""
        return read_error(self.record.error, self.record.fingerprint)

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments by parameter name, as plain JSON data."""
        return jsontext.decode(self.record.arguments)

    @property
    def labels(self) -> dict[str, str]:
        """The words by which it is found, by name."""
        return read_texts(self.record.labels)

    @property
    def headers(self) -> dict[str, str]:
        """The texts that travel with it for machines, such as a trace context, by name."""
        return read_texts(self.record.headers)

    @property
    def attempt(self) -> int:
        """The number of its last attempt; 0 before the first."""
        return self.record.attempt

    @property
    def key(self) -> str | None:
        """Its unique key, if it has one."""
        return self.record.key

    @property
    def existed(self) -> bool:
        """Whether the enqueue that gave it added none, as this one held its key."""
        return self._request is not None

    @property
    def as_asked(self) -> bool:
        """Whether it has the task, arguments, queue and priority that the enqueue asked for."""
        if self._request is None:
            return True
        has = self.record
        task, arguments, queue, priority = self._request
        if (task, queue, priority) != (has.task, has.queue, has.priority):
            return False
        mine, theirs = map(jsontext.decode, (has.arguments, arguments))
        return jsontext.canonical(mine) == jsontext.canonical(theirs)

    @property
    def worker(self) -> str | None:
        """The worker that has it or had it last."""
        return self.record.worker

    @property
    def schedule(self) -> str | None:
        """The name of the schedule that has fired it, if one has."""
        return self.record.schedule

    @property
    def instant(self) -> datetime | None:
        """The instant it was fired for; None also of a job that a schedule fired by hand."""
        return _moment(self.record.instant)

    @property
    def run(self) -> str | None:
        """The run of a workflow that it is a part of, if it is: the id of the job that ends it."""
        return self.record.run

    @property
    def is_run(self) -> bool:
        """Whether it is itself a run: of a workflow that has begun, or of a group."""
        return self.record.run == self.record.id

    @property
    def group(self) -> str | None:
        """The name of the group that it is the callback of."""
        return group_name(self.record) if is_group(self.record) else None

    @property
    def step(self) -> str | None:
        """Where it stands in its run: the id of a step, or a path such as `parse/17`."""
        return self.record.step

    @property
    def paused(self) -> bool:
        """Whether its run is paused."""
        return bool(self.record.paused)

    @property
    def created_at(self) -> datetime:
        """When it was enqueued."""
        return moment(self.record.created_at)

    @property
    def run_at(self) -> datetime:
        """The earliest moment of its next attempt, or what that was for the last one."""
        return moment(self.record.run_at)

    @property
    def started_at(self) -> datetime | None:
        """When its last attempt was claimed."""
        return _moment(self.record.started_at)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""
        return _moment(self.record.ended_at)

    @property
    def reached(self) -> Progress | None:
        """The last progress its task reported, if any."""
        if self._running is not None and (reported := self._running.reached) is not None:
            return reported
        text = self.record.progress
        return Progress(*jsontext.decode(text)) if text else None

    @property
    def attempts(self) -> Sequence[Attempt]:
        """Its earlier attempts, oldest first; read with `refresh()` or `app.get(id)`.

        Of more than a hundred, or of errors of more than 200,000 characters, the last ones: the
        number of the first one here tells how many came before it.
        """
        rows = jsontext.decode(self.record.history) if self.record.history else ()
        return tuple(_earlier(*row) for row in rows)

    @property
    def cancel_requested(self) -> bool:
        """Whether it is running and somebody wants it to stop."""
        if self._running is not None:
            return self._running.cancel_requested
        return bool(self.record.cancel_requested)

    @property
    def version(self) -> str:
        """A text that is another one once somebody has edited it: see `app.jobs.edit`."""
        seen = (self.record.arguments, self.record.priority, self.record.run_at)
        return hashlib.sha256(repr(seen).encode(errors="replace")).hexdigest()[:16]

    def to_dict(self, *, arguments: bool = True) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data: its times are ISO 8601 text.

        Its result, its headers and its earlier attempts are not among them, which may be large.

        Args:
            arguments: whether its arguments are among them, which may be large, too.
        """
        reached, error = self.reached, self.error
        return {
            "id": self.id,
            "task": self.task,
            "queue": self.queue,
            "state": self.state,
            "reason": self.reason,
            "priority": self.priority,
            "key": self.key,
            "labels": self.labels,
            "attempt": self.attempt,
            "run": self.run,
            "group": self.group,
            "step": self.step,
            "paused": self.paused,
            **({"arguments": self.arguments} if arguments else {}),
            "schedule": self.schedule,
            "instant": _iso(self.instant),
            "created_at": _iso(self.created_at),
            "run_at": _iso(self.run_at),
            "started_at": _iso(self.started_at),
            "ended_at": _iso(self.ended_at),
            "worker": self.worker,
            "cancel_requested": self.cancel_requested,
            "progress": reached and reached._asdict(),
            "error": error and error._asdict(),
        }

    def result(self, timeout: float | None = None) -> V_co:
        """Returns the result of its task, in the task's return type. Waits for the end.

        Args:
            timeout: the longest time to wait, in seconds; None waits for ever.

        Raises:
            JobFailedError: it ended without a result.
            JobNotFoundError: it has been pruned.
            ResultTimeoutError: it has not ended in time; the message says why it may wait.
        """
        return self._port.value(self._port.wait(self.id, timeout))

    async def aresult(self, timeout: float | None = None) -> V_co:  # noqa: ASYNC109
        """`result()`, without blocking the event loop."""
        return self._port.value(await self._port.await_end(self.id, timeout))

    def refresh(self) -> "Job[V_co]":
        """Returns the job as it stands now. Raises `JobNotFoundError` when it has been pruned."""
        return Job(self._port.look(self.id), self._port)

    async def arefresh(self) -> "Job[V_co]":
        """`refresh()`, without blocking the event loop."""
        return await off_loop(self.refresh)

    def logs(
        self,
        *,
        attempt: int | None = None,
        after: str | None = None,
        level: str | None = None,
        limit: int = 10_000,
    ) -> list[LogLine]:
        """Returns the lines that its attempts have logged, oldest first. See `app.jobs.logs`."""
        return self._port.logs(self.id, LogsWanted(attempt, after, level, limit))

    async def alogs(
        self,
        *,
        attempt: int | None = None,
        after: str | None = None,
        level: str | None = None,
        limit: int = 10_000,
    ) -> list[LogLine]:
        """`logs()`, without blocking the event loop."""
        return await off_loop(self.logs, attempt=attempt, after=after, level=level, limit=limit)

    def why(self) -> list[str]:
        """Returns why it has not run yet, or how it ended, in sentences, the main reason first."""
        return self._port.why(self.id)

    async def awhy(self) -> list[str]:
        """`why()`, without blocking the event loop."""
        return await off_loop(self.why)

    def cancel(self) -> "Job[V_co]":
        """Cancel it: at once when it waits, at the next renewal of its lease when it runs."""
        return Job(self._port.cancel(self.id), self._port)

    async def acancel(self) -> "Job[V_co]":
        """`cancel()`, without blocking the event loop."""
        return await off_loop(self.cancel)

    def retry(self) -> "Job[V_co]":
        """Send it back to its queue, if it ended `failed`, `dead` or `cancelled`."""
        return Job(self._port.retry(self.id), self._port)

    async def aretry(self) -> "Job[V_co]":
        """`retry()`, without blocking the event loop."""
        return await off_loop(self.retry)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.task} {self.record.state}>"


def no_result(record: JobRecord) -> JobFailedError:
    """Returns the error of a job that has ended without a result."""
    error = read_error(record.error)
    reason = f" ({record.reason})" if record.reason else ""
    return JobFailedError(
        f"Job {record.id} of {record.task!r} has no result: it {State(record.state).words}{reason}"
        f"{f': {error.in_full}' if error else ''}",
        state=record.state,
        reason=record.reason,
        traceback=error.traceback if error else "",
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _earlier(
    number: int,
    kept: str,
    worker: str | None,
    started_at: int | None,
    ended_at: int,
    error: str | None,
) -> Attempt:
    return Attempt(
        number,
        own_reason(kept),
        worker,
        _moment(started_at),
        moment(ended_at),
        read_error(error),
        kept_word(kept, has_error=error is not None),
    )
