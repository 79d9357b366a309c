"""The resources of Pub/Sub: topics and subscriptions, of tasks and for dead letters."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.api_core.exceptions import NotFound
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import (
    DeadLetterPolicy,
    ExpirationPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
    UpdateSubscriptionRequest,
)

from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.protobuf import length_of, seconds_of
from rotulus.pubsub.provision.resource import CALL, ONCE, found

NEVER = "never"
"""The subscription never expires: by default Google deletes it after 31 days without a message."""

_PARTS = {
    "ack_deadline": "ack_deadline_seconds",
    "push_endpoint": "push_config",
    "audience": "push_config",
    "service_account": "push_config",
    "min_retry_delay": "retry_policy",
    "max_retry_delay": "retry_policy",
    "dead_letter_topic": "dead_letter_policy",
    "max_delivery_attempts": "dead_letter_policy",
    "expires": "expiration_policy",
}
"""The field of Google's message that each of ours is part of."""


@dataclass(frozen=True)
class TopicResource:
    """A topic, which has only a name.

    Args:
        clients: Google's.
        name: its full name.
    """

    clients: GoogleClients = field(repr=False)
    name: str
    kind: str = "topic"
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fixed: Collection[str] = ()

    def read(self) -> Mapping[str, Any] | None:
        """Returns its current fields, of which there are none; None: there is no such topic."""
        known = found(self.clients, self.clients.publisher.get_topic, topic=self.name)
        return None if known is None else {}

    def create(self) -> None:
        """Create the topic."""
        self.clients.publisher.create_topic(name=self.name, **ONCE)

    def update(self, names: Collection[str]) -> None:
        """Change nothing: a topic has no fields."""

    def delete(self) -> None:
        """Delete the topic."""
        with suppress(NotFound):
            self.clients.publisher.delete_topic(topic=self.name, **CALL)


@dataclass(frozen=True)
class SubscriptionResource:
    """A subscription.

    Args:
        clients: Google's.
        name: its full name.
        fields: `topic` and those of a push; a subscription without them waits to be pulled from.
    """

    clients: GoogleClients = field(repr=False)
    name: str
    fields: Mapping[str, Any]
    kind: str = "subscription"
    fixed: Collection[str] = ("topic",)

    def read(self) -> Mapping[str, Any] | None:
        """Returns its current fields; None: there is no such subscription."""
        read = self.clients.subscriber.get_subscription
        known = found(self.clients, read, subscription=self.name)
        return None if known is None else _fields(known)

    def create(self) -> None:
        """Create the subscription."""
        self.clients.subscriber.create_subscription(request=self._message(), **ONCE)

    def update(self, names: Collection[str]) -> None:
        """Set these fields to the wanted values."""
        mask = FieldMask(paths=sorted({_PARTS[name] for name in names}))
        request = UpdateSubscriptionRequest(subscription=self._message(), update_mask=mask)
        self.clients.subscriber.update_subscription(request=request, **CALL)

    def delete(self) -> None:
        """Delete the subscription, with the messages that wait in it."""
        with suppress(NotFound):
            self.clients.subscriber.delete_subscription(subscription=self.name, **CALL)

    def _message(self) -> Subscription:
        fields = self.fields
        made = Subscription(
            name=self.name, topic=fields["topic"], expiration_policy=ExpirationPolicy()
        )
        if "push_endpoint" in fields:
            made.ack_deadline_seconds = fields["ack_deadline"]
            made.push_config = _push(fields)
            made.retry_policy = RetryPolicy(
                minimum_backoff=length_of(fields["min_retry_delay"]),
                maximum_backoff=length_of(fields["max_retry_delay"]),
            )
            made.dead_letter_policy = DeadLetterPolicy(
                dead_letter_topic=fields["dead_letter_topic"],
                max_delivery_attempts=fields["max_delivery_attempts"],
            )
        return made


def _push(fields: Mapping[str, Any]) -> PushConfig:
    token = PushConfig.OidcToken(
        service_account_email=fields["service_account"], audience=fields["audience"]
    )
    return PushConfig(push_endpoint=fields["push_endpoint"], oidc_token=token)


def _fields(known: Subscription) -> dict[str, Any]:
    push, retry, dead = known.push_config, known.retry_policy, known.dead_letter_policy
    has_retry = "retry_policy" in known
    lasts = seconds_of(known.expiration_policy, "ttl")
    return {
        "topic": known.topic,
        "ack_deadline": known.ack_deadline_seconds,
        "push_endpoint": push.push_endpoint or None,
        "audience": push.oidc_token.audience or None,
        "service_account": push.oidc_token.service_account_email or None,
        "min_retry_delay": seconds_of(retry, "minimum_backoff", 10.0) if has_retry else None,
        "max_retry_delay": seconds_of(retry, "maximum_backoff", 600.0) if has_retry else None,
        "dead_letter_topic": dead.dead_letter_topic or None,
        "max_delivery_attempts": dead.max_delivery_attempts or None,
        "expires": lasts or NEVER,
    }
