"""Our values as the parameters of statements, and the answers of statements as our values."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from rotulus._jobs.outcome import Outcome, is_release, write_error
from rotulus._jobs.record import JobRecord, micros, moment
from rotulus._jobs.states import ENDED, State
from rotulus._text.jsontext import encode_plain
from rotulus.store import Claim, ClaimFilter, Count, NewJob, Renewal, Terms, WorkerInfo
from rotulus.stores import _parts
from rotulus.stores.postgres.ask import Row

SECOND = 1_000_000
"""Microseconds."""


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
    return None if seconds is None else str(round(seconds * SECOND))


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds."""
    return str(round(seconds * 1000))


def records(found: Iterable[Row]) -> list[JobRecord]:
    """Job records from rows of the view."""
    return list(map(JobRecord._make, found))


def shared(terms: Terms) -> dict[str, str | None]:
    """What jobs with the same terms share, as the parameters of the `add` statements."""
    return {
        "task": terms.task,
        "queue": terms.queue,
        "priority": str(terms.priority),
        "delay": span(terms.delay),
        "at": None if terms.at is None else str(micros(terms.at)),
        "expires": span(terms.expires),
        "limit_to": _number(terms.limit_to),
        "rate_to": _number(terms.rate_to),
        "rate_per": span(terms.rate_per),
        "schedule": terms.schedule,
    }


def own(jobs: Sequence[NewJob]) -> dict[str, str]:
    """What is the jobs' own, as parameters of the `add` statement."""
    return {
        "ids": plain_array([job.id for job in jobs]),
        "arguments": json_array([job.arguments for job in jobs]),
    }


def own_keyed(jobs: Sequence[NewJob]) -> dict[str, str]:
    """The same for the `add_keyed` statement."""
    return own(jobs) | {
        "keys": array(job.key for job in jobs),
        "limit_keys": array(job.limit_key for job in jobs),
        "instants": array(job.instant and micros(job.instant) for job in jobs),
    }


PLAIN = NewJob("", "", Terms(""))[3:]
"""What a job has of its own that has nothing but id, arguments and terms."""


def parts(jobs: Sequence[_parts.Row]) -> dict[str, str]:
    """The same of jobs in a run, for the `add_parts` statement."""
    return own_keyed([row.job for row in jobs]) | {
        "runs": array(row.run for row in jobs),
        "steps": array(row.step for row in jobs),
        "workflows": array(row.job.workflow for row in jobs),
        "waits": array(row.waits_for for row in jobs),
        "opened": array(row.opened for row in jobs),
    }


def needs(all_needs: Sequence[_parts.Need]) -> dict[str, str]:
    """Who waits for whom, as the parameters of the `add_needs` statement."""
    return {
        "needs": array(need.need for need in all_needs),
        "jobs": array(need.job for need in all_needs),
        "parts": array(need.part for need in all_needs),
    }


def renewals(held: Sequence[Renewal]) -> dict[str, str]:
    """Claims to renew, as the parameters of the `renew` statement."""
    return {
        "ids": array(claim.id for claim in held),
        "attempts": array(claim.attempt for claim in held),
        "progresses": array(claim.progress for claim in held),
        "reasons": array(claim.reason for claim in held),
    }


def claims(held: Sequence[Claim]) -> dict[str, str]:
    """Claims as parameters."""
    return {"ids": array(claim.id for claim in held), "attempts": array(c.attempt for c in held)}


def successes(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Outcomes that succeeded, as the parameters of the `succeed` statement."""
    return {
        "ids": plain_array([outcome.id for outcome in outcomes]),
        "attempts": plain_array([str(outcome.attempt) for outcome in outcomes]),
        "results": json_array([outcome.result for outcome in outcomes]),
        "progresses": json_array([outcome.progress for outcome in outcomes]),
    }


def outcomes(all_of_them: Sequence[Outcome]) -> dict[str, str]:
    """Outcomes of any kind, as the parameters of the `settle` statement."""
    columns = zip(*map(_outcome, all_of_them), strict=True)
    return {name: array(column) for name, column in zip(_OUTCOME, columns, strict=True)}


_OUTCOME = (
    "ids",
    "attempts",
    "states",
    "reasons",
    "results",
    "errors",
    "delays",
    "moments",
    "failures",
    "losses",
    "releases",
    "progresses",
)


def _outcome(outcome: Outcome) -> tuple[object, ...]:
    ended = outcome.state in ENDED
    return (
        outcome.id,
        outcome.attempt,
        str(outcome.state),
        outcome.reason and str(outcome.reason),
        outcome.result,
        write_error(outcome.error),
        None if ended else span(outcome.delay),
        None if ended or outcome.until is None else micros(outcome.until),
        int(outcome.failed),
        int(outcome.lost),
        int(is_release(outcome)),
        outcome.progress,
    )


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
    }


def workers(found: Iterable[Row]) -> list[WorkerInfo]:
    """Workers from rows."""
    return [_worker(*row) for row in found]


def _worker(
    name: str,
    host: str,
    pid: int,
    queues: list[str] | None,
    slots: int,
    started_at: int,
    seen_at: int,
    names: list[str] | None,
) -> WorkerInfo:
    served = None if queues is None else tuple(queues)
    known = None if names is None else tuple(names)
    return WorkerInfo(name, host, pid, served, slots, moment(started_at), moment(seen_at), known)


def counts(found: Iterable[Row]) -> list[Count]:
    """Counts from rows."""
    return [Count(group, State(state), jobs) for group, state, jobs in found]


def moments(found: Iterable[Row]) -> dict[str, Any]:
    """Names and moments from rows."""
    return {name: moment(at) for name, at in found}


def history(found: Sequence[Row]) -> str:
    """The earlier attempts of a job, as JSON text."""
    return encode_plain([list(row) for row in found])


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
