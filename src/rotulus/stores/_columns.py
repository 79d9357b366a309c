"""The columns of a job: the rows that statements write, and the record that they read.

Each row is a `NamedTuple`, and its fields are the only list of its columns: SQL and parameters are
made from them when a store is imported. What statements read is `JobRecord`.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, get_args, get_type_hints

from rotulus._jobs.log_line import LogRow
from rotulus._jobs.outcome import Outcome, is_release, write_error
from rotulus._jobs.record import READ_APART, Debounce, Id, JobRecord, Json, Micros, micros
from rotulus._jobs.states import ENDED, State
from rotulus.store import (
    Advance,
    AuditRow,
    Claim,
    NewJob,
    Renewal,
    ScheduleRow,
    Terms,
    TokenRow,
    WebhookRow,
)

SECOND = 1_000_000
"""Microseconds."""


class PlainRow(NamedTuple):
    """A new job that has nothing of its own but id and arguments."""

    id: Id
    arguments: Json


class KeyedRow(NamedTuple):
    """A new job in no run."""

    id: Id
    arguments: Json
    key: str | None
    limit_key: str | None
    instant: Micros | None
    labels: Json | None
    headers: Json | None


class RunRow(NamedTuple):
    """A new job that may be in a run."""

    id: Id
    arguments: Json
    key: str | None
    limit_key: str | None
    instant: Micros | None
    labels: Json | None
    headers: Json | None
    run: Id | None
    step: str | None
    workflow: str | None
    waits_for: int
    opened: bool


class TermsRow(NamedTuple):
    """What new jobs with the same terms share, but for the moments that the store's clock gives."""

    task: str
    queue: str
    priority: int
    limit_to: int | None
    rate_to: int | None
    rate_per: Micros | None
    schedule: str | None


class TimesRow(NamedTuple):
    """The times of a new job, in lengths from now; `at` is a moment."""

    delay: Micros
    at: Micros | None
    expires: Micros | None
    hold: Micros | None


class SuccessRow(NamedTuple):
    """The outcome of an attempt whose task returned."""

    id: Id
    attempt: int
    result: Json | None
    progress: Json | None


class OutcomeRow(NamedTuple):
    """Any other outcome. A job that ends has no `delay` and is not put off `until` a moment."""

    id: Id
    attempt: int
    state: str
    reason: str | None
    result: Json | None
    error: Json | None
    delay: Micros | None
    until: Micros | None
    failed: int
    lost: int
    released: int
    progress: Json | None
    fingerprint: str | None


class Need(NamedTuple):
    """One job waits for another.

    Attributes:
        need: the job that is waited for.
        job: the job that waits.
        part: whether the first is a part of the second.
    """

    need: Id
    job: Id
    part: bool


class FailureRow(NamedTuple):
    """The jobs of a failure group that are of one task."""

    fingerprint: str
    task: str


class DebouncedRow(NamedTuple):
    """A waiting job, and what a newer one with its key brings: see `Debounce`."""

    id: Id
    arguments: Json
    labels: Json | None
    headers: Json | None
    wait: Micros
    most: Micros | None
    expires: Micros | None


class MoveRow(NamedTuple):
    """What becomes of an entry of the outbox; `job` is the number of its job, not the id."""

    job: int
    kind: str
    due_at: Micros


class PutRow(NamedTuple):
    """A schedule that is written."""

    name: str
    cron: str
    timezone: str
    task: str | None
    arguments: Json
    missed: str
    overlap: str
    spread: Micros
    start_at: Micros | None
    end_at: Micros | None
    origin: str
    since: Micros
    paused_at: Micros | None
    declared_at: Micros | None
    created_at: Micros | None


ROWS: dict[str, tuple[type[Any], ...]] = {
    "plain": (PlainRow,),
    "keyed": (KeyedRow,),
    "in_run": (RunRow, TermsRow, TimesRow),
    "success": (SuccessRow,),
    "outcome": (OutcomeRow,),
    "claim": (Claim,),
    "renewal": (Renewal,),
    "need": (Need,),
    "put": (PutRow,),
    "schedule": (ScheduleRow,),
    "move": (MoveRow,),
    "debounced": (DebouncedRow,),
    "failure": (FailureRow,),
    "log": (LogRow,),
    "audit": (AuditRow,),
    "token": (TokenRow,),
    "webhook": (WebhookRow,),
    "advance": (Advance,),
}
"""Rows that statements take many of at once, by the name of each in SQL: the columns of these."""

# Rows are given as plain tuples, which are written as JSON five times as fast as named ones.

plain_row: Callable[[NewJob], tuple[Any, ...]] = attrgetter(*PlainRow._fields)
success_row: Callable[[Outcome], tuple[Any, ...]] = attrgetter(*SuccessRow._fields)
_as_given: Callable[[NewJob], tuple[Any, ...]] = attrgetter(*KeyedRow._fields)


def keyed_row(job: NewJob) -> tuple[Any, ...]:
    """A new job in no run: a `KeyedRow`."""
    row = _as_given(job)
    if job.instant is None:
        return row
    return tuple(KeyedRow._make(row)._replace(instant=micros(job.instant)))


