"""Exceptions by which a task says something other than 'I failed': not now, or never mind.

`Retry`, the third of them, is a policy as well and lives in its own file.
"""

from datetime import datetime

from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import OptionError


class Snooze(Exception):  # noqa: N818 - a signal to the framework, not an error
    """Raise it in a task to be run again later, without a failure being counted.

    Args:
        seconds: how long to wait, in seconds or as a timedelta; or
        until: the moment to run again, as an aware datetime.

    Raises:
        OptionError: neither or both are given, or the value is out of range.
    """

    def __init__(self, seconds: Seconds | None = None, *, until: datetime | None = None) -> None:
        if (seconds is None) == (until is None):
            raise OptionError("Snooze takes seconds or until=, one of the two")
        if seconds is not None:
            seconds = check_seconds(seconds, "Snooze(seconds)")
        if until is not None:
            until = check_moment(until, "Snooze(until)")
        super().__init__(seconds, until)
        self.delay = seconds
        self.until = until


class Cancel(Exception):  # noqa: N818 - a signal to the framework, not an error
    """Raise it in a task to end its job as `cancelled`; the reason is stored with the job."""

    def __init__(self, reason: str = "cancelled by the task") -> None:
        super().__init__(reason)
        self.reason = reason
