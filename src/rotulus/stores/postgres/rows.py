"""Our values as the parameters of statements, and the answers of statements as our values."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from rotulus._jobs.record import JobRecord, micros
from rotulus.store import ClaimFilter, Terms, WorkerInfo
from rotulus.stores import _columns
from rotulus.stores.shared.session import Row, Value


def array(values: Iterable[object]) -> str:
    """Values as an array, in PostgreSQL's notation."""
    return "{" + ",".join(map(_element, values)) + "}"


def optional_array(values: Collection[str] | None) -> str | None:
    """Values as an array; None, which means all, as NULL."""
    return None if values is None else array(values)


def plain_array(values: Iterable[str]) -> str:
    """Ids and numbers as an array."""
    return "{" + ",".join(values) + "}"


def json_array(texts: Sequence[str | None]) -> str:
    """JSON texts as an array. There is no control character in them, so one can stand between."""
    if not texts or None in texts:
        return array(texts)
    joined = _BETWEEN.join(cast("Sequence[str]", texts))
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + escaped.replace(_BETWEEN, '","') + '"}'


_BETWEEN = "\x1f"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def span(seconds: float | None) -> str | None:
    """Seconds as microseconds."""
    return text(_columns.span(seconds))


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds."""
    return str(round(seconds * 1000))


def records(found: Iterable[Row]) -> list[JobRecord]:
    """Job records from rows of the view."""
    return list(map(JobRecord._make, found))


def claimed(found: Sequence[Row]) -> tuple[list[JobRecord], list[int]]:
    """Job records and the `seq` of each, from the rows of a claim; one without an id is no job."""
    whole = [row for row in found if row[0] is not None]
    records = [JobRecord._make(row[:_WIDTH]) for row in whole]
    return records, [row[_WIDTH] for row in whole]


def is_refused(found: Sequence[Row]) -> bool:
    """Whether a claim has taken nothing, as it has to be made in another way."""
    return bool(found) and found[-1][0] is None


def refusal(found: Sequence[Row]) -> str | None:
    """Why a claim has taken nothing; None if it has done what it could."""
    return found[-1][-1] if is_refused(found) else None


_WIDTH = len(JobRecord._fields)


def many(kind: str, values: Sequence[Sequence[Any]]) -> dict[str, str]:
    """Rows of a kind as the parameters of a statement: an array for each of their columns."""
    writers = _WRITERS[kind]
    columns = zip(*values, strict=True) if values else [()] * len(writers)
    return {
        name: write(column) for (name, write), column in zip(writers.items(), columns, strict=True)
    }


def _numbers(values: Sequence[int]) -> str:
    return plain_array(map(str, values))


def _writer(column: _columns.Column) -> Callable[[Sequence[Any]], str]:
    if column.kind == "json":
        return json_array
    if column.optional:
        return array
    return {"id": plain_array, "int": _numbers, "micros": _numbers}.get(column.kind, array)


_WRITERS = {
    kind: {f"{kind}_{column.name}": _writer(column) for column in _columns.columns_of(*row)}
    for kind, row in _columns.ROWS.items()
}
"""What writes the values of each parameter, for each kind of row."""


@lru_cache(maxsize=256)
def shared(terms: Terms) -> Mapping[str, str | None]:
    """What jobs with the same terms share, as the parameters of the `add` statements."""
    return {
        **{name: text(value) for name, value in _columns.terms_values(terms).items()},
        "delay": span(terms.delay),
        "at": None if terms.at is None else str(micros(terms.at)),
        "expires": span(terms.expires),
    }


def wanted(what: ClaimFilter) -> dict[str, str | None]:
    """What a worker would take, as parameters."""
    return {
        "queues": optional_array(what.queues),
        "names": optional_array(what.names),
        "worker": what.worker,
        "grace": span(what.grace),
    }


def worker(info: WorkerInfo) -> dict[str, str | None]:
    """A worker, as the parameters of the `announce` statement."""
    return {
        "name": info.name,
        "host": info.host,
        "pid": str(info.pid),
        "queues": optional_array(info.queues),
        "slots": str(info.slots),
        "started_at": str(micros(info.started_at)),
        "names": optional_array(info.names),
        "version": info.version,
        "rotulus": info.rotulus,
        "python": info.python,
        "memory": None if info.memory is None else str(info.memory),
    }


def text(value: Value) -> str | None:
    """A parameter as the driver takes it."""
    if value is None or isinstance(value, str):
        return value
    return array(value) if isinstance(value, list) else str(value)
