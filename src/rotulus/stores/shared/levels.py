"""The levels at which statistics of a span of time are read: hours, quarters of one, minutes."""

from rotulus.store.stats import HOUR, QUARTER
from rotulus.stores._columns import SECOND


def read_levels(since: int, until: int, step: int) -> dict[str, int]:
    """Returns where each level begins and ends, for the statements that read statistics.

    Hours stand in the middle, quarters of an hour before and behind them, and minutes at both
    ends: so a day is read from some hundred spans, and not from 1,440. No level is longer than a
    step, which begins at a whole multiple of itself.

    Args:
        since: the moment from which, in microseconds.
        until: the moment until which.
        step: the length of a step, in microseconds.
    """
    quarters, quarters_end = _whole(since, until, QUARTER, step)
    hours, hours_end = _whole(quarters, quarters_end, HOUR, step)
    return {
        "since": since,
        "quarters": quarters,
        "hours": hours,
        "hours_end": hours_end,
        "quarters_end": quarters_end,
        "until": until,
    }


def _whole(since: int, until: int, level: int, step: int) -> tuple[int, int]:
    """The whole spans of a level in a span of time, or an empty span at its beginning."""
    length = level * SECOND
    first, last = -(-since // length) * length, until // length * length
    return (first, last) if step % length == 0 and first < last else (since, since)
