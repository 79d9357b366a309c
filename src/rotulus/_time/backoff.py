"""Backoff: the delay before a failed call is tried again, ever longer, but never long."""

LONGEST = 5.0
"""Seconds, before chance makes them more or fewer."""

_FIRST = 0.1


def pause_after(failures: int, chance: float) -> float:
    """Returns the seconds to wait after so many failures in a row.

    Args:
        failures: the number of failures; 1 after the first.
        chance: a random number from 0 to 1: programs that failed together do not return together.
    """
    doublings = min(failures - 1, 10)  # a day of failures is still a number
    return min(LONGEST, _FIRST * 2**doublings) * (0.5 + chance)
