"""Our values as the parameters of statements, and the answers of statements as our values."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from rotulus._outcome import Outcome, write_error
from rotulus._record import JobRecord, micros, moment
from rotulus._states import ENDED, State
from rotulus.store import Count, NewJob, WorkerInfo

SECOND = 1_000_000
"""Microseconds."""

_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def array(values: Iterable[Any]) -> str:
    """Values as a JSON array."""
    return _write(list(values))


def optional_array(values: Collection[str] | None) -> str | None:
    """Values as a JSON array; None, which means all, as NULL."""
    return None if values is None else array(values)


def records(text: str) -> list[JobRecord]:
    """Job records from a JSON array of arrays."""
    return [JobRecord._make((*row, None)) for row in json.loads(text)]


def new_job(job: NewJob, now: int) -> tuple[Any, ...]:
    """A job to add, in the order of the `add` statement."""
    run_at = now + _span(job.delay) if job.at is None else micros(job.at)
    return (
        job.id,
        job.task,
        job.arguments,
        job.queue,
        job.priority,
        run_at,
        None if job.expires is None else max(run_at, now) + _span(job.expires),
        job.key,
        None if job.window is None else now + _span(job.window),
        job.limit_key,
        job.limit_to,
        job.schedule,
        None if job.instant is None else micros(job.instant),
    )


def added(job: NewJob, row: tuple[Any, ...], now: int) -> JobRecord:
    """The record of a job that was added as this row."""
    run_at, expires_at, instant = row[5], row[6], row[12]
    return JobRecord(
        job.id,
        job.task,
        job.queue,
        job.priority,
        State.DELAYED if run_at > now else State.QUEUED,
        job.arguments,
        created_at=now,
        run_at=run_at,
        expires_at=expires_at,
        limit_key=job.limit_key,
        limit_to=job.limit_to,
        schedule=job.schedule,
        instant=instant,
    )


def success(outcome: Outcome) -> tuple[Any, ...]:
    """An outcome that succeeded, in the order of the `succeed` statement."""
    return outcome.id, outcome.attempt, outcome.result, outcome.progress


def other_outcome(outcome: Outcome, now: int) -> tuple[Any, ...]:
    """An outcome that did not, in the order of the `settle` statement."""
    ended = outcome.state in ENDED
    run_at = None if ended else _run_at(outcome, now)
    waits = run_at is not None and run_at > now
    return (
        outcome.id,
        outcome.attempt,
        State.DELAYED if waits else outcome.state,
        outcome.reason,
        write_error(outcome.error),
        run_at,
        now if ended else None,
        int(outcome.failed),
        int(not ended and not outcome.failed),
        outcome.progress,
    )


def worker(info: WorkerInfo) -> dict[str, Any]:
    """A worker, as the parameters of the `announce` statement."""
    return {
        "name": info.name,
        "host": info.host,
        "pid": info.pid,
        "queues": optional_array(info.queues),
        "slots": info.slots,
        "started_at": micros(info.started_at),
    }


def workers(text: str) -> list[WorkerInfo]:
    """Workers from a JSON array of arrays."""
    return [_worker(*row) for row in json.loads(text)]


def counts(text: str) -> list[Count]:
    """Counts from a JSON array of arrays."""
    return [Count(group, State(state), jobs) for group, state, jobs in json.loads(text)]


def moments(text: str) -> dict[str, datetime]:
    """Names and moments from a JSON array of pairs."""
    return {name: moment(at) for name, at in json.loads(text)}


def _worker(
    name: str, host: str, pid: int, queues: str | None, slots: int, started_at: int, seen_at: int
) -> WorkerInfo:
    served = None if queues is None else tuple(json.loads(queues))
    return WorkerInfo(name, host, pid, served, slots, moment(started_at), moment(seen_at))


def _run_at(outcome: Outcome, now: int) -> int:
    return now + _span(outcome.delay) if outcome.until is None else micros(outcome.until)


def _span(seconds: float) -> int:
    return round(seconds * SECOND)
