"""The HTTP request of a push, and its answer, for any framework."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PUSH_PATH = "/tasks/pubsub/"
"""The path for pushes, unless a router has another one."""

TICK_PATH = "/tasks/tick"
"""The path for ticks of Cloud Scheduler, unless a router has another one."""


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
        """Returns the values of a header, in order; none if it is not there.

        Args:
            name: its name, in small letters.
        """
        return [value for found, value in self.headers if found.lower() == name]

    def value(self, name: str) -> str:
        """Returns the first value of a header, or "".

        Args:
            name: its name, in small letters.
        """
        return next(iter(self.values(name)), "")


@dataclass(frozen=True)
class PushAnswer:
    """An answer. Pub/Sub takes 102, 200, 201, 202 and 204 for an acknowledgement.

    Attributes:
        status: the status code.
        text: a few words in plain text, without secrets.
        headers: further headers.
    """

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
