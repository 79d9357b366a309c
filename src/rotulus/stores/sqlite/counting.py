"""Counts attempts in the transaction that settles them, and brings counts to their place."""

from collections.abc import Sequence

from rotulus._jobs.outcome import MAX_LOSSES, Outcome, outcome_word
from rotulus._jobs.states import Reason
from rotulus.stores.shared.session import Session
from rotulus.stores.sqlite import rows


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
    session.execute("count_attempts", attempts=attempts, max_losses=MAX_LOSSES)


def gather(session: Session, most: int) -> int:
    """Bring counts to their place; how many. Nobody else can write to the file until then."""
    session.execute("fold_new", most=most)
    return session.execute("drop_new", most=most)
