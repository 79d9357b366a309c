"""A resource of Google's, as plain fields that can be compared, and how it is brought about."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from google.api_core.exceptions import NotFound
from google.api_core.retry import Retry

from rotulus.errors import RotulusError

SECONDS = 20.0
"""How long a call may take, with its retries."""

CALL: dict[str, Any] = {"timeout": SECONDS, "retry": Retry(timeout=SECONDS)}
"""How every call is made: what fails for a moment is tried again."""

ONCE: dict[str, Any] = {"timeout": SECONDS, "retry": None}
"""How a call is made that must not happen twice, such as one that creates."""


class ForeignResourceError(RotulusError):
    """A resource belongs to another program: it is neither changed nor deleted."""


class Resource(Protocol):
    """A resource as it is to be."""

    @property
    def kind(self) -> str:
        """What it is, for people."""
        ...

    @property
    def name(self) -> str:
        """Its full name, such as `projects/shop/topics/prod--shop.tasks--mail.send`."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """Everything that we set; nothing else is compared, or changed."""
        ...

    @property
    def fixed(self) -> Collection[str]:
        """Fields that cannot be changed: the resource is replaced."""
        ...

    def read(self) -> Mapping[str, Any] | None:
        """The same fields as they are; None: there is no such resource.

        Raises:
            ForeignResourceError: it belongs to another program.
        """
        ...

    def create(self) -> None:
        """Make it."""
        ...

    def update(self, names: Collection[str]) -> None:
        """Bring these fields to what they are to be."""
        ...

    def delete(self) -> None:
        """Take it away; it is fine if it is not there."""
        ...


def found(read: Any, **request: Any) -> Any:
    """What a call answers; None where there is nothing of that name."""
    try:
        return read(**request, **CALL)
    except NotFound:
        return None


def short(name: str) -> str:
    """The last part of a full name."""
    return name.rpartition("/")[2]
