"""The views for pushes of Pub/Sub and ticks of Cloud Scheduler."""

from collections.abc import Callable
from typing import NamedTuple

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rotulus import App, pubsub
from rotulus.django.checks import missing_settings
from rotulus.django.pubsub import PubSubBackend, the_backend
from rotulus.errors import ConfigurationError
from rotulus.pubsub import LocalVerifier, PushAnswer, PushHandler, PushRequest

View = Callable[[HttpRequest], HttpResponse]


class _Ready(NamedTuple):
    """The handler of an app."""

    app: App
    handler: PushHandler


_ready: list[_Ready] = []
"""The handler that was made last."""


class _EveryDatabase(set[str]):
    """Contains the alias of every database, later ones included."""

    def __contains__(self, alias: object) -> bool:
        return True


def _served(view: View) -> View:
    """Returns a view for programs: without cookies, in transactions of its own."""
    # An attempt is claimed, run and settled in a transaction each.
    setattr(view, "_non_atomic_requests", _EveryDatabase())  # noqa: B010 - as its decorator does
    return csrf_exempt(login_not_required(require_POST(view)))


@_served
def push(request: HttpRequest) -> HttpResponse:
    """Run the job of a pushed message, in this thread."""
    handler = _handler()
    body = request.read(handler.most_bytes + 1)  # of one that is too large, enough to see that
    return _response(handler.handle(_request(request, body)))


@_served
def tick(request: HttpRequest) -> HttpResponse:
    """Do every duty of a worker once."""
    return _response(_handler().tick(_request(request, b"")))


def _handler() -> PushHandler:
    """Returns the handler of the backend, made at the first request.

    Raises:
        Http404: there is no such backend.
        ImproperlyConfigured: a setting is missing, or the routes are not right.
    """
    backend = the_backend()
    if backend is None:
        raise Http404("No PubSubBackend is among settings.TASKS")
    app = backend.app
    for ready in _ready:
        if ready.app is app:
            return ready.handler
    handler = _made(backend, app)
    _ready[:] = [_Ready(app, handler)]
    return handler


def _made(backend: PubSubBackend, app: App) -> PushHandler:
    problem = missing_settings(backend)
    if problem:
        raise ImproperlyConfigured(problem)
    carrier = backend.carrier
    verifier = LocalVerifier() if backend.insecure_local else None
    try:
        return pubsub.PushHandler(app, carrier.routes, verifier=verifier, settings=carrier.settings)
    except ConfigurationError as error:
        raise ImproperlyConfigured(str(error)) from error


def _request(request: HttpRequest, body: bytes) -> PushRequest:
    return PushRequest(list(request.headers.items()), body, request.META.get("REMOTE_ADDR"))


def _response(answer: PushAnswer) -> HttpResponse:
    headers = dict(answer.headers)
    return HttpResponse(
        answer.text, status=answer.status, headers=headers, content_type="text/plain"
    )
