"""What statistics come to: numbers, shares, and times in seconds, from counts and histograms."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rotulus.store.stats import BOUNDS, ENQUEUED, Stat

_SECOND = 1_000_000

OUTCOMES = (
    *("succeeded", "failed", "dead", "cancelled", "skipped"),
    *("retried", "lost", "snoozed", "released", "opened"),
)
"""The outcomes of attempts; the first five end a job."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long attempts took, in seconds; None where there were none.

    Attributes:
        mean: the mean.
        p50: half of them took less. Like the next two an estimate, from a histogram.
        p95: nineteen of twenty took less.
        p99: ninety-nine of a hundred took less.
        max: the longest.
    """

    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


def times(total: int, longest: int, buckets: Sequence[int]) -> Times:
    """Returns how long attempts took, from the sum, the longest and a histogram of their times.

    Args:
        total: the sum, in microseconds.
        longest: the longest, in microseconds.
        buckets: how many there are in each bucket of `BOUNDS`.
    """
    count, most = sum(buckets), longest / _SECOND
    if not count:
        return Times()
    at = partial(_quantile, buckets, most)
    return Times(total / _SECOND / count, at(0.5), at(0.95), at(0.99), most)


def _quantile(buckets: Sequence[int], most: float, share: float) -> float:
    """The time that a share of them did not exceed, if those of a bucket lie evenly in it."""
    wanted, before, start = share * sum(buckets), 0, 0.0
    for count, end in zip(buckets, (*BOUNDS, most), strict=True):
        end = max(start, min(end, most))  # noqa: PLW2901 - no time was longer than the longest
        if count and before + count >= wanted:
            return start + (end - start) * (wanted - before) / count
        before, start = before + count, end
    return most


@dataclass(frozen=True, slots=True)
class Measured:
    """Statistics of some attempts and new jobs.

    Attributes:
        name: the task or queue, where these are told apart, else "".
        enqueued: how many jobs were added.
        outcomes: how many attempts came to each outcome, in the order of `OUTCOMES`.
        waited: how long attempts waited from the moment at which they were due until a worker
            took them.
        ran: how long attempts ran.
    """

    name: str
    enqueued: int
    outcomes: dict[str, int]
    waited: Times
    ran: Times

    @property
    def attempts(self) -> int:
        """How many attempts ended."""
        return sum(self.outcomes.values())

    def to_dict(self) -> dict[str, Any]:
        """Its attributes by name, as JSON data."""
        waited = {name: getattr(self.waited, name) for name in Times.__slots__}
        ran = {name: getattr(self.ran, name) for name in Times.__slots__}
        counts = {"enqueued": self.enqueued, "attempts": self.attempts, "outcomes": self.outcomes}
        return {"name": self.name, **counts, "waited": waited, "ran": ran}


def measure(name: str, stats: Iterable[Stat]) -> Measured:
    """Returns what some statistics come to, taken together."""
    enqueued, counts, waits, runs = 0, dict.fromkeys(OUTCOMES, 0), _Sums(), _Sums()
    for stat in stats:
        if stat.outcome == ENQUEUED:
            enqueued += stat.count
            continue
        counts[stat.outcome] = counts.get(stat.outcome, 0) + stat.count
        waits.add(stat.wait_sum, stat.wait_max, stat.waits)
        runs.add(stat.run_sum, stat.run_max, stat.runs)
    outcomes = {outcome: count for outcome, count in counts.items() if count}
    return Measured(name, enqueued, outcomes, waits.times(), runs.times())


def lengths(which: str, stats: Iterable[Stat]) -> list[int]:
    """Returns how many attempts waited, or ran, for a length of time in each bucket of `BOUNDS`.

    Args:
        which: `waited` or `ran`.
        stats: the statistics, with their times.
    """
    sums = _Sums()
    for stat in stats:
        if stat.outcome != ENQUEUED:
            sums.add(0, 0, stat.runs if which == "ran" else stat.waits)
    return sums.buckets


class _Sums:
    def __init__(self) -> None:
        self._total, self._longest = 0, 0
        self.buckets = [0] * (len(BOUNDS) + 1)

    def add(self, total: int, longest: int, buckets: Sequence[int]) -> None:
        self._total += total
        self._longest = max(self._longest, longest)
        self.buckets = [one + other for one, other in zip(self.buckets, buckets, strict=True)]

    def times(self) -> Times:
        return times(self._total, self._longest, self.buckets)


def _of_outcome(outcome: str, measured: Measured) -> int:
    return measured.outcomes.get(outcome, 0)


def _of_times(which: str, name: str, measured: Measured) -> float | None:
    return getattr(getattr(measured, which), name)


TIME_METRICS: dict[str, Callable[[Measured], float | None]] = {
    f"{which}_{name}": partial(_of_times, which, name)
    for which in ("waited", "ran")
    for name in Times.__slots__
}
"""What `app.stats.series` gives in seconds, by name."""

METRICS: dict[str, Callable[[Measured], float | None]] = {
    "enqueued": lambda measured: measured.enqueued,
    "attempts": lambda measured: measured.attempts,
    **{outcome: partial(_of_outcome, outcome) for outcome in OUTCOMES},
    **TIME_METRICS,
}
"""What `app.stats.series` gives, by name: numbers, or times in seconds."""
