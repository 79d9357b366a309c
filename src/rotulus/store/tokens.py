"""`Tokens`: who may use a service, by the hashes of their secrets."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from rotulus._jobs.record import Micros

USE_TOLD_EVERY = 60.0
"""Seconds that lie between two notes of the use of a token, at least."""


class TokenRow(NamedTuple):
    """A token, without its secret.

    Attributes:
        name: its name, which no other has.
        hash: the SHA-256 of its secret, as hexadecimal digits.
        role: what its bearer may do.
        created_at: when it was added, in microseconds since 1970.
        expires_at: the moment from which it is not valid any more; None: it is for good.
        last_used_at: when it was used, to the minute; None: never.
    """

    name: str
    hash: str
    role: str
    created_at: Micros
    expires_at: Micros | None
    last_used_at: Micros | None


class Tokens(Protocol):
    """Keeps tokens. The clock of the store decides which are valid."""

    def add(self, name: str, digest: str, role: str, expires: float | None) -> TokenRow | None:
        """Add a token.

        Args:
            name: its name.
            digest: the hash of its secret.
            role: what its bearer may do.
            expires: for how many seconds it is valid; None: for good.

        Returns:
            The token; None: the name is taken.
        """
        ...

    def list(self) -> Sequence[TokenRow]:
        """Returns all tokens by name, also those that are not valid any more."""
        ...

    def find(self, digest: str) -> TokenRow | None:
        """Returns the valid token with a hash; None: there is none."""
        ...

    def note_use(self, digest: str) -> None:
        """Note that a token is used now, unless that was noted within `USE_TOLD_EVERY`."""
        ...

    def remove(self, names: Collection[str]) -> Sequence[str]:
        """Remove tokens; returns the names of those that there were."""
        ...
