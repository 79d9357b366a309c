"""The rows that statements answer with, as the values of the contract: the same for both stores."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rotulus._jobs.record import JobRecord, moment
from rotulus._jobs.states import State
from rotulus.errors import OptionError
from rotulus.store import Claim, Count, Renewal, Renewed, WorkerInfo


def counts(found: Iterable[Sequence[Any]]) -> list[Count]:
    """Counts of jobs by group and state."""
    return [Count(group, State(state), jobs) for group, state, jobs in found]


def moments(found: Iterable[Sequence[Any]]) -> dict[str, datetime]:
    """Moments by name."""
    return {name: moment(at) for name, at in found}


def read_worker(row: Sequence[Any], read: Callable[[Any], Iterable[str]]) -> WorkerInfo:
    """A worker, from a row with the fields of `WorkerInfo`; `read` reads a list in it."""
    told = dict(zip(WorkerInfo._fields, row, strict=True))
    for field in ("queues", "names"):
        told[field] = None if told[field] is None else tuple(read(told[field]))
    for field in ("started_at", "seen_at"):
        told[field] = moment(told[field])
    return WorkerInfo(**told)


def renewed(
    claims: Sequence[Renewal], running: Mapping[Claim, bool], passed_over: Sequence[Claim] = ()
) -> Renewed:
    """What became of claims; `running` are those that are held, and whether each is to stop."""
    held = [Claim(claim.id, claim.attempt) for claim in claims]
    return Renewed(
        lost=[claim for claim in held if claim not in running],
        cancelling=[claim for claim in held if running.get(claim)],
        passed_over=list(passed_over),
    )


def may_wait_for_its_rate(job: JobRecord) -> bool:
    """Whether a job waits, and has a rate that may have to allow its start."""
    return job.rate_to is not None and job.state in (State.QUEUED, State.DELAYED)


def check_group(by: str) -> None:
    """Raise `OptionError` unless jobs can be counted by this."""
    if by not in ("queue", "task", "step"):
        raise OptionError(f"count(by={by!r}) is not allowed: choose 'queue', 'task' or 'step'")
