"""Writes outcomes to the file: the usual batch in one statement, any other with more care."""

import sqlite3
from collections.abc import Sequence

from rotulus._jobs.outcome import Outcome, cancelled
from rotulus._jobs.states import ENDED, State
from rotulus.store import Claim
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.ask import ask, do


def settle(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> list[Claim]:
    """Record outcomes inside the caller's transaction; the claims that were refused."""
    if all(outcome.state is State.SUCCEEDED for outcome in outcomes):
        con.execute("SAVEPOINT all_succeeded")
        taken = _succeed(con, outcomes, now)
        if taken != len(outcomes):
            con.execute("ROLLBACK TO all_succeeded")
        con.execute("RELEASE all_succeeded")
        if taken == len(outcomes):
            return []
    return _settle_each(con, outcomes, now)


def flags(text: str) -> dict[Claim, bool]:
    """Running claims, and whether each is asked to stop."""
    return {Claim(job, attempt): bool(flag) for job, attempt, flag in rows.read(text)}


def _settle_each(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> list[Claim]:
    held = [Claim(outcome.id, outcome.attempt) for outcome in outcomes]
    running = flags(ask(con, "running", claims=rows.array(held)))
    pairs = zip(outcomes, held, strict=True)
    kept = [_heed(outcome, running[claim]) for outcome, claim in pairs if claim in running]
    successes = [outcome for outcome in kept if outcome.state is State.SUCCEEDED]
    others = [outcome for outcome in kept if outcome.state is not State.SUCCEEDED]
    if successes:
        _succeed(con, successes, now)
    if others:
        do(con, "settle", outcomes=rows.array(rows.other_outcome(o, now) for o in others), now=now)
    back = [(o.id, o.attempt) for o in others if o.state not in ENDED]
    if back:
        do(con, "archive", claims=rows.array(back), now=now)
    return [claim for claim in held if claim not in running]


def _succeed(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> int:
    """How many of them were taken."""
    return do(con, "succeed", outcomes=rows.array(map(rows.success, outcomes)), now=now)


def _heed(outcome: Outcome, cancel_requested: bool) -> Outcome:
    """A job that somebody cancelled is not sent back, nor given up."""
    if cancel_requested and (outcome.lost or outcome.state not in ENDED):
        return cancelled(outcome.id, outcome.attempt)._replace(lost=outcome.lost)
    return outcome
