"""Google's own clients of Pub/Sub and Cloud Scheduler, or of emulators of them."""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar

import grpc
from google.auth.exceptions import GoogleAuthError
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
    CloudSchedulerGrpcTransport,
)
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from rotulus._time.clock import monotonic
from rotulus.errors import ConfigurationError
from rotulus.pubsub.settings import PubSubSettings

C = TypeVar("C")

_OF_ANY_SIZE = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
"""The options of the channels of Google's clients."""


class GoogleClients:
    """The clients of Pub/Sub and Cloud Scheduler; each is made when it is first used.

    They belong to the process that made them: gRPC does not survive a fork. Their types are
    left out, because Google's are incomplete.

    Args:
        pubsub_emulator: `host:port` of an emulator of Pub/Sub; without: Google's service.
        scheduler_emulator: the same for Cloud Scheduler.
        patience: seconds from now after which nothing is read any more; None: no such limit.
    """

    def __init__(
        self,
        pubsub_emulator: str = "",
        scheduler_emulator: str = "",
        *,
        patience: float | None = None,
    ) -> None:
        self._pubsub_emulator = pubsub_emulator
        self._scheduler_emulator = scheduler_emulator
        self._end = None if patience is None else monotonic() + patience

    @classmethod
    def of(cls, settings: PubSubSettings, *, patience: float | None = None) -> Self:
        """Returns the clients for some settings."""
        return cls(settings.pubsub_emulator, settings.scheduler_emulator, patience=patience)

    @property
    def seconds_left(self) -> float:
        """Seconds until nothing is read any more; none are left when it is not above 0."""
        return math.inf if self._end is None else self._end - monotonic()

    @cached_property
    def publisher(self) -> Any:
        """A `PublisherClient`: topics, and their messages.

        Raises:
            ConfigurationError: this machine has no credentials of Google's.
        """
        return _client(PublisherClient, PublisherGrpcTransport, self._pubsub_emulator)

    @cached_property
    def subscriber(self) -> Any:
        """A `SubscriberClient`: subscriptions.

        Raises:
            ConfigurationError: this machine has no credentials of Google's.
        """
        return _client(SubscriberClient, SubscriberGrpcTransport, self._pubsub_emulator)

    @cached_property
    def scheduler(self) -> Any:
        """A `CloudSchedulerClient`: jobs of Cloud Scheduler.

        Raises:
            ConfigurationError: this machine has no credentials of Google's.
        """
        return _client(CloudSchedulerClient, CloudSchedulerGrpcTransport, self._scheduler_emulator)

    def close(self) -> None:
        """Close the connections of the clients that were made."""
        for name in ("publisher", "subscriber", "scheduler"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                client.transport.close()


def _client(kind: Callable[..., C], transport: Callable[..., Any], emulator: str) -> C:
    try:
        if not emulator:
            return kind()
        return kind(transport=transport(channel=grpc.insecure_channel(emulator, _OF_ANY_SIZE)))
    except GoogleAuthError as error:
        raise ConfigurationError(
            f"This machine has no credentials of Google's: {error}. Log in with 'gcloud auth "
            f"application-default login', run as a service account, or name an emulator in "
            f"PUBSUB_EMULATOR_HOST"
        ) from error
