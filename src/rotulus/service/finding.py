"""Finds what a request is about: what the service is made of, and the app that it serves."""

from typing import cast

from fastapi import Request

from rotulus import App, TaskRegistry, current_app
from rotulus import registry as global_registry
from rotulus.service.state import ServiceState


def state_of(request: Request) -> ServiceState | None:
    """The state of a service; None in an application that no `ServiceBuilder` has built."""
    return cast("ServiceState | None", getattr(request.app.state, "rotulus", None))


def app_of(request: Request, registry: TaskRegistry = global_registry) -> App:
    """The app whose tasks and jobs an application serves.

    That is the one a `ServiceBuilder` was given, else the one that is open for a registry.

    Args:
        request: the request.
        registry: the tasks; the global registry unless given.

    Raises:
        NoAppError: none is open.
    """
    state = state_of(request)
    return current_app(registry) if state is None else state.app
