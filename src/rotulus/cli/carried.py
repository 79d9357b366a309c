"""The carrier of an app, for commands about Google Pub/Sub."""

from typing import TYPE_CHECKING

from rotulus import App, pubsub
from rotulus.errors import ConfigurationError

if TYPE_CHECKING:
    from rotulus.pubsub import PubSubCarrier


def carrier_of(app: App) -> "PubSubCarrier":
    """The carrier of an app that has routes. Raises `ConfigurationError`, which shows how."""
    carrier = app.carrier
    if isinstance(carrier, pubsub.PubSubCarrier) and carrier.routes:
        return carrier
    raise ConfigurationError(
        "This app has no routes, so Google Pub/Sub delivers nothing of it. Say which tasks it is "
        "to deliver, where the app is made:\n\n"
        "    from rotulus.pubsub import PubSubCarrier, TaskRoute\n\n"
        "    app.carry(PubSubCarrier([TaskRoute(send_welcome)]))\n"
    )
