"""Writes outcomes to the file, the usual batch in one statement; and rescues what was lost."""

from collections.abc import Sequence
from typing import NamedTuple

from rotulus._jobs.outcome import LOST, MAX_LOSSES, Outcome, cancelled, write_error
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, State
from rotulus.store import Claim
from rotulus.stores._columns import outcome_row, success_row
from rotulus.stores.shared.adding import add_parts, awaited
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Value
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.counting import count_attempts, count_outcomes
from rotulus.stores.sqlite.session import Session


class Settled(NamedTuple):
    """What came of settling: the claims that were refused, and whether there is work for others."""

    refused: list[Claim]
    brings_work: bool


def settle(session: Session, outcomes: Sequence[Outcome]) -> Settled:
    """Record outcomes inside the caller's transaction."""
    if all(outcome.state is State.SUCCEEDED for outcome in outcomes):
        session.run("SAVEPOINT all_succeeded")
        taken = _succeed(session, outcomes)
        if taken != len(outcomes):
            session.run("ROLLBACK TO all_succeeded")
        session.run("RELEASE all_succeeded")
        if taken == len(outcomes):
            return Settled([], _unblocks(session, outcomes))
    return _settle_each(session, outcomes)


def flags(text: str) -> dict[Claim, bool]:
    """Running claims, and whether each is asked to stop."""
    return {Claim(job, attempt): bool(flag) for job, attempt, flag in rows.read(text)}


def _settle_each(session: Session, outcomes: Sequence[Outcome]) -> Settled:
    held = [Claim(outcome.id, outcome.attempt) for outcome in outcomes]
    running = flags(session.fetch_value("running", claims=rows.array(held)))
    pairs = zip(outcomes, held, strict=True)
    kept = [
        _unless_cancelled(outcome, running[claim]) for outcome, claim in pairs if claim in running
    ]
    successes = [outcome for outcome in kept if outcome.state is State.SUCCEEDED]
    others = [outcome for outcome in kept if outcome.state is not State.SUCCEEDED]
    count_outcomes(session, others)
    for outcome in others:
        if outcome.state is State.BLOCKED:
            _open(session, outcome)
    others = [outcome for outcome in others if outcome.state is not State.BLOCKED]
    if successes:
        _succeed(session, successes)
    if others:
        session.execute("settle", outcomes=rows.array(map(outcome_row, others)))
    back = [(o.id, o.attempt) for o in others if o.state not in ENDED]
    if back:
        session.execute("archive", claims=rows.array(back))
    unblocks = _unblocks(session, kept)
    refused = [claim for claim in held if claim not in running]
    return Settled(refused, unblocks or any(outcome.state not in ENDED for outcome in kept))


def _succeed(session: Session, outcomes: Sequence[Outcome]) -> int:
    """How many of them were taken. A trigger counts them in the statistics."""
    return session.execute("succeed", outcomes=rows.array(map(success_row, outcomes)))


def _unblocks(session: Session, outcomes: Sequence[Outcome]) -> bool:
    return session.unblock([outcome.id for outcome in outcomes if outcome.state in ENDED])


def _open(session: Session, outcome: Outcome) -> None:
    """Add the parts of a job, which waits for them."""
    opened = rows.array([(outcome.id, outcome.attempt)])
    [(run, paused)] = session.fetch(
        "open",
        id=outcome.id,
        attempt=outcome.attempt,
        reason=outcome.reason,
        progress=outcome.progress,
        waits_for=awaited(outcome.id, outcome.parts),
    )
    add_parts(session, outcome.id, outcome.parts, run, paused=bool(paused))
    session.execute("archive", claims=opened)


def _unless_cancelled(outcome: Outcome, cancel_requested: bool) -> Outcome:
    """A job that somebody cancelled is not sent back, nor given up."""
    if cancel_requested and (outcome.lost or outcome.state not in ENDED):
        return cancelled(outcome.id, outcome.attempt)._replace(lost=outcome.lost)
    return outcome


def rescue(session: Session, which: str, **parameters: Value) -> list[JobRecord]:
    """Take jobs back; returns them as they stand then.

    `which` is the statement that finds them, and these are its parameters.
    """
    claims = session.fetch_value(which, **parameters)
    lost: dict[str, Value] = {"error": write_error(LOST), "fingerprint": LOST.fingerprint}
    count_attempts(session, claims)
    session.execute("rescue", claims=claims, max_losses=MAX_LOSSES, **lost)
    session.execute("archive", claims=claims)
    found = records_of(session, [job for job, _ in rows.read(claims)])
    session.unblock([job.id for job in found if job.ended_at])
    return found
