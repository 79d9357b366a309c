"""The state of a service and its app, and how routes find them from a request."""

from dataclasses import dataclass
from typing import Any, cast

from fastapi import Request
from pydantic import BaseModel

from rotulus import App, TaskRegistry, current_app
from rotulus import registry as global_registry


class ServiceInfo(BaseModel):
    """How a service introduces itself.

    Attributes:
        display_name: its name, for people.
        version: its own version.
        summary: its purpose, in a sentence.
        description: the same at length; Markdown.
        contact: the person or team to ask: `{"name": ..., "email": ...}`.
        license_info: the licence of its API: `{"name": ...}`.
    """

    display_name: str
    version: str = "1.0.0"
    summary: str | None = None
    description: str | None = None
    contact: dict[str, str] | None = None
    license_info: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The values that the routes of a service share.

    Attributes:
        app: the app with the tasks and jobs.
        info: the description of the service.
        database: the database for `get_database`, if the service has one.
        scheduler: the scheduler for `get_scheduler`, if the service has background jobs.
        hierarchy: the hierarchy of artifacts, if the service has them.
        auth: the check of callers; None: only this machine may call the service.
        tokens: the stored tokens by which callers are known.
        tracebacks: whether answers hold tracebacks; None: only if nobody else can see them.
        pushed: the app that takes the pushes; None: the app itself.
    """

    app: App
    info: ServiceInfo
    database: Any = None
    scheduler: Any = None
    hierarchy: Any = None
    auth: Any = None
    tracebacks: bool | None = None
    tokens: Any = None
    pushed: App | None = None


def state_of(request: Request) -> ServiceState | None:
    """Returns the state of a service; None in an application that no `ServiceBuilder` has built."""
    return cast("ServiceState | None", getattr(request.app.state, "rotulus", None))


def app_of(request: Request, registry: TaskRegistry = global_registry) -> App:
    """Returns the app with the tasks and jobs of an application.

    That is the app of the `ServiceBuilder`, else the app that is open for a registry.

    Args:
        request: the request.
        registry: the tasks; the global registry unless given.

    Raises:
        NoAppError: none is open.
    """
    state = state_of(request)
    return current_app(registry) if state is None else state.app
