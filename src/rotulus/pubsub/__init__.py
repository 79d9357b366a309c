"""The Pub/Sub door: tasks that Google Pub/Sub pushes, where there are no workers.

Each name is imported when it is first used, as those of `rotulus` are. The names that call Google
need the extra: `pip install 'rotulus[gcp]'`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotulus.errors import ConfigurationError

if TYPE_CHECKING:
    from rotulus.pubsub.asgi import make_push_router
    from rotulus.pubsub.carrier import PubSubCarrier
    from rotulus.pubsub.fake.google import FakeGoogle
    from rotulus.pubsub.http import PushAnswer, PushRequest
    from rotulus.pubsub.provision.applying import apply
    from rotulus.pubsub.provision.planning import plan
    from rotulus.pubsub.push import PushHandler
    from rotulus.pubsub.route import TaskRoute
    from rotulus.pubsub.settings import PubSubSettings
    from rotulus.pubsub.tokens import LocalVerifier, TokenVerifier

__all__ = [
    "FakeGoogle",
    "LocalVerifier",
    "PubSubCarrier",
    "PubSubSettings",
    "PushAnswer",
    "PushHandler",
    "PushRequest",
    "TaskRoute",
    "TokenVerifier",
    "apply",
    "make_push_router",
    "plan",
]

_HOMES = {
    "asgi": ("make_push_router",),
    "carrier": ("PubSubCarrier",),
    "fake.google": ("FakeGoogle",),
    "http": ("PushAnswer", "PushRequest"),
    "provision.applying": ("apply",),
    "provision.planning": ("plan",),
    "push": ("PushHandler",),
    "route": ("TaskRoute",),
    "settings": ("PubSubSettings",),
    "tokens": ("LocalVerifier", "TokenVerifier"),
}
"""Where each public name is defined."""

_EXTRA = {
    "cryptography": "gcp",
    "fastapi": "service",
    "google": "gcp",
    "grpc": "gcp",
    "jwt": "gcp",
    "starlette": "service",
}
"""The extra of each package."""


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    except ModuleNotFoundError as error:
        extra = _EXTRA.get(str(error.name).partition(".")[0])
        if extra is None:
            raise
        raise ConfigurationError(
            f"{__name__}.{name} needs {error.name}: pip install 'rotulus[{extra}]'"
        ) from None
    if isinstance(value, type):
        value.__module__ = __name__  # shown where users find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
