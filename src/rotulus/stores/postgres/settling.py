"""Writes outcomes to the database: the usual batch in one statement, any other in a longer one."""

from collections.abc import Sequence
from typing import NamedTuple

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.states import State
from rotulus.store import Claim
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Session


class Settled(NamedTuple):
    """What came of settling: the claims that were refused, and whether there is work for others."""

    refused: list[Claim]
    brings_work: bool


def settle(session: Session, outcomes: Sequence[Outcome]) -> Settled:
    """Record outcomes in one statement, which is a transaction."""
    if not outcomes:
        return Settled([], brings_work=False)
    # All who write many rows do it in the same order, so that none wait for each other in a ring.
    ordered = sorted(outcomes)
    if all(outcome.state is State.SUCCEEDED for outcome in ordered):
        found = session.rows("succeed", **rows.successes(ordered))
    else:
        found = session.rows("settle", **rows.outcomes(ordered))
    if not found:
        return Settled([], brings_work=False)
    answers = {(job, attempt) for job, attempt in found}
    refused = [Claim(o.id, o.attempt) for o in outcomes if (o.id, o.attempt) in answers]
    return Settled(refused, brings_work=(None, None) in answers)
