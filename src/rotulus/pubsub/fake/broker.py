"""Topics, subscriptions and the messages that wait in them, in memory."""

import itertools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from google.pubsub_v1 import PubsubMessage, Subscription, Topic

from rotulus._time.clock import Clock
from rotulus.pubsub.fake.filters import Filter, read_filter
from rotulus.pubsub.fake.requests import not_found
from rotulus.pubsub.protobuf import moment, moment_of, seconds_of

DELETED = "_deleted-topic_"
"""The topic of a subscription after its own topic was deleted."""

_DOUBLINGS = 30
"""The most doublings of a delay: it has reached its limit long before."""

_SOURCE = "CloudPubSubDeadLetterSource"


@dataclass(slots=True, eq=False)
class Waiting:
    """A message in a subscription that has not acknowledged it.

    `due` is the moment of the next sending, by the monotonic clock; `sent`: a subscriber has it.
    """

    message: PubsubMessage
    due: float
    tries: int = 0
    sent: bool = False


@dataclass(slots=True, eq=False)
class Inbox:
    """A subscription, with its unacknowledged messages by their ids."""

    settings: Subscription
    lets_through: Filter
    waiting: dict[str, Waiting] = field(default_factory=dict[str, Waiting])

    @property
    def deadline(self) -> int:
        """Seconds until a message that was sent counts as not acknowledged."""
        return self.settings.ack_deadline_seconds or 10

    @property
    def most_tries(self) -> int | None:
        """The tries before a message goes to the dead-letter topic; None: there is no limit."""
        policy = self.settings.dead_letter_policy
        return policy.max_delivery_attempts or 5 if policy.dead_letter_topic else None

    def back_off(self, tries: int) -> float:
        """Seconds from a failed try to the next: doubled each time."""
        if "retry_policy" not in self.settings:
            return 0.0
        policy = self.settings.retry_policy
        low = seconds_of(policy, "minimum_backoff", 10.0)
        doubled = low * 2.0 ** min(tries - 1, _DOUBLINGS)
        return min(seconds_of(policy, "maximum_backoff", 600.0), doubled)


def stamp(message: PubsubMessage) -> str:
    """When a message was published, as Pub/Sub writes it."""
    published = moment_of(message.publish_time)
    return f"{published:%Y-%m-%dT%H:%M:%S}.{published.microsecond // 1000:03}Z"


class Broker:
    """All topics and subscriptions, for one lock.

    Args:
        clock: the clock of the deadlines.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.topics: dict[str, Topic] = {}
        self.inboxes: dict[str, Inbox] = {}
        self._numbers = itertools.count(1)
        self.published = threading.Condition(self.lock)

    def topic(self, name: str) -> Topic:
        """Returns a topic by its name.

        Raises:
            Refused: NOT_FOUND.
        """
        if name not in self.topics:
            raise not_found("Topic", name)
        return self.topics[name]

    def inbox(self, name: str) -> Inbox:
        """Returns a subscription by its name.

        Raises:
            Refused: NOT_FOUND.
        """
        if name not in self.inboxes:
            raise not_found("Subscription", name)
        return self.inboxes[name]

    def subscribe(self, settings: Subscription) -> Inbox:
        """Make a subscription, which gets the messages that are published from now on."""
        made = Inbox(settings, read_filter(settings.filter))
        self.inboxes[settings.name] = made
        return made

    def publish(self, topic: str, messages: Iterable[PubsubMessage]) -> list[str]:
        """Put messages into every subscription of a topic that lets them through.

        Returns:
            Their ids.

        Raises:
            Refused: NOT_FOUND.
        """
        with self.published:
            self.topic(topic)
            inboxes = [box for box in self.inboxes.values() if box.settings.topic == topic]
            ids = [self._put(message, inboxes) for message in messages]
            self.published.notify_all()
        return ids

    def _put(self, message: PubsubMessage, inboxes: list[Inbox]) -> str:
        stored = PubsubMessage(message)
        stored.message_id = str(next(self._numbers))
        stored.publish_time = moment(self.clock.now())
        for box in inboxes:
            if box.lets_through(stored.attributes):
                now = self.clock.monotonic()
                box.waiting[stored.message_id] = Waiting(PubsubMessage(stored), now)
        return stored.message_id

    def take(self, inbox: Inbox, limit: int) -> list[Waiting]:
        """Take the messages that are due in a subscription, until their deadline."""
        with self.lock:
            now = self.clock.monotonic()
            taken = list(itertools.islice(self._due(inbox, now), limit))
            for waiting in taken:
                waiting.tries += 1
                waiting.sent = True
                waiting.due = now + inbox.deadline
        return taken

    def _due(self, inbox: Inbox, now: float) -> Iterator[Waiting]:
        for waiting in list(inbox.waiting.values()):
            if waiting.sent and waiting.due <= now:
                self.refuse(inbox, waiting, waiting.tries)
            is_there = waiting.message.message_id in inbox.waiting
            if is_there and not waiting.sent and waiting.due <= now:
                yield waiting

    def acknowledge(self, inbox: Inbox, message_id: str) -> None:
        """Note that a message has been handled: it is not sent again."""
        with self.lock:
            inbox.waiting.pop(message_id, None)

    def refuse(self, inbox: Inbox, waiting: Waiting, tries: int) -> None:
        """Note that a try has failed: the next comes after the back-off, or the message is dead."""
        with self.published:
            if waiting.tries != tries or not waiting.sent:
                return  # its deadline has passed meanwhile, and that counted
            waiting.sent = False
            waiting.due = self.clock.monotonic() + inbox.back_off(tries)
            if inbox.most_tries is not None and tries >= inbox.most_tries:
                self._bury(inbox, waiting)
            self.published.notify_all()

    def next_due(self) -> float | None:
        """Returns the next moment with a message to push, by the monotonic clock."""
        with self.lock:
            pushing = [b for b in self.inboxes.values() if b.settings.push_config.push_endpoint]
            return min((one.due for box in pushing for one in box.waiting.values()), default=None)

    def _bury(self, inbox: Inbox, waiting: Waiting) -> None:
        """Hand a message on to the dead-letter topic; without such a topic it stays."""
        topic = inbox.settings.dead_letter_policy.dead_letter_topic
        if topic not in self.topics:
            return
        del inbox.waiting[waiting.message.message_id]
        _, project, _, name = inbox.settings.name.split("/")
        dead = PubsubMessage(waiting.message)
        dead.attributes[f"{_SOURCE}Subscription"] = name
        dead.attributes[f"{_SOURCE}SubscriptionProject"] = project
        dead.attributes[f"{_SOURCE}DeliveryCount"] = str(waiting.tries)
        dead.attributes[f"{_SOURCE}TopicPublishTime"] = stamp(waiting.message)
        self.publish(topic, [dead])
