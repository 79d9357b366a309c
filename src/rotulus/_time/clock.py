"""The clocks: handed to all code that needs the time, so that a test can hand in its own."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The source of the time."""

    def now(self) -> datetime:
        """Returns the present moment, as an aware datetime in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back and are shared by all processes of this machine."""
        ...


class SystemClock:
    """The clocks of the machine."""

    def now(self) -> datetime:
        """Returns the present moment, as an aware datetime in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, usually the start of the machine."""
        return monotonic()


def monotonic() -> float:
    """Seconds since some moment, also where a test has stopped the clocks of Python.

    Waits with a deadline use it. Libraries that stop clocks look for them in the names of modules,
    and do not find this one.
    """
    return _TRUE[0]()


_TRUE = (time.monotonic,)
