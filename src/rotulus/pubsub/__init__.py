"""The Pub/Sub door: tasks that Google Pub/Sub pushes, where there are no workers.

Each name is imported when it is first used, as those of `rotulus` are. The names that call Google
need the extra: `pip install 'rotulus[gcp]'`.
"""

from typing import TYPE_CHECKING

from rotulus._lazy import lazy

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
    "rotulus.pubsub.asgi": ("make_push_router",),
    "rotulus.pubsub.carrier": ("PubSubCarrier",),
    "rotulus.pubsub.fake.google": ("FakeGoogle",),
    "rotulus.pubsub.http": ("PushAnswer", "PushRequest"),
    "rotulus.pubsub.provision.applying": ("apply",),
    "rotulus.pubsub.provision.planning": ("plan",),
    "rotulus.pubsub.push": ("PushHandler",),
    "rotulus.pubsub.route": ("TaskRoute",),
    "rotulus.pubsub.settings": ("PubSubSettings",),
    "rotulus.pubsub.tokens": ("LocalVerifier", "TokenVerifier"),
}
"""Where each public name is defined."""

EXTRAS = {
    "cryptography": "gcp",
    "fastapi": "service",
    "google": "gcp",
    "grpc": "gcp",
    "jwt": "gcp",
    "starlette": "service",
}
"""The extra of each package."""

__getattr__ = lazy(__name__, _HOMES, EXTRAS)


def __dir__() -> list[str]:
    return list(__all__)
