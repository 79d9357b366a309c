"""Figures of an app for Prometheus, which a restart does not set back: `Metrics(app).text()`.

They are read from the store's statistics, where each attempt is counted in the transaction in
which it ends. So any process can tell them, whether it runs jobs or not, and one is enough.
"""

import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import accumulate
from math import isinf, isnan
from typing import Any, NamedTuple

from rotulus import App, State
from rotulus._concurrency.pool import off_loop
from rotulus._time.clock import monotonic
from rotulus.errors import StoreError
from rotulus.store import ENQUEUED, Backlog, Total
from rotulus.store.stats import BOUNDS

__all__ = ["MEDIA_TYPE", "Metric", "Metrics", "Sample", "write_metrics"]

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The type of the text."""

_SECOND = 1_000_000
_LATE = 900 * _SECOND
"""Microseconds in which what is counted may still change: a transaction may be open that long."""

_READ_ALL_EVERY = 3600.0
"""Seconds between two reads of everything; in between, only what is new is read."""

_ALWAYS = 2**62

_MOST = 10_000
"""How many jobs are counted."""

_UNENDED = [state for state in State if not state.ended]


class Sample(NamedTuple):
    """One value of a metric, with its labels; a part of a histogram has a suffix."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str = ""


class Metric(NamedTuple):
    """A metric: its name, its help text, its values, and `gauge`, `counter` or `histogram`."""

    name: str
    help: str
    samples: Sequence[Sample]
    kind: str = "gauge"


class Metrics:
    """The metrics of an app. May be used from any thread.

    `metrics.wsgi` and `metrics.asgi` are applications that answer a GET with `text`; mount one of
    them at `/metrics`, behind whatever guards the rest.

    Args:
        app: the app; its statistics are those of all apps on the same store.

    Attributes:
        app: the app.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._known: list[Total] = []
        self._known_until = 0
        self._read_at = float("-inf")

    def read(self) -> list[Metric]:
        """Returns the metrics. Raises `StoreError`."""
        totals, fleet = self._totals(), self.app.store.fleet()
        added = [total for total in totals if total.stat.outcome == ENQUEUED]
        ended = [total for total in totals if total.stat.outcome != ENQUEUED]
        backlog = self.app.store.backlog(_MOST)
        known = {total.queue for total in totals} | {found.queue for found in backlog}
        queues = sorted(known | set(fleet.paused))
        paused = [Sample(name in fleet.paused, {"queue": name}) for name in queues]
        slots = sum(worker.slots for worker in fleet.workers)
        return [
            Metric(
                "rotulus_jobs", "Jobs that have not ended, up to 10,000.", _counts(queues, backlog)
            ),
            Metric(
                "rotulus_queue_oldest_seconds",
                "How long the job has been due that waits longest; 0 where none waits.",
                _ages(queues, backlog, self.app.store.stats.moment()),
            ),
            Metric(
                "rotulus_jobs_enqueued_total",
                "Jobs that were added.",
                _counted(added, "task", "queue"),
                "counter",
            ),
            Metric(
                "rotulus_attempts_total",
                "Attempts that ended.",
                _counted(ended, "task", "queue", "outcome"),
                "counter",
            ),
            Metric(
                "rotulus_attempt_duration_seconds",
                "How long attempts ran.",
                _histogram("task", [_Times(t, s.run_sum, s.runs) for t, _, s in ended]),
                "histogram",
            ),
            Metric(
                "rotulus_wait_seconds",
                "How long attempts waited after they were due.",
                _histogram("queue", [_Times(q, s.wait_sum, s.waits) for _, q, s in ended]),
                "histogram",
            ),
            Metric("rotulus_queue_paused", "1 while a queue is paused, else 0.", paused),
            Metric("rotulus_workers", "Workers that are alive.", [Sample(len(fleet.workers))]),
            Metric("rotulus_slots", "Slots of the workers that are alive.", [Sample(slots)]),
            Metric(
                "rotulus_build_info",
                "1, with the version of Rotulus.",
                [Sample(1, {"version": version("rotulus")})],
            ),
        ]

    def text(self) -> str:
        """Returns the metrics in the text format of Prometheus. Raises `StoreError`."""
        return write_metrics(self.read())

    async def atext(self) -> str:
        """`text`, without blocking the event loop."""
        return await off_loop(self.text)

    def wsgi(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """A WSGI application that answers with the metrics."""
        status, body = _answer(environ["REQUEST_METHOD"], self.text)
        start_response(status, list(_headers(body)))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    async def asgi(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """An ASGI application that answers with the metrics."""
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            status, body = await off_loop(_answer, scope["method"], self.text)
            headers = [(name.lower().encode(), text.encode()) for name, text in _headers(body)]
            shown = b"" if scope["method"] == "HEAD" else body
            await send(
                {"type": "http.response.start", "status": int(status[:3]), "headers": headers}
            )
            await send({"type": "http.response.body", "body": shown})

    def _totals(self) -> list[Total]:
        """All that has been counted: what was read before, and what is new."""
        stats = self.app.store.stats
        with self._lock:
            if monotonic() - self._read_at > _READ_ALL_EVERY:
                moment = stats.moment()
                until = max(0, moment - _LATE) // (60 * _SECOND) * (60 * _SECOND)
                self._known, self._known_until = stats.totals(0, until), until
                self._read_at = monotonic()
            known, since = self._known, self._known_until
        return [*known, *stats.totals(since, _ALWAYS)]


def write_metrics(metrics: Sequence[Metric]) -> str:
    """Returns metrics as text: one sample a line, each group with its help and type."""
    return "".join(line + "\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for value, labels, suffix in metric.samples:
        pairs = ",".join(f'{name}="{_quotable(text)}"' for name, text in labels.items())
        yield f"{metric.name}{suffix}{'{' + pairs + '}' if pairs else ''} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quotable(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    """Returns a value as Prometheus writes it."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))


