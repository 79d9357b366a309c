"""Durations and moments in Google's messages, as numbers and datetimes."""

from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration


def seconds_of(message: Any, field: str, default: float = 0.0) -> float:
    """Returns the seconds of a field of type Duration; `default` where the field is not set."""
    return getattr(message, field).total_seconds() if field in message else default


def length_of(seconds: int) -> Duration:
    """Returns seconds as a value for a field of type Duration."""
    return Duration(seconds=seconds)


def moment_of(moment: Any) -> datetime:
    """Returns the moment of a field of type Timestamp."""
    return datetime.fromtimestamp(moment.timestamp(), moment.tzinfo)


def moment(at: datetime) -> Any:
    """Returns a moment as a value for a field of type Timestamp."""
    return at
