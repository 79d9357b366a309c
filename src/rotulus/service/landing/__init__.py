"""The landing page of a service: at `/`, its tasks with a form for each."""

import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rotulus import TaskRegistry
from rotulus import registry as global_registry
from rotulus._app.inline import InlineCalls
from rotulus._workflows.tasks import WorkflowTask
from rotulus.errors import ConfigurationError
from rotulus.service.auth import auth_of_settings
from rotulus.service.guard import GuardedRoute
from rotulus.service.injection import described_calls
from rotulus.service.landing.fields import fields_of
from rotulus.service.landing.offers import offers_of
from rotulus.service.landing.page import ShownTask, page
from rotulus.service.state import ServiceInfo, state_of


def make_landing_router(registry: TaskRegistry = global_registry) -> APIRouter:
    """Returns the route of the landing page, for `app.include_router(...)`.

    The page shows the tasks of the service, else those of a registry, with a form for each. It
    links to everything else that the application offers. It loads nothing from elsewhere, and can
    be read without its script.

    Args:
        registry: the tasks, in an application that no `ServiceBuilder` has built.
    """
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/", include_in_schema=False)
    async def landing_page(request: Request) -> Response:
        state = state_of(request)
        served = state.app.registry if state else registry
        nonce = secrets.token_urlsafe(18)
        auth = (state and state.auth) or auth_of_settings()
        token = auth is not None and auth.token is not None
        info = state.info if state else _info(request)
        html = page(info, _shown(served), offers_of(request), token=token, nonce=nonce)
        return Response(html.encode(), headers=_headers(nonce), media_type="text/html")

    return router


def _headers(nonce: str) -> dict[str, str]:
    """Only the page's own script runs, and no other page can embed this one."""
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _info(request: Request) -> ServiceInfo:
    """Returns the description of an application that no `ServiceBuilder` has built."""
    app = request.app
    return ServiceInfo(
        display_name=getattr(app, "title", "") or "Tasks",
        version=getattr(app, "version", ""),
        summary=getattr(app, "summary", None),
        description=getattr(app, "description", None),
    )


def _shown(registry: TaskRegistry) -> list[ShownTask]:
    calls = described_calls(registry)
    return [_shown_task(registry, calls, name) for name in registry.list_all()]


def _shown_task(registry: TaskRegistry, calls: InlineCalls, name: str) -> ShownTask:
    info = registry.get_info(name)
    try:
        fields = fields_of(calls.shape(name).arguments, info)
    except ConfigurationError as error:  # such as no database where it needs one
        return ShownTask(info, None, str(error))
    return ShownTask(info, fields, is_workflow=isinstance(registry.get(name), WorkflowTask))
