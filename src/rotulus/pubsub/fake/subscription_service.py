"""The service `Subscriber` of the fake: subscriptions, and pulling messages from them."""

from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import (
    AcknowledgeRequest,
    DeleteSubscriptionRequest,
    ExpirationPolicy,
    GetSubscriptionRequest,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    ModifyAckDeadlineRequest,
    ModifyPushConfigRequest,
    PullRequest,
    PullResponse,
    PushConfig,
    ReceivedMessage,
    Subscription,
    UpdateSubscriptionRequest,
)

from rotulus.pubsub.fake.broker import Broker, Inbox, Waiting
from rotulus.pubsub.fake.filters import read_filter
from rotulus.pubsub.fake.requests import already_exists, check_between, check_name, invalid, merged
from rotulus.pubsub.fake.serving import Method
from rotulus.pubsub.protobuf import length_of, seconds_of

_WEEK = 7 * 24 * 3600
_MONTH = 31 * 24 * 3600
_FIXED = ("name", "topic", "filter", "enable_message_ordering")
"""The fields of a subscription that never change."""

_PULL_WAITS = 2.0
"""Seconds that a pull waits for a first message."""


class SubscriptionService:
    """The calls of clients about subscriptions.

    Args:
        broker: the broker with the subscriptions.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def methods(self) -> dict[str, Method]:
        """The methods, by their names."""
        return {
            "CreateSubscription": Method(self.create, Subscription, Subscription),
            "GetSubscription": Method(self.get, GetSubscriptionRequest, Subscription),
            "UpdateSubscription": Method(self.update, UpdateSubscriptionRequest, Subscription),
            "ListSubscriptions": Method(
                self.find, ListSubscriptionsRequest, ListSubscriptionsResponse
            ),
            "DeleteSubscription": Method(self.delete, DeleteSubscriptionRequest, Empty),
            "ModifyPushConfig": Method(self.push_elsewhere, ModifyPushConfigRequest, Empty),
            "Pull": Method(self.pull, PullRequest, PullResponse),
            "Acknowledge": Method(self.acknowledge, AcknowledgeRequest, Empty),
            "ModifyAckDeadline": Method(self.extend, ModifyAckDeadlineRequest, Empty),
        }

    def create(self, request: Subscription) -> Subscription:
        """Make a subscription."""
        check_name(request.name, "subscriptions")
        made = Subscription(request)
        _fill(made)
        _check(made)
        with self._broker.lock:
            self._broker.topic(request.topic)
            if request.name in self._broker.inboxes:
                raise already_exists("Subscription", request.name)
            self._broker.subscribe(made)
        return made

    def get(self, request: GetSubscriptionRequest) -> Subscription:
        """Returns a subscription."""
        return self._broker.inbox(request.subscription).settings

    def update(self, request: UpdateSubscriptionRequest) -> Subscription:
        """Change fields of a subscription."""
        fixed = [path for path in request.update_mask.paths if path in _FIXED]
        if fixed:
            raise invalid(f"A subscription keeps its {', '.join(fixed)}")
        with self._broker.lock:
            box = self._broker.inbox(request.subscription.name)
            changed = merged(box.settings, request.subscription, request.update_mask)
            _check(changed)
            box.settings = changed
        return changed

    def find(self, request: ListSubscriptionsRequest) -> ListSubscriptionsResponse:
        """Returns the subscriptions of a project."""
        start = f"{request.project}/subscriptions/"
        with self._broker.lock:
            known = sorted(self._broker.inboxes.items())
        found = [box.settings for name, box in known if name.startswith(start)]
        return ListSubscriptionsResponse(subscriptions=found)

    def delete(self, request: DeleteSubscriptionRequest) -> Empty:
        """Delete a subscription, with its messages."""
        with self._broker.lock:
            self._broker.inbox(request.subscription)
            del self._broker.inboxes[request.subscription]
        return Empty()

    def push_elsewhere(self, request: ModifyPushConfigRequest) -> Empty:
        """Push to another endpoint from now on; without an endpoint, wait for pulls."""
        with self._broker.lock:
            self._broker.inbox(request.subscription).settings.push_config = request.push_config
        return Empty()

    def pull(self, request: PullRequest) -> PullResponse:
        """Hand out messages; the client has them until their deadline."""
        box = self._broker.inbox(request.subscription)
        if request.max_messages < 1:
            raise invalid("max_messages has to be positive")
        taken = self._broker.take(box, request.max_messages)
        if not taken and not request.return_immediately:
            with self._broker.published:
                self._broker.published.wait(_PULL_WAITS)
            taken = self._broker.take(box, request.max_messages)
        return PullResponse(received_messages=[_received(box, one) for one in taken])

    def acknowledge(self, request: AcknowledgeRequest) -> Empty:
        """Acknowledge messages."""
        box = self._broker.inbox(request.subscription)
        for ack_id in request.ack_ids:
            self._broker.acknowledge(box, ack_id.partition(":")[0])
        return Empty()

    def extend(self, request: ModifyAckDeadlineRequest) -> Empty:
        """Set the deadline of messages to so many seconds from now; 0: they have failed."""
        box = self._broker.inbox(request.subscription)
        check_between(request.ack_deadline_seconds, 0, 600, "ack_deadline_seconds")
        for ack_id in request.ack_ids:
            message_id, _, tries = ack_id.partition(":")
            waiting = box.waiting.get(message_id)
            if waiting is None or str(waiting.tries) != tries:
                continue
            if request.ack_deadline_seconds == 0:
                self._broker.refuse(box, waiting, waiting.tries)
            else:
                waiting.due = self._broker.clock.monotonic() + request.ack_deadline_seconds
        return Empty()


def _received(box: Inbox, waiting: Waiting) -> ReceivedMessage:
    counted = waiting.tries if box.most_tries is not None else 0
    ack_id = f"{waiting.message.message_id}:{waiting.tries}"
    return ReceivedMessage(ack_id=ack_id, message=waiting.message, delivery_attempt=counted)


def _fill(made: Subscription) -> None:
    """Fill in the defaults of a subscription."""
    made.ack_deadline_seconds = made.ack_deadline_seconds or 10
    if "push_config" not in made:
        made.push_config = PushConfig()
    if "message_retention_duration" not in made:
        made.message_retention_duration = length_of(_WEEK)
    if "expiration_policy" not in made:
        made.expiration_policy = ExpirationPolicy(ttl=length_of(_MONTH))


def _check(made: Subscription) -> None:
    check_between(made.ack_deadline_seconds, 10, 600, "ack_deadline_seconds")
    read_filter(made.filter)
    if made.dead_letter_policy.dead_letter_topic:
        most = made.dead_letter_policy.max_delivery_attempts or 5
        check_between(most, 5, 100, "max_delivery_attempts")
    policy = made.retry_policy
    for what in ("minimum_backoff", "maximum_backoff"):
        check_between(seconds_of(policy, what), 0, 600, what)
    endpoint = made.push_config.push_endpoint
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise invalid(f"Invalid push endpoint: {endpoint}")