def _counts(queues: Iterable[str], backlog: Iterable[Backlog]) -> list[Sample]:
    """How many jobs wait and run in each queue; 0 too, so that no series ends."""
    jobs = {(queue, state): 0 for queue in queues for state in _UNENDED}
    for found in backlog:
        jobs[found.queue, found.state] = min(found.jobs, _MOST)
    return [
        Sample(count, {"queue": queue, "state": state})
        for (queue, state), count in sorted(jobs.items())
    ]


def _ages(queues: Iterable[str], backlog: Iterable[Backlog], now: int) -> list[Sample]:
    """How long the job has been due that waits longest, in each queue; 0 where none waits."""
    ages = dict.fromkeys(queues, 0.0)
    for found in backlog:
        if found.oldest is not None:
            ages[found.queue] = max(ages[found.queue], (now - found.oldest) / _SECOND)
    return [Sample(age, {"queue": queue}) for queue, age in ages.items()]


def _counted(totals: Iterable[Total], *labels: str) -> list[Sample]:
    """How many there are, by some of: task, queue and outcome."""
    sums: dict[tuple[str, ...], int] = {}
    for task, queue, stat in totals:
        told = {"task": task, "queue": queue, "outcome": stat.outcome}
        key = tuple(told[label] for label in labels)
        sums[key] = sums.get(key, 0) + stat.count
    return [Sample(sums[key], dict(zip(labels, key, strict=True))) for key in sorted(sums)]


class _Times(NamedTuple):
    """The times of some attempts, in microseconds, and how many fell into each bucket."""

    name: str
    total: int
    buckets: Sequence[int]


def _histogram(label: str, times: Iterable[_Times]) -> list[Sample]:
    """The parts of a histogram for each task or queue."""
    sums: dict[str, _Times] = {}
    for name, total, buckets in times:
        _, known, counts = sums.get(name, _Times(name, 0, [0] * len(buckets)))
        added = [one + other for one, other in zip(counts, buckets, strict=True)]
        sums[name] = _Times(name, known + total, added)
    return [sample for name in sorted(sums) for sample in _parts(label, sums[name])]


def _parts(label: str, times: _Times) -> Iterator[Sample]:
    labels = {label: times.name}
    ends = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    below = list(accumulate(times.buckets))
    for end, count in zip(ends, below, strict=True):
        yield Sample(count, {**labels, "le": end}, "_bucket")
    yield Sample(times.total / _SECOND, labels, "_sum")
    yield Sample(below[-1], labels, "_count")


def _answer(method: str, text: Callable[[], str]) -> tuple[str, bytes]:
    """The status and the body of an answer."""
    if method not in ("GET", "HEAD"):
        return "405 Method Not Allowed", b"Use GET\n"
    try:
        return "200 OK", text().encode()
    except StoreError as error:
        return "503 Service Unavailable", f"{error}\n".encode()


def _headers(body: bytes) -> Iterator[tuple[str, str]]:
    yield "Content-Type", MEDIA_TYPE
    yield "Content-Length", str(len(body))
