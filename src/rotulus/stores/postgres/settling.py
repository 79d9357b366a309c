"""Writes outcomes to the database: the usual batch in one statement, any other in a longer one."""

from collections.abc import Sequence
from typing import NamedTuple

from rotulus._jobs.outcome import Outcome, cancelled
from rotulus._jobs.states import State
from rotulus.store import Claim
from rotulus.stores import _parts as parts
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Session
from rotulus.stores.postgres.batches import add_parts


class Settled(NamedTuple):
    """What came of settling: the claims that were refused, and whether there is work for others."""

    refused: list[Claim]
    brings_work: bool


def opens(outcomes: Sequence[Outcome]) -> bool:
    """Whether some of them add parts, which takes more than one statement."""
    return any(outcome.state is State.BLOCKED for outcome in outcomes)


def settle(session: Session, outcomes: Sequence[Outcome]) -> Settled:
    """Record outcomes: in one statement, which is a transaction, unless some add parts."""
    # All who write many rows do it in the same order, so that none wait for each other in a ring.
    ordered = sorted(outcomes, key=lambda outcome: outcome[:2])
    answers = _open_some(session, ordered) if opens(ordered) else _settle(session, ordered)
    refused = [Claim(o.id, o.attempt) for o in outcomes if (o.id, o.attempt) in answers]
    return Settled(refused, brings_work=(None, None) in answers)


def unblock(session: Session, ended: Sequence[str]) -> bool:
    """What waited for these, and for nothing else, is due; whether anything is."""
    return bool(ended) and bool(session.rows("unblock", ids=rows.array(ended)))


_Answers = set[tuple[str | None, int | None]]
"""Claims that were refused, and a pair of None if there is work for others."""


def _settle(session: Session, outcomes: Sequence[Outcome]) -> _Answers:
    if not outcomes:
        return set()
    if all(outcome.state is State.SUCCEEDED for outcome in outcomes):
        found = session.rows("succeed", **rows.successes(outcomes))
    else:
        found = session.rows("settle", **rows.outcomes(outcomes))
    return {(job, attempt) for job, attempt in found}


def _open_some(session: Session, outcomes: Sequence[Outcome]) -> _Answers:
    opening = [outcome for outcome in outcomes if outcome.state is State.BLOCKED]
    others = [outcome for outcome in outcomes if outcome.state is not State.BLOCKED]
    claims = [Claim(outcome.id, outcome.attempt) for outcome in opening]
    held = session.rows("hold", **rows.claims(claims))
    stops = {(job, attempt): bool(flag) for job, attempt, flag in held}
    for outcome, claim in zip(opening, claims, strict=True):
        if stops.get(claim):
            others.append(cancelled(*claim))
        elif claim in stops:
            _open(session, outcome)
    answers = _settle(session, sorted(others, key=lambda outcome: outcome[:2]))
    return answers | {claim for claim in claims if claim not in stops} | {(None, None)}


def _open(session: Session, outcome: Outcome) -> None:
    """Add the parts of a job, which waits for them."""
    waiting = parts.needs(outcome.id, outcome.parts)
    [[run, paused]] = session.rows(
        "open",
        id=outcome.id,
        reason=outcome.reason,
        progress=outcome.progress,
        waits_for=str(parts.awaited(outcome.id, waiting)),
    )
    add_parts(session, parts.part_rows(outcome.parts, run), waiting, paused=bool(paused))
