"""A topic, of a task or for dead letters."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.api_core.exceptions import NotFound

from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.provision.resource import CALL, ONCE, found


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
        known = found(self.clients.publisher.get_topic, topic=self.name)
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