def debounced_row(holder: str, job: NewJob) -> tuple[Any, ...]:
    """What a job that waits gets from a newer one with its key: a `DebouncedRow`.

    Args:
        holder: the id of the one that waits.
        job: the newer one.
    """
    wait, most = job.terms.debounce or Debounce(job.terms.delay)
    times = span(wait), span(most), span(job.terms.expires)
    return (holder, job.arguments, job.labels, job.headers, *times)


def run_row(
    job: NewJob,
    run: str | None = None,
    step: str | None = None,
    waits_for: int = 0,
    *,
    opened: bool = False,
) -> tuple[Any, ...]:
    """A new job that may be in a run, with terms of its own: a `RunRow`, and what follows it.

    Args:
        job: the job.
        run: the run it is in.
        step: where it stands there.
        waits_for: how many jobs it waits for.
        opened: whether it is added with its parts.
    """
    return (*keyed_row(job), run, step, job.workflow, waits_for, opened, *_own_terms(job.terms))


@lru_cache(maxsize=256)
def _own_terms(terms: Terms) -> tuple[Any, ...]:
    """What a new job has that shares its terms with no other: a `TermsRow`, and a `TimesRow`."""
    at = None if terms.at is None else micros(terms.at)
    times = TimesRow(span(terms.delay), at, span(terms.expires), span(terms.window))
    return (*terms_values(terms).values(), *times)


@lru_cache(maxsize=256)
def terms_values(terms: Terms) -> dict[str, Any]:
    """What new jobs share, by column; not to be changed. Most jobs have the terms of their task."""
    row = TermsRow(
        task=terms.task,
        queue=terms.queue,
        priority=terms.priority,
        limit_to=terms.limit_to,
        rate_to=terms.rate_to,
        rate_per=span(terms.rate_per),
        schedule=terms.schedule,
    )
    return row._asdict()


def outcome_row(outcome: Outcome) -> tuple[Any, ...]:
    """Any outcome that does not open a job: an `OutcomeRow`."""
    ended = outcome.state in ENDED
    until = None if ended or outcome.until is None else micros(outcome.until)
    made = OutcomeRow(
        id=outcome.id,
        attempt=outcome.attempt,
        state=outcome.state,
        reason=outcome.reason,
        result=outcome.result,
        error=write_error(outcome.error),
        delay=None if ended else span(outcome.delay),
        until=until,
        failed=int(outcome.failed),
        lost=int(outcome.lost),
        released=int(is_release(outcome)),
        progress=outcome.progress,
        fingerprint=None if outcome.error is None else outcome.error.fingerprint or None,
    )
    return tuple(made)


def are_plain(jobs: Sequence[NewJob]) -> bool:
    """Whether jobs have nothing of their own but id and arguments."""
    return all(job[_OPTIONAL:] == _NOTHING for job in jobs)


_OPTIONAL = len(NewJob._fields) - len(NewJob._field_defaults)
_NOTHING = tuple(NewJob._field_defaults.values())


def new_records(
    rows: Sequence[tuple[Any, ...]], terms: Terms, now: int, run_at: int
) -> list[JobRecord]:
    """The records of new jobs, by their rows, without asking the store for them."""
    if not rows:
        return []
    model = JobRecord(
        **_OWN,
        **terms_values(terms),
        state=first_state(now, run_at),
        created_at=now,
        run_at=run_at,
        expires_at=expires_at(terms, now, run_at),
    )
    shared, make = model[len(rows[0]) :], JobRecord._make
    return [make(row + shared) for row in rows]


_OWN: dict[str, Any] = dict.fromkeys(KeyedRow._fields)
"""What each of them has of its own. A record begins with it."""


def first_state(now: int, run_at: int) -> State:
    """The state of a new job that waits for no other."""
    return State.DELAYED if run_at > now else State.QUEUED


def expires_at(terms: Terms, now: int, run_at: int) -> int | None:
    """When new jobs expire, if they do."""
    return None if terms.expires is None else max(run_at, now) + span(terms.expires)


def span(seconds: float | None) -> Any:
    """Seconds as microseconds."""
    return None if seconds is None else round(seconds * SECOND)


def record_columns(table: str) -> str:
    """The columns of a record, as SQL; those that are read apart are NULL."""
    return ", ".join(
        "NULL" if name in READ_APART else f"{table}.{name}" for name in JobRecord._fields
    )


class Column(NamedTuple):
    """A column of a row.

    Attributes:
        name: its name.
        kind: `id`, `json` and `micros` as annotated above; else `str`, `int` or `bool`.
        optional: whether it may be NULL.
    """

    name: str
    kind: str
    optional: bool


def columns_of(*rows: type[Any]) -> list[Column]:
    """The columns of some rows, in their order."""
    hints = [get_type_hints(row, include_extras=True) for row in rows]
    return [_column(*hint) for own in hints for hint in own.items()]


def _column(name: str, hint: Any) -> Column:
    optional = type(None) in get_args(hint)
    plain = next(arg for arg in get_args(hint) if arg is not type(None)) if optional else hint
    annotated = getattr(plain, "__metadata__", None)
    return Column(name, annotated[0] if annotated else plain.__name__, optional)
