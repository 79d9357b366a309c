"""The tokens of a store. See `rotulus.store.Tokens`."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from rotulus.store.tokens import USE_TOLD_EVERY, TokenRow
from rotulus.stores._columns import span
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]


class SharedTokens:
    """The tokens that let senders into a service.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
    """

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    def add(self, name: str, digest: str, role: str, expires: float | None) -> TokenRow | None:
        """Add a token. See `Tokens.add`."""
        told = {"name": name, "digest": digest, "role": role, "expires": span(expires)}
        found = self._write(lambda session: session.fetch("add_token", **told))
        return TokenRow._make(found[0]) if found else None

    def list(self) -> Sequence[TokenRow]:
        """Returns all tokens. See `Tokens.list`."""
        return list(map(TokenRow._make, self._read(lambda session: session.fetch("all_tokens"))))

    def find(self, digest: str) -> TokenRow | None:
        """Returns the valid token with a hash. See `Tokens.find`."""
        found = self._read(lambda session: session.fetch("find_token", digest=digest))
        return TokenRow._make(found[0]) if found else None

    def note_use(self, digest: str) -> None:
        """Note that a token is used. See `Tokens.note_use`."""
        told = {"digest": digest, "apart": span(USE_TOLD_EVERY)}
        self._write(lambda session: session.execute("note_use_of_token", **told))

    def remove(self, names: Collection[str]) -> Sequence[str]:
        """Remove tokens. See `Tokens.remove`."""
        wanted = list(names)
        found = self._write(lambda session: session.fetch("remove_tokens", names=wanted))
        return [name for (name,) in found]
