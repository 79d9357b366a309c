"""A push as HTTP brings it, and its answer, whatever framework is between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PUSH_PATH = "/tasks/pubsub/"
"""Where Pub/Sub pushes to, unless a router says otherwise."""

TICK_PATH = "/tasks/tick"
"""Where Cloud Scheduler has the duties done, unless a router says otherwise."""


@dataclass(frozen=True)
class PushRequest:
    """A request with a message in it.

    Args:
        headers: names and values, in order; a name may come more than once.
        body: the body.
        peer: the address of the other side, if it is known.
    """

    headers: Iterable[tuple[str, str]]
    body: bytes
    peer: str | None = None

    def values(self, name: str) -> list[str]:
        """The values of a header, in order; none if it is not there.

        Args:
            name: its name, in small letters.
        """
        return [value for found, value in self.headers if found.lower() == name]

    def value(self, name: str) -> str:
        """The first value of a header, or "".

        Args:
            name: its name, in small letters.
        """
        return next(iter(self.values(name)), "")


@dataclass(frozen=True)
class PushAnswer:
    """What is answered. Pub/Sub takes 102, 200, 201, 202 and 204 for an acknowledgement.

    Attributes:
        status: the status code.
        text: a few words in plain text, which tell nothing that is secret.
        headers: further headers.
    """

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
