"""`/health`, `/health/live` and `/health/ready`: open to every client, and so without reasons."""

import logging
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from rotulus.service.problems import ProblemRoute
from rotulus.service.state import app_of

_log = logging.getLogger("rotulus.service")


def make_health_router() -> APIRouter:
    """Returns the routes for probes.

    `/health/live` answers while the process does. `/health` and `/health/ready` answer 200 when
    the store can be used, its tables are of this version, and the worker of this process runs, if
    it has one; else 503, and the log says why.
    """
    router = APIRouter(tags=["health"], route_class=ProblemRoute)
    unhealthy: dict[int | str, dict[str, Any]] = {503: {"description": "Something is unhealthy."}}

    @router.get("/health", operation_id="get_health", responses=unhealthy)
    @router.get("/health/ready", operation_id="get_readiness", responses=unhealthy)
    async def ready(request: Request) -> JSONResponse:
        """Whether the service can do its work."""
        found = await app_of(request).areadiness()
        problems = {name: problem for name, problem in found.items() if problem is not None}
        for name, problem in problems.items():
            _log.warning("The service is not ready: %s: %s", name, problem)
        checks = {name: "unhealthy" if name in problems else "healthy" for name in found}
        body = {"status": "unhealthy" if problems else "healthy", "checks": checks}
        return JSONResponse(body, 503 if problems else 200, {"Cache-Control": "no-store"})

    @router.get("/health/live", operation_id="get_liveness")
    async def live() -> JSONResponse:
        """Whether the process answers."""
        return JSONResponse({"status": "healthy"}, headers={"Cache-Control": "no-store"})

    return router
