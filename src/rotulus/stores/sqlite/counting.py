"""Counts attempts and new jobs, in the transaction that settles or adds them."""

from collections import defaultdict
from collections.abc import Sequence

from rotulus._jobs.outcome import MAX_LOSSES, Outcome, outcome_word
from rotulus._jobs.states import Reason
from rotulus.stores._stats import Tally
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.session import Session


def count_outcomes(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Count attempts that are about to be settled, but for those that have not begun."""
    begun = [(o.id, o.attempt, outcome_word(o)) for o in outcomes if o.reason != Reason.UNSTARTED]
    if begun:
        count_attempts(session, rows.array(begun))


def count_attempts(session: Session, attempts: str) -> None:
    """Count attempts that are about to be settled.

    Args:
        session: where.
        attempts: a JSON array of arrays: the job, the attempt, and the outcome unless it is lost.
    """
    told = session.fetch_value("ended_attempts", attempts=attempts, max_losses=MAX_LOSSES)
    tallies: defaultdict[tuple[str, str, str], Tally] = defaultdict(Tally)
    for task, queue, outcome, wait, run in rows.read(told):
        tallies[task, queue, outcome].add(wait, run)
    for (task, queue, outcome), tally in tallies.items():
        which = {"task": task, "queue": queue, "outcome": outcome}
        session.execute("count_attempts", **which, **tally.values())
