"""For the tests of applications: a clock that stands still, and jobs that run now.

A test makes its own app in memory, `App("sqlite://")`, and drains it: no worker, no waiting.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from rotulus import App, Job
from rotulus._jobs.detached import make_job
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError
from rotulus.events import AttemptFailed, AttemptSucceeded

__all__ = ["SettableClock", "adrain", "drain", "make_job"]


class SettableClock:
    """A clock that moves only when it is told to: `App("sqlite://", clock=SettableClock())`.

    Args:
        now: where it stands; 2026-01-01 00:00 UTC unless given.
    """

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now.astimezone(UTC)
        self._ticks = 1_000.0

    def now(self) -> datetime:
        """Returns the time of the clock."""
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


def drain(app: App, *, slots: int | None = None) -> list[Job[Any]]:
    """Run every job that is due, and those they make due, in this process; then return.

    Args:
        app: the app.
        slots: how many jobs to run at once; with 1 they run one after the other, in their order.

    Returns:
        The jobs that were run, as they stand then, in the order in which they ended.

    Raises:
        EventLoopError: this thread runs an event loop: `await adrain(app)`.
    """
    if on_event_loop():
        raise EventLoopError(
            "drain() runs an event loop of its own: here, await adrain(app), or "
            "asyncio.to_thread(drain, app)"
        )
    with _ended(app) as ended:
        app.run_worker(burst=True, slots=slots)
    return [app.get(job_id) for job_id in ended]


async def adrain(app: App, *, slots: int | None = None) -> list[Job[Any]]:
    """`drain` for tests that run on an event loop: the jobs run in another thread.

    Args:
        app: the app.
        slots: how many jobs to run at once.

    Returns:
        As `drain`.
    """
    with _ended(app) as ended:
        await app.arun_worker(burst=True, slots=slots)
    return [await app.aget(job_id) for job_id in ended]


@contextmanager
def _ended(app: App) -> Generator[dict[str, None], None, None]:
    """The ids of the jobs whose attempts end during the block, in that order."""
    ended: dict[str, None] = {}

    def note(event: AttemptFailed | AttemptSucceeded) -> None:
        ended[event.job.id] = None

    stop = app.events.subscribe(note, AttemptFailed, AttemptSucceeded)
    try:
        yield ended
    finally:
        stop()
