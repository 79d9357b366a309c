"""For the tests of applications: a clock that stands still, and jobs that run now.

A test makes its own app in memory, `App("sqlite://")`, and drains it: no worker, no waiting.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from rotulus import App, Job
from rotulus.events import AttemptFailed, AttemptSucceeded

__all__ = ["SettableClock", "drain"]


class SettableClock:
    """A clock that moves only when it is told to: `App("sqlite://", clock=SettableClock())`.

    Args:
        now: where it stands; 2026-01-01 00:00 UTC unless given.
    """

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now.astimezone(UTC)
        self._ticks = 1_000.0

    def now(self) -> datetime:
        """Where the clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._ticks

    def advance(self, seconds: float) -> None:
        """Move on, so that what is due by then is due, and leases run out."""
        self._now += timedelta(seconds=seconds)
        self._ticks += seconds

    def set(self, now: datetime) -> None:
        """Set the wall clock, forward or back; leases do not notice."""
        self._now = now.astimezone(UTC)


def drain(app: App) -> list[Job[Any]]:
    """Run every job that is due, and those they make due, in this process; then return.

    Returns:
        The jobs that were run, as they stand then, in the order in which they ended.
    """
    ended: dict[str, None] = {}

    def note(event: AttemptFailed | AttemptSucceeded) -> None:
        ended[event.job.id] = None

    stop = app.events.subscribe(note, AttemptFailed, AttemptSucceeded)
    try:
        app.run_worker(burst=True)
    finally:
        stop()
    return [app.get(job_id) for job_id in ended]
