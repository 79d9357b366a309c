"""`/api/v1/system` and `/api/v1/info`: the system of a service, and its description."""

import platform
import socket
import time
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import APIRouter, Request
from pydantic import BaseModel

from rotulus.service.guard import ResourceRouter
from rotulus.service.state import ServiceInfo, state_of


class SystemInfo(BaseModel):
    """The system of a service.

    Attributes:
        current_time: its time, in UTC.
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
    """Returns the routes about the service itself."""
    router = ResourceRouter("/api/v1", "/api/v1", ["system"])

    @router.get("/system", operation_id="get_system")
    async def system() -> SystemInfo:
        """The system of the service."""
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
        """The description of the service."""
        state = state_of(request)
        if state is not None:
            return state.info
        return ServiceInfo(display_name=request.app.title, version=request.app.version)

    return router
