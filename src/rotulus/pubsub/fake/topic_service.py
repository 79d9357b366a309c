"""The service `Publisher` of the fake: topics, and publishing to them."""

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import (
    DeleteTopicRequest,
    GetTopicRequest,
    ListTopicsRequest,
    ListTopicsResponse,
    ListTopicSubscriptionsRequest,
    ListTopicSubscriptionsResponse,
    PublishRequest,
    PublishResponse,
    Topic,
    UpdateTopicRequest,
)

from rotulus.pubsub.fake.broker import DELETED, Broker
from rotulus.pubsub.fake.faults import Faults
from rotulus.pubsub.fake.requests import Refused, already_exists, check_name, invalid, merged
from rotulus.pubsub.fake.serving import Method

_MOST = 1000
"""The most messages of a call."""

_LARGEST = 10_000_000
"""The most bytes of a message."""


class TopicService:
    """The calls of clients about topics.

    Args:
        broker: the broker with the topics.
        faults: the faults to make.
    """

    def __init__(self, broker: Broker, faults: Faults) -> None:
        self._broker = broker
        self._faults = faults

    @property
    def methods(self) -> dict[str, Method]:
        """The methods, by their names."""
        return {
            "CreateTopic": Method(self.create, Topic, Topic),
            "GetTopic": Method(self.get, GetTopicRequest, Topic),
            "UpdateTopic": Method(self.update, UpdateTopicRequest, Topic),
            "ListTopics": Method(self.find, ListTopicsRequest, ListTopicsResponse),
            "ListTopicSubscriptions": Method(
                self.subscriptions, ListTopicSubscriptionsRequest, ListTopicSubscriptionsResponse
            ),
            "DeleteTopic": Method(self.delete, DeleteTopicRequest, Empty),
            "Publish": Method(self.publish, PublishRequest, PublishResponse),
        }

    def create(self, request: Topic) -> Topic:
        """Make a topic."""
        check_name(request.name, "topics")
        with self._broker.lock:
            if request.name in self._broker.topics:
                raise already_exists("Topic", request.name)
            self._broker.topics[request.name] = request
        return request

    def get(self, request: GetTopicRequest) -> Topic:
        """Returns a topic."""
        return self._broker.topic(request.topic)

    def update(self, request: UpdateTopicRequest) -> Topic:
        """Change fields of a topic."""
        with self._broker.lock:
            changed = merged(
                self._broker.topic(request.topic.name), request.topic, request.update_mask
            )
            self._broker.topics[changed.name] = changed
        return changed

    def find(self, request: ListTopicsRequest) -> ListTopicsResponse:
        """Returns the topics of a project."""
        with self._broker.lock:
            known = sorted(self._broker.topics.items())
        start = f"{request.project}/topics/"
        return ListTopicsResponse(topics=[one for name, one in known if name.startswith(start)])

    def subscriptions(
        self, request: ListTopicSubscriptionsRequest
    ) -> ListTopicSubscriptionsResponse:
        """Returns the names of a topic's subscriptions."""
        with self._broker.lock:
            self._broker.topic(request.topic)
            boxes = list(self._broker.inboxes.values())
        names = [box.settings.name for box in boxes if box.settings.topic == request.topic]
        return ListTopicSubscriptionsResponse(subscriptions=sorted(names))

    def delete(self, request: DeleteTopicRequest) -> Empty:
        """Delete a topic; its subscriptions stay, and get nothing more."""
        with self._broker.lock:
            self._broker.topic(request.topic)
            del self._broker.topics[request.topic]
            for box in self._broker.inboxes.values():
                if box.settings.topic == request.topic:
                    box.settings.topic = DELETED
        return Empty()

    def publish(self, request: PublishRequest) -> PublishResponse:
        """Publish messages."""
        if self._faults.happens("refuse"):
            raise Refused(grpc.StatusCode.UNAVAILABLE, "The service is on strike.")
        if not 0 < len(request.messages) <= _MOST:
            raise invalid(f"A call publishes from 1 to {_MOST} messages")
        for message in request.messages:
            if not message.data and not message.attributes:
                raise invalid("A message needs data or attributes")
            if len(message.data) > _LARGEST:
                raise invalid(f"A message has {_LARGEST} bytes at most")
        return PublishResponse(message_ids=self._broker.publish(request.topic, request.messages))
