"""`/api/v1/system` and `/api/v1/info`: what a service runs on, and how it introduces itself."""

import platform
import socket
import time
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import APIRouter, Request
from pydantic import BaseModel

from rotulus.service.guard import guard
from rotulus.service.problems import PROBLEM_RESPONSES, ProblemRoute
from rotulus.service.state import ServiceInfo


class SystemInfo(BaseModel):
    """What a service runs on.

    Attributes:
        current_time: the time there, in UTC.
        timezone: the zone of the machine.
        python_version: such as `3.11.7`.
        platform: the operating system.
        hostname: the name of the machine.
        rotulus_version: the version of Rotulus.
    """

    current_time: datetime
    timezone: str
    python_version: str
    platform: str
    hostname: str
    rotulus_version: str


def make_system_router() -> APIRouter:
    """The routes that tell about the service itself."""
    router = APIRouter(
        prefix="/api/v1",
        tags=["system"],
        route_class=ProblemRoute,
        dependencies=[guard],
        responses=PROBLEM_RESPONSES,
    )

    @router.get("/system", operation_id="get_system")
    async def system() -> SystemInfo:
        """What the service runs on."""
        return SystemInfo(
            current_time=datetime.now(UTC),
            timezone=time.tzname[0],
            python_version=platform.python_version(),
            platform=platform.platform(),
            hostname=socket.gethostname(),
            rotulus_version=version("rotulus"),
        )

    @router.get("/info", operation_id="get_info")
    async def info(request: Request) -> ServiceInfo:
        """How the service introduces itself."""
        state = getattr(request.app.state, "rotulus", None)
        if state is not None:
            return state.info
        return ServiceInfo(display_name=request.app.title, version=request.app.version)

    return router
