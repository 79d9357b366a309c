"""The service behind Django's login, and its senders: what needs FastAPI."""

from typing import Any

from starlette.requests import Request

from rotulus import App
from rotulus.service import Principal, Role, ServiceBuilder, ServiceInfo

SENDER = "rotulus.sender"
"""The key of the sender in the scope of a request."""

_VIEW, _CHANGE = "rotulus.view_taskexecution", "rotulus.change_taskexecution"


def sender_of(user: Any) -> Principal | None:
    """Returns a user of Django as the service knows senders; None: somebody who may not look.

    Blocks: permissions are in the database.
    """
    if not (user.is_active and user.is_staff and user.has_perm(_VIEW)):
        return None
    role = Role.OPERATOR if user.has_perm(_CHANGE) else Role.VIEWER
    return Principal(user.get_username(), Role.ADMIN if user.is_superuser else role, "django")


async def begin(app: App, pushed: App) -> Any:
    """Returns the service of an app, begun: it lasts as long as the process.

    Args:
        app: the app.
        pushed: the app that takes the pushes.
    """
    info = ServiceInfo(display_name="Rotulus")
    builder = ServiceBuilder(info=info, app=app, pushes_of=pushed)
    service = builder.with_console().with_tasks().with_auth(dependency=_sent_by).build()
    await service.router.lifespan_context(service).__aenter__()
    return service


def _sent_by(request: Request) -> Principal:
    sender: Principal = request.scope[SENDER]
    return sender
