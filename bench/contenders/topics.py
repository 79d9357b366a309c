"""The topics that tasks are published to."""

from contextlib import suppress

from google.api_core.exceptions import AlreadyExists

from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.names import topic_name


def make_topic(route, settings):
    """Have the topic of a route, without a subscription."""
    topic = f"projects/{settings.project_id}/topics/{topic_name(route.path, settings)}"
    with suppress(AlreadyExists):
        GoogleClients.of(settings).publisher.create_topic(name=topic)
