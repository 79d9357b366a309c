"""`/api/v1/push`: how jobs are pushed: what is wanted at Google, what is there, and deliveries."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request

from rotulus._app.answered import MOST_KEPT
from rotulus._app.resources.push import Push
from rotulus.errors import ConfigurationError
from rotulus.service.guard import ResourceRouter
from rotulus.service.problems import ProblemError
from rotulus.service.resources.push_models import (
    PushDeliveries,
    PushPatience,
    PushPlan,
    PushWanted,
)
from rotulus.service.resources.views import view_of
from rotulus.service.state import app_of, state_of

Limit = Annotated[int, Query(ge=1, le=2 * MOST_KEPT, description="At most so many.")]
Refused = Annotated[
    bool | None, Query(description="Only those that were refused, or only the others.")
]


def make_push_router(prefix: str = "/api/v1/push", tags: Sequence[str] = ("Push",)) -> APIRouter:
    """Returns the routes of pushes: the wanted resources, a plan, and the last deliveries.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/push", prefix, tags)
    router.get("", operation_id="get_push", summary="What the routes want at Google")(get_push)
    router.post(
        "/$plan", operation_id="plan_push", summary="Compare what is at Google with what is wanted"
    )(plan_push)
    router.get(
        "/$deliveries", operation_id="list_push_deliveries", summary="List the last deliveries"
    )(list_push_deliveries)
    return router


async def get_push(request: Request) -> PushWanted:
    """Topics, subscriptions and scheduler jobs by the routes and settings; Google is not asked."""
    return PushWanted.of(await _push_of(request).awanted(), view_of(request))


async def plan_push(request: Request, body: PushPatience | None = None) -> PushPlan:
    """Ask Google, in the name of the service, and compare. Nothing is changed.

    What could not be looked at, such as for a missing permission, is a problem of the plan.
    """
    asked = body or PushPatience.model_validate({})
    try:
        plan = await _push_of(request).aplan(patience=asked.patience)
    except ConfigurationError as error:
        raise ProblemError(
            409,
            "push_not_ready",
            "Google cannot be asked",
            str(error),
            hint="It takes routes, rotulus[gcp], the settings of Pub/Sub, and credentials.",
        ) from error
    return PushPlan.of(plan, view_of(request))


async def list_push_deliveries(
    request: Request, limit: Limit = 100, refused: Refused = None
) -> PushDeliveries:
    """What this process has answered since it began, from memory, the last one first."""
    push = _push_of(request)
    return PushDeliveries.of(push.process(), push.deliveries(limit, refused=refused))


def _push_of(request: Request) -> Push:
    """Returns the pushes of the app that takes them, which under Django is not the service's."""
    state = state_of(request)
    app = app_of(request) if state is None or state.pushed is None else state.pushed
    return app.push
