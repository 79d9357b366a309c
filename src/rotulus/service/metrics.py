"""`/metrics`: figures of the store and its workers, in the text format of Prometheus."""

import os
import time
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from rotulus import App
from rotulus._concurrency.pool import off_loop
from rotulus.metrics import MEDIA_TYPE, Metric, Metrics, Sample, write_metrics
from rotulus.service.guard import ResourceRouter
from rotulus.service.problems import PROBLEM_RESPONSES
from rotulus.service.state import app_of


def make_metrics_router() -> APIRouter:
    """Returns the route that Prometheus reads."""
    router = ResourceRouter("", "", ["metrics"])
    text = {"content": {"text/plain": {"schema": {"type": "string"}}}}

    @router.get(
        "/metrics",
        operation_id="get_metrics",
        response_class=Response,
        responses={**PROBLEM_RESPONSES, 200: text},
    )
    async def metrics(request: Request) -> Response:
        """Figures of the store and its workers, in the text format of Prometheus."""
        found = await off_loop(read_metrics, _metrics_of(request))
        return Response(write_metrics(found), media_type=MEDIA_TYPE)

    return router


def _metrics_of(request: Request) -> Metrics:
    """Returns the metrics of an application: made once, since they keep what does not change."""
    app, state = app_of(request), request.app.state
    known: tuple[App, Metrics] | None = getattr(state, "rotulus_known_metrics", None)
    if known is None or known[0] is not app:
        known = state.rotulus_known_metrics = (app, Metrics(app))
    return known[1]


def read_metrics(metrics: Metrics) -> list[Metric]:
    """Returns the metrics of an app, and since when this process runs."""
    begun = [Sample(_process_start())]
    return [
        *metrics.read(),
        Metric("process_start_time_seconds", "When the process started.", begun),
    ]


def _process_start() -> float:
    """Returns the start of this process; if the system does not know, the load of this module."""
    try:
        return Path(f"/proc/{os.getpid()}").stat().st_ctime
    except OSError:
        return _LOADED


_LOADED = time.time()
