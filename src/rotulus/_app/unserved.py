"""Tells waiting callers that no worker would ever take their job: once for each queue."""

from collections.abc import Callable
from datetime import datetime

from rotulus._app.claimable import Claimable
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, State
from rotulus._time.clock import monotonic
from rotulus.store import Store

WARN_AFTER = 2.0
"""Seconds of waiting after which the caller looks whether any worker serves the queue."""


class Patience:
    """The time that a caller waits for a job, and the moment to look for a worker.

    Args:
        timeout: seconds to wait at most; None waits for ever.
    """

    def __init__(self, timeout: float | None) -> None:
        now = monotonic()
        self._end = float("inf") if timeout is None else now + timeout
        self._look_at = now + WARN_AFTER

    def left(self, longest: float) -> float:
        """Seconds to wait before the next look; 0 or less when the time is over."""
        now = monotonic()
        if self._end <= now:
            return self._end - now
        return min(self._end - now, max(self._look_at - now, 0.001), longest)

    def is_tried(self) -> bool:
        """Returns whether to look for a worker of the job now: once, after a while."""
        if monotonic() < self._look_at:
            return False
        self._look_at = float("inf")
        return True


class Unserved:
    """Finds out whether a caller waits for a job in vain.

    Args:
        store: opens the store.
        knows: whether a task of that name is registered here.
        now: the clock.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        knows: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._knows = knows
        self._now = now
        self._warned: set[str] = set()
        self._since = float("-inf")
        self._recent: set[tuple[str, str]] = set()

    def is_news(self, job: JobRecord) -> bool:
        """Returns whether nobody has asked about such a job in the present two seconds.

        Of a thousand coroutines that wait for jobs of one task, one has to look for a worker.
        """
        now, such = monotonic(), (job.queue, job.task)
        if now - self._since >= WARN_AFTER:
            self._since, self._recent = now, set()
        if such in self._recent:
            return False
        self._recent.add(such)
        return True

    def warning(self, job: JobRecord) -> str | None:
        """Returns the warning for a waiting caller; None if there is none, or it was given."""
        if job.state in ENDED or job.state == State.RUNNING or job.queue in self._warned:
            return None
        reasons = Claimable(self._store(), self._knows, self._now).unserved(job)
        if not reasons:
            return None
        self._warned.add(job.queue)
        return f"{job.task} {job.id} is {job.state}. {' '.join(one.text for one in reasons)}"
