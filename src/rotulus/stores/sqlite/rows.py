"""Our values as the parameters of statements, and the answers of statements as our values."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pydantic_core

from rotulus._jobs.record import JobRecord, micros
from rotulus.store import ClaimFilter, Terms, WorkerInfo
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
        "version": info.version,
        "rotulus": info.rotulus,
        "python": info.python,
        "memory": info.memory,
    }
