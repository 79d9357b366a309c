"""The kept reasons of earlier attempts: they stand in the place of outcomes, and tell them."""

from collections.abc import Mapping

from rotulus._jobs.outcome import OutcomeWord
from rotulus._jobs.states import Reason, State

SAYING = f"{State.CANCELLED}\n"
"""The begin of the kept reason of a job that was cancelled in words of its own.

Without it the words of a task could be taken for a reason of ours: `Cancel("snooze")`.
"""


def kept_reason(reason: str, outcome: OutcomeWord) -> str:
    """Returns what is kept of an attempt with a reason: what `own_reason` and `kept_word` read."""
    says = outcome == "cancelled" and reason != Reason.CANCELLED
    return f"{SAYING}{reason}" if says else reason


def own_reason(kept: str) -> str:
    """Returns the reason of an attempt, as the job had it, by what is kept."""
    return kept.removeprefix(SAYING)


def kept_word(kept: str, *, has_error: bool) -> OutcomeWord:
    """Returns the outcome of an earlier attempt in one word, by what is kept of it.

    Earlier versions kept the words of a task that was cancelled without `SAYING`. These are told
    by what they are not: none of our reasons, or one that comes with an error, where there is none.

    Args:
        kept: the reason, or the state in which the job had ended if it had none; `SAYING` and the
            words, if it was cancelled in words of its own.
        has_error: whether an error is kept.
    """
    word = _WORDS.get(kept, "cancelled")
    return word if has_error or kept in _WITHOUT_ERROR else "cancelled"


_BY_ITSELF: Mapping[str, OutcomeWord] = {
    State.SUCCEEDED: "succeeded",
    **dict.fromkeys((Reason.TRIGGER, Reason.NEED_FAILED, Reason.OPERATOR), "skipped"),
    **dict.fromkeys((Reason.SHUTDOWN, Reason.UNSTARTED), "released"),
    Reason.SNOOZE: "snoozed",
    Reason.OPENED: "opened",
}
"""The outcomes without an error, by their reasons."""

_WITHOUT_ERROR = frozenset(_BY_ITSELF)

_WORDS: Mapping[str, OutcomeWord] = {
    **_BY_ITSELF,
    State.FAILED: "failed",
    State.DEAD: "dead",
    **dict.fromkeys((Reason.ERROR, Reason.TIMEOUT, Reason.RESULT), "failed"),
    **dict.fromkeys((Reason.UNKNOWN_TASK, Reason.INVALID_ARGUMENTS, Reason.CORRUPT), "dead"),
    **dict.fromkeys((Reason.EXPIRED, Reason.CRASH_LOOP), "dead"),
    Reason.UNREADABLE: "released",
    Reason.RETRY: "retried",
    Reason.LOST: "lost",
}
