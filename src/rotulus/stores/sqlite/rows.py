"""Our values as the parameters of statements, and the answers of statements as our values."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import pydantic_core

from rotulus._jobs.record import JobRecord, micros, moment
from rotulus._jobs.states import State
from rotulus.store import ClaimFilter, Count, Terms, WorkerInfo
from rotulus.stores._columns import expires_at, first_state, span, terms_values


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
        **terms_values(terms),
        "now": now,
        "run_at": run_at,
        "state": first_state(now, run_at),
        "expires_at": expires_at(terms, now, run_at),
    }


def hold_until(terms: Terms, now: int) -> int | None:
    """Until when a key is held at least."""
    return None if terms.window is None else now + span(terms.window)


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
