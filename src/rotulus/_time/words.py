"""Moments and lengths of time as people write them: `2026-11-20T09:30`, `15min`, `2h`, `7d`."""

import re
from datetime import UTC, datetime

_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(s|m|min|h|d)?", re.ASCII)
_UNITS = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def length_of(text: str) -> float | None:
    """Returns a length of time in seconds: `90`, `15min`, `2h`, `7d`; None if it is none."""
    found = _LENGTH.fullmatch(text.strip())
    return float(found[1]) * _UNITS[found[2]] if found else None


def moment_of(text: str) -> datetime | None:
    """Returns the moment of an ISO 8601 text, in UTC unless it says; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
