"""What a scheduler has in this process: what is live, and how the last ones ended."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import count

from rotulus.service.spawned import Outcome, Spawned

KEPT = 1000
"""How many of the last outcomes are kept as they are."""


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
        """Something is spawned, and not stored yet; its number, which its job will have."""
        number = next(self._last)
        self._calls[number] = call
        return number

    def name(self, number: int, job_id: str) -> None:
        """Its job is stored; it may have ended meanwhile."""
        with self._lock:
            if number in self._calls:
                self._numbers[job_id] = number

    def drop(self, number: int) -> None:
        """Its job could not be stored."""
        call = self._calls.pop(number, None)
        if call is not None:
            call.cancel()

    def numbered(self, number: int) -> Spawned | None:
        """What is live under a number."""
        return self._calls.get(number)

    def call(self, job_id: str) -> Spawned | None:
        """The spawned call of a job, if it is live in this process."""
        return self._calls.get(self._numbers.get(job_id, 0))

    def chosen(self, which: Callable[[Spawned], bool] = lambda _: True) -> dict[str, Spawned]:
        """What is live here and stored, by the ids of its jobs: all of it, or what is chosen."""
        with self._lock:
            found = {one: self._calls.get(number) for one, number in self._numbers.items()}
        return {one: call for one, call in found.items() if call is not None and which(call)}

    def note_end(self, number: int, job_id: str) -> None:
        """A job has come to its end; how is kept, as one of the last."""
        with self._lock:
            call = self._calls.pop(number, None)
            self._numbers.pop(job_id, None)
            if call is not None and call.outcome is not None:
                self._outcomes[job_id] = call.outcome
            while len(self._outcomes) > KEPT:
                self._outcomes.popitem(last=False)

    def outcome(self, job_id: str) -> Outcome | None:
        """What a job returned, and what it raised, if it is one of the last that ended here."""
        return self._outcomes.get(job_id)

    def forget(self, ids: Iterable[str]) -> None:
        """These have ended in the store."""
        with self._lock:
            for job_id in ids:
                self._calls.pop(self._numbers.pop(job_id, 0), None)
                self._outcomes.pop(job_id, None)

    def discard(self) -> None:
        """What has not begun never will: nobody is to hear that it was not awaited."""
        for call in list(self._calls.values()):
            if call.waits:
                call.cancel()
