"""`/metrics`: figures of the store and its workers, in the text format of Prometheus."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from rotulus import App
from rotulus._concurrency.pool import off_loop
from rotulus.service.guard import guard
from rotulus.service.problems import PROBLEM_RESPONSES, ProblemRoute
from rotulus.service.state import app_of

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """One value of a metric, with its labels."""

    value: float
    labels: Mapping[str, str] = {}


class Metric(NamedTuple):
    """A gauge: its name, its help text, and its values."""

    name: str
    help: str
    samples: Sequence[Sample]


def make_metrics_router() -> APIRouter:
    """Returns the route that Prometheus reads."""
    router = APIRouter(tags=["metrics"], route_class=ProblemRoute, dependencies=[guard])
    text = {"content": {"text/plain": {"schema": {"type": "string"}}}}

    @router.get(
        "/metrics",
        operation_id="get_metrics",
        response_class=Response,
        responses={**PROBLEM_RESPONSES, 200: text},
    )
    async def metrics(request: Request) -> Response:
        """Figures of the store and its workers, in the text format of Prometheus."""
        found = await off_loop(read_metrics, app_of(request))
        return Response(write_metrics(found), media_type=MEDIA_TYPE)

    return router


def read_metrics(app: App) -> list[Metric]:
    """Returns the figures of an app's store, by two statements; one of them counts the jobs."""
    counts, fleet = app.store.count("queue"), app.store.fleet()
    jobs = [Sample(c.jobs, {"queue": c.group, "state": c.state}) for c in counts]
    queues = sorted({c.group for c in counts} | set(fleet.paused))
    paused = [Sample(name in fleet.paused, {"queue": name}) for name in queues]
    return [
        Metric("rotulus_jobs", "Jobs in the store.", jobs),
        Metric("rotulus_queue_paused", "Whether a queue is paused.", paused),
        Metric("rotulus_workers", "Workers that are alive.", [Sample(len(fleet.workers))]),
        Metric("rotulus_slots", "Their slots.", [Sample(sum(w.slots for w in fleet.workers))]),
        Metric("rotulus_build_info", "The version.", [Sample(1, {"version": version("rotulus")})]),
        Metric(
            "process_start_time_seconds", "When the process started.", [Sample(_process_start())]
        ),
    ]


def write_metrics(metrics: Sequence[Metric]) -> str:
    """Returns metrics as text: one sample a line, each group with its help and type."""
    return "".join(line + "\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} gauge"
    for value, labels in metric.samples:
        pairs = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{metric.name}{'{' + pairs + '}' if pairs else ''} {float(value)!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _process_start() -> float:
    """Returns the start of this process; if the system does not know, the load of this module."""
    try:
        return Path(f"/proc/{os.getpid()}").stat().st_ctime
    except OSError:
        return _LOADED


_LOADED = time.time()
