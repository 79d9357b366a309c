"""How moments and lengths of time are put into words."""

from datetime import UTC, datetime


def moment_text(moment: datetime | None) -> str | None:
    """Returns a moment in UTC, to the second."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def ago(moment: datetime | None) -> str | None:
    """Returns how long ago a moment was, or in how long it will be."""
    if moment is None:
        return None
    seconds = (datetime.now(UTC) - moment).total_seconds()
    text = span(abs(seconds))
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def span(seconds: float) -> str:
    """Returns a length of time in its largest fitting unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def length(seconds: float | None) -> str | None:
    """Returns a length of time, also one far below a second."""
    if seconds is None:
        return None
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else span(seconds)


def iso(moment: datetime | None) -> str | None:
    """Returns a moment as ISO 8601 text."""
    return None if moment is None else moment.isoformat()
