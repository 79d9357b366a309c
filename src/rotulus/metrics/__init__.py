"""Figures of an app for Prometheus, which a restart does not set back: `Metrics(app).text()`.

They are read from the store's statistics, where each attempt is counted in the transaction in
which it ends. So any process can tell them, whether it runs jobs or not, and one is enough. A few
are of this process alone, and say so.
"""

import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from rotulus import App, State
from rotulus._concurrency.pool import off_loop
from rotulus._time.clock import monotonic
from rotulus.errors import StoreError
from rotulus.metrics import figures
from rotulus.metrics.process import counts_of
from rotulus.metrics.text import MEDIA_TYPE, Metric, Sample, write_metrics
from rotulus.store import ENQUEUED, Filter, Total

__all__ = ["MEDIA_TYPE", "Metric", "Metrics", "Sample", "write_metrics"]

_SECOND = 1_000_000
_LATE = 900 * _SECOND
"""Microseconds in which what is counted may still change: a transaction may be open that long."""

_READ_ALL_EVERY = 3600.0
"""Seconds between two reads of everything; in between, only what is new is read."""

_ALWAYS = 2**62


class Metrics:
    """The metrics of an app. May be used from any thread.

    `metrics.wsgi` and `metrics.asgi` are applications that answer a GET with `text`; mount one of
    them at `/metrics`, behind whatever guards the rest.

    Args:
        app: the app; its statistics are those of all apps on the same store.
        limit_keys: keys of limits: it is told how many jobs with them run.

    Attributes:
        app: the app.
    """

    def __init__(self, app: App, *, limit_keys: Iterable[str] = ()) -> None:
        self.app = app
        self._limit_keys = tuple(limit_keys)
        self._process = counts_of(app.events)
        self._lock = threading.Lock()
        self._known: list[Total] = []
        self._known_until = 0
        self._read_at = float("-inf")

    def read(self) -> list[Metric]:
        """Returns the metrics. Raises `StoreError`."""
        try:
            totals = self._totals()
            return [
                *self._now(totals),
                *_ever(totals),
                *self._process.read(),
                Metric(
                    "rotulus_build_info",
                    "1, with the version of Rotulus.",
                    [Sample(1, {"version": version("rotulus")})],
                ),
            ]
        except StoreError:
            self._process.note_error("metrics")
            raise

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

    def _now(self, totals: Iterable[Total]) -> Iterator[Metric]:
        """How it stands: what waits and runs, who works, and what is late."""
        store = self.app.store
        fleet, backlog = store.fleet(), store.backlog(figures.MOST_COUNTED)
        workers, running = fleet.workers, store.running(figures.MOST_COUNTED)
        known = {total.queue for total in totals} | {found.queue for found in backlog}
        queues = sorted(known | set(fleet.paused))
        jobs = figures.job_counts(queues, backlog)
        yield Metric("rotulus_jobs", "Jobs that have not ended, up to 10,000.", jobs)
        yield Metric(
            "rotulus_queue_oldest_seconds",
            "How long the job has been due that waits longest; 0 where none waits.",
            figures.queue_ages(queues, backlog, store.stats.moment()),
        )
        paused = [Sample(name in fleet.paused, {"queue": name}) for name in queues]
        yield Metric("rotulus_queue_paused", "1 while a queue is paused, else 0.", paused)
        served = figures.queue_workers(queues, workers)
        yield Metric("rotulus_queue_workers", "Workers that serve a queue.", served)
        alive = figures.worker_counts(workers, running)
        yield Metric("rotulus_workers", "Workers that are alive: busy with a job, or idle.", alive)
        slots = figures.slot_counts(workers, running)
        yield Metric("rotulus_slots", "Slots of the workers that are alive: busy, or free.", slots)
        lags = self.app.stats.lags().items()
        yield Metric(
            "rotulus_schedule_lag_seconds",
            "How long an instant has been due that no worker has fired; 0 if there is none.",
            [Sample(seconds, {"schedule": name}) for name, seconds in lags],
        )
        if self._limit_keys:
            held = [Sample(self._held(key), {"limit_key": key}) for key in self._limit_keys]
            yield Metric("rotulus_limit_held", "Jobs that run with a key of limits.", held)

    def _held(self, key: str) -> int:
        running = Filter(states=[State.RUNNING], limit_key=key)
        return self.app.store.tally(running, figures.MOST_COUNTED).jobs

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


def _ever(totals: Sequence[Total]) -> Iterator[Metric]:
    """What has happened ever since: counters and histograms that never go back."""
    added = [total for total in totals if total.stat.outcome == ENQUEUED]
    ended = [total for total in totals if total.stat.outcome != ENQUEUED]
    new, outcomes = figures.counts(added, "task", "queue"), ("task", "queue", "outcome")
    yield Metric("rotulus_jobs_enqueued_total", "Jobs that were added.", new, "counter")
    yield Metric(
        "rotulus_attempts_total",
        "Attempts that ended.",
        figures.counts(ended, *outcomes),
        "counter",
    )
    ran = [figures.Times(task, stat.run_sum, stat.runs) for task, _, stat in ended]
    waited = [figures.Times(queue, stat.wait_sum, stat.waits) for _, queue, stat in ended]
    yield Metric(
        "rotulus_attempt_duration_seconds",
        "How long attempts ran.",
        figures.histogram("task", ran),
        "histogram",
    )
    yield Metric(
        "rotulus_wait_seconds",
        "How long attempts waited after they were due.",
        figures.histogram("queue", waited),
        "histogram",
    )


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
