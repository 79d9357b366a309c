"""The samples of metrics, from what a store tells of its jobs, workers and statistics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from rotulus import State
from rotulus._text.names import serves
from rotulus.metrics.text import Sample
from rotulus.store import Backlog, Total, WorkerInfo
from rotulus.store.stats import BOUNDS

_SECOND = 1_000_000

MOST_COUNTED = 10_000
"""How many jobs are counted."""

_UNENDED = [state for state in State if not state.ended]


def job_counts(queues: Iterable[str], backlog: Iterable[Backlog]) -> list[Sample]:
    """How many jobs wait and run in each queue; 0 too, so that no series ends."""
    jobs = {(queue, state): 0 for queue in queues for state in _UNENDED}
    for found in backlog:
        jobs[found.queue, found.state] = min(found.jobs, MOST_COUNTED)
    return [
        Sample(count, {"queue": queue, "state": state})
        for (queue, state), count in sorted(jobs.items())
    ]


def queue_ages(queues: Iterable[str], backlog: Iterable[Backlog], now: int) -> list[Sample]:
    """How long the job has been due that waits longest, in each queue; 0 where none waits."""
    ages = dict.fromkeys(queues, 0.0)
    for found in backlog:
        if found.oldest is not None:
            ages[found.queue] = max(ages[found.queue], (now - found.oldest) / _SECOND)
    return [Sample(age, {"queue": queue}) for queue, age in ages.items()]


def queue_workers(queues: Iterable[str], workers: Sequence[WorkerInfo]) -> list[Sample]:
    """How many workers serve each queue; 0 too."""
    return [
        Sample(sum(serves(worker.queues, queue) for worker in workers), {"queue": queue})
        for queue in queues
    ]


def worker_counts(workers: Sequence[WorkerInfo], running: Mapping[str, int]) -> list[Sample]:
    """How many workers run a job, and how many run none."""
    busy = sum(running.get(worker.name, 0) > 0 for worker in workers)
    return [Sample(busy, {"state": "busy"}), Sample(len(workers) - busy, {"state": "idle"})]


def slot_counts(workers: Sequence[WorkerInfo], running: Mapping[str, int]) -> list[Sample]:
    """How many slots of the workers are busy, and how many are free.

    A worker claims a little ahead of its slots, and its jobs are then more than these.
    """
    busy = sum(min(worker.slots, running.get(worker.name, 0)) for worker in workers)
    free = sum(worker.slots for worker in workers) - busy
    return [Sample(busy, {"state": "busy"}), Sample(free, {"state": "free"})]


def counts(totals: Iterable[Total], *labels: str) -> list[Sample]:
    """How many there are, by some of: task, queue and outcome."""
    sums = Counter[tuple[str, ...]]()
    for task, queue, stat in totals:
        told = {"task": task, "queue": queue, "outcome": stat.outcome}
        sums[tuple(told[label] for label in labels)] += stat.count
    return [Sample(sums[key], dict(zip(labels, key, strict=True))) for key in sorted(sums)]


class Times(NamedTuple):
    """The times of some attempts, in microseconds, and how many fell into each bucket."""

    name: str
    total: int
    buckets: Sequence[int]


def histogram(label: str, times: Iterable[Times]) -> list[Sample]:
    """The parts of a histogram for each task or queue."""
    sums: dict[str, Times] = {}
    for name, total, buckets in times:
        _, known, before = sums.get(name, Times(name, 0, [0] * len(buckets)))
        added = [one + other for one, other in zip(before, buckets, strict=True)]
        sums[name] = Times(name, known + total, added)
    return [sample for name in sorted(sums) for sample in _parts(label, sums[name])]


def _parts(label: str, times: Times) -> Iterator[Sample]:
    labels = {label: times.name}
    ends = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    below = list(accumulate(times.buckets))
    for end, count in zip(ends, below, strict=True):
        yield Sample(count, {**labels, "le": end}, "_bucket")
    yield Sample(times.total / _SECOND, labels, "_sum")
    yield Sample(below[-1], labels, "_count")
