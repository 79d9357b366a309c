"""Counts of what has gone wrong in this process, from its events: the store does not have them."""

import threading
from collections import Counter
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from rotulus.events import (
    Event,
    Events,
    JobsPruned,
    LeaseLost,
    OutcomeRefused,
    StoreFailed,
)
from rotulus.metrics.text import Metric, Sample

_CALLS = (
    *("changes", "claim", "extend", "metrics", "prune"),
    *("relay", "release", "rescue", "settle"),
)
"""Calls of a store that are told before one fails: a series that begins with 1 has no increase."""


class ProcessCounts:
    """Counts events from now on; `counts_of` gives those of an app. May be used from any thread.

    Args:
        events: the events of an app.
    """

    def __init__(self, events: Events) -> None:
        self._lock = threading.Lock()
        self._counts = Counter[str]()
        self._errors = Counter[str](dict.fromkeys(_CALLS, 0))
        events.subscribe(self._note, LeaseLost, OutcomeRefused, JobsPruned, StoreFailed)

    def note_error(self, call: str) -> None:
        """Count an error of the store."""
        with self._lock:
            self._errors[call] += 1

    def read(self) -> Sequence[Metric]:
        """Returns the counts as metrics."""
        with self._lock:
            counts, errors = self._counts.copy(), dict(sorted(self._errors.items()))
        simple = [
            Metric(name, f"{what}, in this process.", [Sample(counts[kind])], "counter")
            for kind, (name, what) in _COUNTED.items()
        ]
        failed = [Sample(count, {"call": call}) for call, count in errors.items()]
        what = "Calls that the store refused, in this process."
        return [*simple, Metric("rotulus_store_errors_total", what, failed, "counter")]

    def _note(self, event: Event) -> None:
        if isinstance(event, StoreFailed):
            self.note_error(event.doing)
            return
        many = event.jobs if isinstance(event, JobsPruned) else 1
        with self._lock:
            self._counts[event.name] += many


_COUNTED = {
    LeaseLost.name: ("rotulus_leases_lost_total", "Leases of running jobs that were lost"),
    OutcomeRefused.name: (
        "rotulus_outcomes_refused_total",
        "Outcomes that came too late, and were refused",
    ),
    JobsPruned.name: ("rotulus_pruned_total", "Old jobs that were deleted"),
}

_ALL: WeakKeyDictionary[Events, ProcessCounts] = WeakKeyDictionary()
_LOCK = threading.Lock()


def counts_of(events: Events) -> ProcessCounts:
    """Returns the counts of an app: one for all that ask, which begins with the first of them."""
    with _LOCK:
        if events not in _ALL:
            _ALL[events] = ProcessCounts(events)
        return _ALL[events]
