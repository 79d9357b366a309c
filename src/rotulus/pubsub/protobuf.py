"""Lengths and moments in Google's messages, whose fields are not of the types they say."""

from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration


def seconds_of(message: Any, field: str, default: float = 0.0) -> float:
    """The seconds of a field of type Duration; `default` where the field is not set."""
    return getattr(message, field).total_seconds() if field in message else default


def length_of(seconds: int) -> Duration:
    """So many seconds, for a field of type Duration."""
    return Duration(seconds=seconds)


def moment_of(moment: Any) -> datetime:
    """What a field of type Timestamp says."""
    return datetime.fromtimestamp(moment.timestamp(), moment.tzinfo)


def moment(at: datetime) -> Any:
    """What is put into a field of type Timestamp."""
    return at
