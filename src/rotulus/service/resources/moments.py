"""Moments in the bodies of requests: texts of the form `date-time` (RFC 3339), with a zone."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator


def read_moment(text: Any) -> datetime | None:
    """Returns the moment in a text; None of null. Raises `ValueError`."""
    if text is None:
        return None
    if not isinstance(text, str) or "T" not in text.upper():
        raise ValueError("not a date with a time, such as '2027-03-31T08:00:00Z'")
    return datetime.fromisoformat(text.upper())


Moment = Annotated[AwareDatetime | None, BeforeValidator(read_moment)]
"""A moment in a strict body, which would take no text for one; or null."""
