"""`/api/v1/me`: who has sent a request, what that sender may do, and where it has come to."""

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import APIRouter, Request
from pydantic import BaseModel

from rotulus._app.roles import Role
from rotulus.service.guard import ResourceRouter
from rotulus.service.principal import principal_of
from rotulus.service.state import app_of, state_of


class Me(BaseModel):
    """The sender of a request, and the service that has got it.

    Attributes:
        name: the name of the sender: of its token, or of its kind.
        role: what the sender may do.
        service: the name of the service, for people.
        environment: the environment of the app, such as `staging`; null: it has no name.
        trace_url: the page of a trace in a tracing system, with `{trace_id}` in the place of the
            id; null: none is known.
        version: the version of Rotulus.
    """

    name: str
    role: Role
    service: str
    environment: str | None
    trace_url: str | None
    version: str


def make_me_router(prefix: str = "/api/v1/me", tags: Sequence[str] = ("Me",)) -> APIRouter:
    """Returns the route about the sender of a request.

    Args:
        prefix: its path.
        tags: the tags of the operation.
    """
    router = ResourceRouter("/api/v1/me", prefix, tags)

    @router.get("", operation_id="get_me", summary="Who am I?")
    async def me(request: Request) -> Me:
        """The sender of the request, the sender's role, and the service."""
        sender, state = principal_of(request), state_of(request)
        settings = app_of(request).settings
        return Me(
            name=sender.name,
            role=sender.role,
            service=state.info.display_name if state else request.app.title,
            environment=settings["environment"].value,
            trace_url=settings["trace_url"].value,
            version=version("rotulus"),
        )

    return router
