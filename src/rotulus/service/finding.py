"""Finds the state of a service and its app, from a request."""

from typing import cast

from fastapi import Request

from rotulus import App, TaskRegistry, current_app
from rotulus import registry as global_registry
from rotulus.service.state import ServiceState


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
