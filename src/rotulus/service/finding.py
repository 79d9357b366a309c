"""Finds what a request is about: the app that an application serves."""

from fastapi import Request

from rotulus import App, current_app


def app_of(request: Request) -> App:
    """The app whose tasks and jobs an application serves.

    That is the one a `ServiceBuilder` was given, else the one that is open for the global registry.

    Raises:
        NoAppError: none is open.
    """
    state = getattr(request.app.state, "rotulus", None)
    return current_app() if state is None else state.app
