"""The spawned jobs of this process: the live ones, and the outcomes of the last ones."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import count

from rotulus.service.spawned import Outcome, Spawned

KEPT = 1000
"""The number of outcomes that are kept as Python values."""


class LocalJobs:
    """The spawned jobs of one process. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = count(1)
        self._calls: dict[int, Spawned] = {}
        self._numbers: dict[str, int] = {}
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, call: Spawned) -> int:
        """Record a spawned call that is not stored yet. Returns the number for its job."""
        number = next(self._last)
        self._calls[number] = call
        return number

    def name(self, number: int, job_id: str) -> None:
        """Record that the job is stored; the call may have ended meanwhile."""
        with self._lock:
            if number in self._calls:
                self._numbers[job_id] = number

    def drop(self, number: int) -> None:
        """Record that the job could not be stored."""
        call = self._calls.pop(number, None)
        if call is not None:
            call.cancel()

    def numbered(self, number: int) -> Spawned | None:
        """Returns the live call with a number."""
        return self._calls.get(number)

    def call(self, job_id: str) -> Spawned | None:
        """Returns the spawned call of a job, if it is live in this process."""
        return self._calls.get(self._numbers.get(job_id, 0))

    def chosen(self, which: Callable[[Spawned], bool] = lambda _: True) -> dict[str, Spawned]:
        """Returns the live calls by the ids of their jobs: all of them, or the chosen ones."""
        with self._lock:
            found = {one: self._calls.get(number) for one, number in self._numbers.items()}
        return {one: call for one, call in found.items() if call is not None and which(call)}

    def note_end(self, number: int, job_id: str) -> None:
        """Record that a job has ended, and keep its outcome as one of the last."""
        with self._lock:
            call = self._calls.pop(number, None)
            self._numbers.pop(job_id, None)
            if call is not None and call.outcome is not None:
                self._outcomes[job_id] = call.outcome
            while len(self._outcomes) > KEPT:
                self._outcomes.popitem(last=False)

    def outcome(self, job_id: str) -> Outcome | None:
        """Returns the result and the exception of a job, if it ended here lately."""
        return self._outcomes.get(job_id)

    def forget(self, ids: Iterable[str]) -> None:
        """Record that these jobs have ended in the store."""
        with self._lock:
            for job_id in ids:
                self._calls.pop(self._numbers.pop(job_id, 0), None)
                self._outcomes.pop(job_id, None)

    def discard(self) -> None:
        """Close the calls that have not begun, so that Python does not warn about them."""
        for call in list(self._calls.values()):
            if call.waits:
                call.cancel()
