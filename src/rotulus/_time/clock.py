"""The clocks: handed to whatever needs the time, so that a test can hand in its own."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, as an aware datetime in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back and are shared by all processes of this machine."""
        ...


class SystemClock:
    """The clocks of the machine."""

    def now(self) -> datetime:
        """The present moment, as an aware datetime in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, usually the start of the machine."""
        return time.monotonic()
