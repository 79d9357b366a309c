"""Numbers, lists, moments and lengths of time, as words of a sentence."""

from datetime import datetime, timedelta

_NAMED = 5
"""The most names that are listed."""


def many(number: float, noun: str) -> str:
    """Returns a number of things: `1 job`, `2 jobs`."""
    return f"{f'{number:g}' if isinstance(number, float) else number} {noun}{'s' * (number != 1)}"


def some(names: list[str]) -> str:
    """Returns a few names, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def span(length: timedelta) -> str:
    """Returns a length of time, in its largest unit."""
    seconds = max(0, round(length.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock_time(at: datetime) -> str:
    """Returns a moment in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
