"""Writes outcomes to the database, mostly in one statement; and rescues what was lost."""

from collections.abc import Sequence
from typing import NamedTuple

from rotulus._jobs.outcome import LOST, MAX_LOSSES, Outcome, cancelled, write_error
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus.store import Claim
from rotulus.stores._columns import outcome_row, success_row
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.session import Session
from rotulus.stores.shared.adding import add_parts, awaited
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Value


class Settled(NamedTuple):
    """What came of settling: the claims that were refused, and whether there is work for others."""

    refused: list[Claim]
    brings_work: bool


def opens(outcomes: Sequence[Outcome]) -> bool:
    """Whether some of them add parts."""
    return any(outcome.state is State.BLOCKED for outcome in outcomes)


def settle_alone(session: Session, outcomes: Sequence[Outcome]) -> Settled | None:
    """Record outcomes in one statement, which is a transaction.

    None, and nothing is recorded, if some of the jobs are in a run, or begin one: that is for
    `settle`.
    """
    if opens(outcomes):
        return None
    ordered = _in_order(outcomes)
    if all(outcome.state is State.SUCCEEDED for outcome in ordered):
        found = session.fetch("succeed", **rows.many("success", list(map(success_row, ordered))))
    else:
        found = session.fetch("settle", **_outcomes(ordered), locked="false")
    answers = set(found)
    return None if _IN_A_RUN in answers else _settled(outcomes, answers)


def settle(session: Session, outcomes: Sequence[Outcome]) -> Settled:
    """Record outcomes in a transaction that has other statements, too."""
    ordered = _in_order(outcomes)
    session.lock_with_dependants([outcome.id for outcome in ordered])
    answers = _open_some(session, ordered) if opens(ordered) else _settle(session, ordered)
    return _settled(outcomes, answers)


_Answers = set[tuple[str | None, int | None]]
"""Claims that were refused, and what else there is to say."""

_BRINGS_WORK = (None, None)
_IN_A_RUN = (None, 0)


def _settled(outcomes: Sequence[Outcome], answers: _Answers) -> Settled:
    refused = [Claim(o.id, o.attempt) for o in outcomes if (o.id, o.attempt) in answers]
    return Settled(refused, brings_work=_BRINGS_WORK in answers)


def _outcomes(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return rows.many("outcome", list(map(outcome_row, outcomes)))


def _in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Every write of many rows locks them in this order, so that no two wait for each other."""
    return sorted(outcomes, key=lambda outcome: outcome[:2])


def _settle(session: Session, outcomes: Sequence[Outcome]) -> _Answers:
    if not outcomes:
        return set()
    return set(session.fetch("settle", **_outcomes(outcomes), locked="true"))


def _open_some(session: Session, outcomes: Sequence[Outcome]) -> _Answers:
    opening = [outcome for outcome in outcomes if outcome.state is State.BLOCKED]
    others = [outcome for outcome in outcomes if outcome.state is not State.BLOCKED]
    claims = [Claim(outcome.id, outcome.attempt) for outcome in opening]
    running = session.fetch("running", **rows.many("claim", claims))
    stops = {(job, attempt): bool(flag) for job, attempt, flag in running}
    for outcome, claim in zip(opening, claims, strict=True):
        if stops.get(claim):
            others.append(cancelled(*claim))
        elif claim in stops:
            _open(session, outcome)
    answers = _settle(session, _in_order(others))
    return answers | {claim for claim in claims if claim not in stops} | {_BRINGS_WORK}


def _open(session: Session, outcome: Outcome) -> None:
    """Add the parts of a job, which waits for them."""
    [[run, paused]] = session.fetch(
        "open",
        id=outcome.id,
        reason=outcome.reason,
        progress=outcome.progress,
        waits_for=str(awaited(outcome.id, outcome.parts)),
    )
    add_parts(session, outcome.id, outcome.parts, run, paused=bool(paused))


def rescue(session: Session, which: str, **parameters: Value) -> list[JobRecord]:
    """Take jobs back; returns them as they stand then.

    `which` is the statement that finds them, and these are its parameters.
    """
    ids = [job for (job,) in session.fetch(which, **parameters)]
    if not ids:
        return []
    session.lock_with_dependants(ids)
    lost: dict[str, Value] = {"error": write_error(LOST), "fingerprint": LOST.fingerprint}
    ended = session.fetch("rescue", ids=ids, max_losses=MAX_LOSSES, **lost)
    session.unblock([job for (job,) in ended])
    return records_of(session, ids)
