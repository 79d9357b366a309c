"""`JobRecord`: a job as a store holds it, and the list of its columns; `Terms`: its beginning."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

HISTORY = 100
"""How many of the earlier attempts of a job are read at most: the last ones."""

HISTORY_CHARACTERS = 200_000
"""How long their errors are at most, together."""


Id = Annotated[str, "id"]
"""The id of a job: a UUIDv7 as text."""

Json = Annotated[str, "json"]
"""A JSON text."""

Micros = Annotated[int, "micros"]
"""Microseconds, as a whole number: of a moment, since 1970 (UTC); or of a length of time."""

READ_APART = frozenset({"history", "opens_at"})
"""Fields of a record that are no columns. They are filled only when one job is read by its id."""


class Debounce(NamedTuple):
    """How a job that waits with a key is moved by the next one with that key.

    Attributes:
        wait: seconds from the last one until it is due.
        most: seconds from the first one until it is due in any case; None: for ever.
    """

    wait: float
    most: float | None = None


class Terms(NamedTuple):
    """What jobs that are enqueued together have in common: their task, and how it is delivered.

    Attributes:
        task: the name of the task.
        queue: the queue to wait under.
        priority: higher is sooner.
        delay: seconds from now until they are due.
        at: the moment they are due, instead of a delay.
        expires: seconds from when they are due until they are no longer worth starting; None:
            never.
        window: seconds from now for which a key is held at least; it is held while the job is
            live in any case.
        limit_to: how many jobs with the same `limit_key` may run at once.
        rate_to: how many jobs with the same `limit_key` may be started within `rate_per` seconds.
        rate_per: the length of that window, in seconds.
        schedule: the schedule that has fired them.
        carried: whether they are carried to an endpoint outside: see `rotulus.store.Outbox`.
        debounce: how they move a job that waits with their key; None: they do not.
    """

    task: str
    queue: str = "default"
    priority: int = 0
    delay: float = 0.0
    at: datetime | None = None
    expires: float | None = None
    window: float | None = None
    limit_to: int | None = None
    rate_to: int | None = None
    rate_per: float | None = None
    schedule: str | None = None
    carried: bool = False
    debounce: Debounce | None = None


class JobRecord(NamedTuple):
    """One row. The fields are the columns of the table, and the attributes of `Job`.

    This is the only list of the columns that are read. To add one, add a field here, and a
    migration for each database that adds the column to `rotulus_jobs`.

    Attributes:
        id: its id.
        arguments: the payload.
        key: its unique key.
        limit_key: jobs with the same one are limited together, in number and in rate.
        instant: the scheduled moment it is fired for.
        labels: words by which people find it, by name, as JSON text.
        headers: texts that travel with it for machines, by name, as JSON text.
        task: the name of its task.
        queue: the queue it waits under.
        priority: higher is sooner.
        state: the value of a `State`.
        created_at: when it was added.
        run_at: when it is, or was, due.
        expires_at: when it is no longer worth starting.
        limit_to: how many jobs with its `limit_key` may run at once.
        rate_to: how many jobs with its `limit_key` may start within `rate_per`.
        rate_per: the length of that window.
        schedule: the schedule that has fired it.
        attempt: the number of its last attempt; 0 before the first.
        failures: attempts that failed, since it was added or retried.
        losses: attempts that were lost, since it was added or retried.
        releases: attempts that a worker gave back.
        worker: the worker that has it, or had it last.
        started_at: when its last attempt began.
        ended_at: when it ended.
        cancel_requested: whether it runs, and somebody wants it to stop.
        reason: why it ended as it did, or why it waits: a `Reason`, or words of its task.
        progress: the progress that its last attempt reported last.
        result: what its task returned.
        error: what its last attempt raised, as `write_error` has it.
        fingerprint: failures of one cause have the same: see `rotulus._jobs.fingerprint`.
        run: the id of the job that it is a part of in the end. A job with parts has its own id.
        step: where it stands in the run, as a path: "" is the head, "load" a part of the head,
            "load/3" a part of that part.
        workflow: of a part: the workflow that says what it does.
        waits_for: how many of its needs and parts have not ended; 0 once it has ended itself.
        opened: whether its parts have been added.
        paused: whether its run is paused.
        history: its earlier attempts, as JSON text. See `Queries.get`.
        opens_at: when the rate of its `limit_key` allows a start again. See `Queries.get`.
    """

    id: Id
    arguments: Json
    key: str | None
    limit_key: str | None
    instant: Micros | None
    labels: Json | None
    headers: Json | None
    task: str
    queue: str
    priority: int
    state: str
    created_at: Micros
    run_at: Micros
    expires_at: Micros | None = None
    limit_to: int | None = None
    rate_to: int | None = None
    rate_per: Micros | None = None
    schedule: str | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    releases: int = 0
    worker: str | None = None
    started_at: Micros | None = None
    ended_at: Micros | None = None
    cancel_requested: int = 0
    reason: str | None = None
    progress: Json | None = None
    result: Json | None = None
    error: Json | None = None
    fingerprint: str | None = None
    run: Id | None = None
    step: str | None = None
    workflow: str | None = None
    waits_for: int = 0
    opened: int = 0
    paused: int = 0
    history: Json | None = None
    opens_at: Micros | None = None


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """The aware datetime, in UTC, of whole microseconds since 1970; the last one if it is later."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # reading never raises, also for what an earlier version took
        return datetime.max.replace(tzinfo=UTC)
