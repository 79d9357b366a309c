"""A resource of Google's, as plain fields that can be compared, created and changed."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from google.api_core.exceptions import DeadlineExceeded, NotFound
from google.api_core.retry import Retry

from rotulus.errors import RotulusError
from rotulus.pubsub.clients import GoogleClients

SECONDS = 20.0
"""The most seconds of a call, retries included."""

CALL: dict[str, Any] = {"timeout": SECONDS, "retry": Retry(timeout=SECONDS)}
"""The options of every call: short failures are tried again."""

ONCE: dict[str, Any] = {"timeout": SECONDS, "retry": None}
"""The options of a call that must not happen twice, such as a creation."""


class ForeignResourceError(RotulusError):
    """A resource belongs to another program: it is neither changed nor deleted."""


class Resource(Protocol):
    """A wanted resource."""

    @property
    def kind(self) -> str:
        """Its kind, for people."""
        ...

    @property
    def name(self) -> str:
        """Its full name, such as `projects/shop/topics/prod--shop.tasks--mail.send`."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields that we set; no other field is compared or changed."""
        ...

    @property
    def fixed(self) -> Collection[str]:
        """Fields that cannot be changed: the resource is replaced."""
        ...

    def read(self) -> Mapping[str, Any] | None:
        """Returns the current values of the same fields; None: there is no such resource.

        Raises:
            ForeignResourceError: it belongs to another program.
        """
        ...

    def create(self) -> None:
        """Create the resource."""
        ...

    def update(self, names: Collection[str]) -> None:
        """Set these fields to the wanted values."""
        ...

    def delete(self) -> None:
        """Delete the resource, if it is there."""
        ...


def reading(clients: GoogleClients) -> dict[str, Any]:
    """Returns the options of a call that reads, which ends when the patience of its clients does.

    Raises:
        DeadlineExceeded: it has ended.
    """
    left = clients.seconds_left
    if left <= 0:
        raise DeadlineExceeded("There was no time left to look at it")
    return CALL if left >= SECONDS else {"timeout": left, "retry": Retry(timeout=left)}


def found(clients: GoogleClients, read: Any, **request: Any) -> Any:
    """Returns the answer to a call; None if there is no such resource."""
    try:
        return read(**request, **reading(clients))
    except NotFound:
        return None


def short(name: str) -> str:
    """Returns the last part of a full name."""
    return name.rpartition("/")[2]
