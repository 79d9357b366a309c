"""A job as the store holds it: JSON as text, times as whole microseconds since 1970 (UTC)."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

HISTORY = 100
"""How many of the earlier attempts of a job are read at most: the last ones."""

HISTORY_CHARACTERS = 200_000
"""How long their errors are at most, together."""


class JobRecord(NamedTuple):
    """One row. The field names are those of the columns, and of `Job`'s attributes.

    `state` is the value of a `State`. `history` holds earlier attempts as JSON text, `opens_at` the
    moment when the rate of its `limit_key` has room again; both are filled only when one job is
    read by its id.

    A job with parts, and every part, has a `run`: the id of the job that all of them are parts of
    in the end. `step` is a path there: "" is that job, "load" a part of it, "load/3" a part of it.
    `waits_for` counts the needs and parts that have not ended, until it has ended itself.
    """

    id: str
    arguments: str
    key: str | None
    limit_key: str | None
    instant: int | None
    task: str
    queue: str
    priority: int
    state: str
    created_at: int
    run_at: int
    expires_at: int | None = None
    limit_to: int | None = None
    rate_to: int | None = None
    rate_per: int | None = None
    schedule: str | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    releases: int = 0
    worker: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    cancel_requested: int = 0
    reason: str | None = None
    progress: str | None = None
    result: str | None = None
    error: str | None = None
    run: str | None = None
    step: str | None = None
    workflow: str | None = None
    waits_for: int = 0
    opened: int = 0
    paused: int = 0
    history: str | None = None
    opens_at: int | None = None


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """The aware datetime, in UTC, of whole microseconds since 1970; the last one if it is later."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # reading never raises, also for what an earlier version took
        return datetime.max.replace(tzinfo=UTC)
