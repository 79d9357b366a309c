"""Our values as the parameters of statements, and the answers of statements as our values."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import pydantic_core

from rotulus._jobs.outcome import Outcome, is_release, write_error
from rotulus._jobs.record import JobRecord, micros, moment
from rotulus._jobs.states import ENDED, State
from rotulus.store import ClaimFilter, Count, NewJob, Terms, WorkerInfo
from rotulus.stores._parts import Row

SECOND = 1_000_000
"""Microseconds."""


def span(seconds: float) -> int:
    """Seconds as microseconds."""
    return round(seconds * SECOND)


def read(text: str) -> Any:
    """The values of a JSON text that a statement made."""
    return pydantic_core.from_json(text)


def _write(values: Any) -> str:
    return pydantic_core.to_json(values).decode()


def array(values: Iterable[Any]) -> str:
    """Values as a JSON array."""
    return _write(list(values))


def table(values: Mapping[str, str]) -> str:
    """Names and texts as a JSON object."""
    return _write(values)


def optional_array(values: Collection[str] | None) -> str | None:
    """Values as a JSON array; None, which means all, as NULL."""
    return None if values is None else array(values)


def wanted(what: ClaimFilter) -> dict[str, Any]:
    """What a worker would take, as parameters of the `choose` statement."""
    return {
        "queues": optional_array(what.queues),
        "names": optional_array(what.names),
        "worker": what.worker,
        "grace": None if what.grace is None else span(what.grace),
    }


def records(text: str) -> list[JobRecord]:
    """Job records from a JSON array of arrays."""
    return list(map(JobRecord._make, read(text)))


def shared(terms: Terms, now: int) -> dict[str, Any]:
    """What jobs with the same terms share, as the parameters of the `add` statements."""
    run_at = now + span(terms.delay) if terms.at is None else micros(terms.at)
    return {
        "task": terms.task,
        "queue": terms.queue,
        "priority": terms.priority,
        "state": State.DELAYED if run_at > now else State.QUEUED,
        "now": now,
        "run_at": run_at,
        "expires_at": None if terms.expires is None else max(run_at, now) + span(terms.expires),
        "limit_to": terms.limit_to,
        "rate_to": terms.rate_to,
        "rate_per": None if terms.rate_per is None else span(terms.rate_per),
        "schedule": terms.schedule,
    }


def own(job: NewJob) -> tuple[Any, ...]:
    """What is a job's own, in the order of the `add_keyed` statement."""
    return job.id, job.arguments, job.key, job.limit_key, job.instant and micros(job.instant)


PLAIN = NewJob("", "", Terms(""))[3:]
"""What a job has of its own that has nothing but id, arguments and terms."""


def part(row: Row) -> tuple[Any, ...]:
    """The same of a job in a run, in the order of the `add_parts` statement."""
    return *own(row.job), row.run, row.step, row.job.workflow, row.waits_for, int(row.opened)


def hold_until(terms: Terms, now: int) -> int | None:
    """Until when a key is held at least."""
    return None if terms.window is None else now + span(terms.window)


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
        int(is_release(outcome)),
        outcome.progress,
        int(outcome.lost),
        outcome.result,
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
        "names": optional_array(info.names),
    }


def workers(text: str) -> list[WorkerInfo]:
    """Workers from a JSON array of arrays."""
    return [_worker(*row) for row in read(text)]


def counts(text: str) -> list[Count]:
    """Counts from a JSON array of arrays."""
    return [Count(group, State(state), jobs) for group, state, jobs in read(text)]


def moments(text: str) -> dict[str, datetime]:
    """Names and moments from a JSON array of pairs."""
    return {name: moment(at) for name, at in read(text)}


def _worker(
    name: str,
    host: str,
    pid: int,
    queues: str | None,
    slots: int,
    started_at: int,
    seen_at: int,
    names: str | None,
) -> WorkerInfo:
    served, known = (None if text is None else tuple(read(text)) for text in (queues, names))
    return WorkerInfo(name, host, pid, served, slots, moment(started_at), moment(seen_at), known)


def _run_at(outcome: Outcome, now: int) -> int:
    return now + span(outcome.delay) if outcome.until is None else micros(outcome.until)
