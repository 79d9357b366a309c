"""Writes outcomes to the file: the usual batch in one statement, any other with more care."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from rotulus._jobs.outcome import Outcome, cancelled
from rotulus._jobs.states import ENDED, State
from rotulus.store import Claim
from rotulus.stores import _parts as parts
from rotulus.stores._columns import outcome_row, success_row
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.batches import add_parts
from rotulus.stores.sqlite.statements import execute, fetch_row, fetch_value


class Settled(NamedTuple):
    """What came of settling: the claims that were refused, and whether there is work for others."""

    refused: list[Claim]
    brings_work: bool


def settle(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> Settled:
    """Record outcomes inside the caller's transaction."""
    if all(outcome.state is State.SUCCEEDED for outcome in outcomes):
        con.execute("SAVEPOINT all_succeeded")
        taken = _succeed(con, outcomes, now)
        if taken != len(outcomes):
            con.execute("ROLLBACK TO all_succeeded")
        con.execute("RELEASE all_succeeded")
        if taken == len(outcomes):
            return Settled([], _unblocks(con, outcomes, now))
    return _settle_each(con, outcomes, now)


def flags(text: str) -> dict[Claim, bool]:
    """Running claims, and whether each is asked to stop."""
    return {Claim(job, attempt): bool(flag) for job, attempt, flag in rows.read(text)}


def _settle_each(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> Settled:
    held = [Claim(outcome.id, outcome.attempt) for outcome in outcomes]
    running = flags(fetch_value(con, "running", claims=rows.array(held)))
    pairs = zip(outcomes, held, strict=True)
    kept = [
        _unless_cancelled(outcome, running[claim]) for outcome, claim in pairs if claim in running
    ]
    successes = [outcome for outcome in kept if outcome.state is State.SUCCEEDED]
    others = [outcome for outcome in kept if outcome.state is not State.SUCCEEDED]
    for outcome in others:
        if outcome.state is State.BLOCKED:
            _open(con, outcome, now)
    others = [outcome for outcome in others if outcome.state is not State.BLOCKED]
    if successes:
        _succeed(con, successes, now)
    if others:
        execute(con, "settle", outcomes=rows.array(map(outcome_row, others)), now=now)
    back = [(o.id, o.attempt) for o in others if o.state not in ENDED]
    if back:
        execute(con, "archive", claims=rows.array(back), now=now)
    unblocks = _unblocks(con, kept, now)
    refused = [claim for claim in held if claim not in running]
    return Settled(refused, unblocks or any(outcome.state not in ENDED for outcome in kept))


def _succeed(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> int:
    """How many of them were taken."""
    return execute(con, "succeed", outcomes=rows.array(map(success_row, outcomes)), now=now)


def unblock(con: sqlite3.Connection, ended: Sequence[str], now: int) -> bool:
    """What waited for these, and for nothing else, is due; whether anything waited."""
    if not ended or not fetch_value(con, "any_needs"):
        return False
    return execute(con, "unblock", ended=rows.array(ended), now=now) > 0


def _unblocks(con: sqlite3.Connection, outcomes: Sequence[Outcome], now: int) -> bool:
    return unblock(con, [outcome.id for outcome in outcomes if outcome.state in ENDED], now)


def _open(con: sqlite3.Connection, outcome: Outcome, now: int) -> None:
    """Add the parts of a job, which waits for them."""
    waiting = parts.needs(outcome.id, outcome.parts)
    opened = rows.array([(outcome.id, outcome.attempt)])
    run, paused = fetch_row(
        con,
        "open",
        id=outcome.id,
        attempt=outcome.attempt,
        reason=outcome.reason,
        progress=outcome.progress,
        waits_for=parts.awaited(outcome.id, waiting),
        now=now,
    )
    add_parts(con, parts.part_rows(outcome.parts, run), waiting, now, paused=bool(paused))
    execute(con, "archive", claims=opened, now=now)


def _unless_cancelled(outcome: Outcome, cancel_requested: bool) -> Outcome:
    """A job that somebody cancelled is not sent back, nor given up."""
    if cancel_requested and (outcome.lost or outcome.state not in ENDED):
        return cancelled(outcome.id, outcome.attempt)._replace(lost=outcome.lost)
    return outcome
