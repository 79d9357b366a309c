"""The tokens of an app: added, listed and removed; each lets its bearer into services."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from rotulus._app.actor import Actor
from rotulus._app.port import AppPort
from rotulus._app.resources.steering import steers
from rotulus._app.roles import Role, read_role
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.record import moment
from rotulus._text.names import did_you_mean
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import (
    AccessTokenConflictError,
    AccessTokenNotFoundError,
    OptionError,
    StoreError,
)
from rotulus.store import TokenRow
from rotulus.store.tokens import USE_TOLD_EVERY

PREFIX = "rot_"
"""How each secret begins: so that programs which look for secrets in the wrong places know it."""

_BYTES = 32

_LONGEST_SECRET = 200

_OTHERS = frozenset({"anybody", "dependency", "local", "settings"})
"""Names of senders of requests that have no token."""

Expires = datetime | Seconds
"""Until when a token is valid: a moment, or how long from now."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token. Nobody knows its secret but those who were given it.

    Attributes:
        name: its name.
        role: what its bearer may do.
        created_at: when it was added.
        expires_at: the moment from which it is not valid any more; None: it is for good.
        last_used_at: when it was used, to the minute; None: never.
        expired: whether it is not valid any more.
        secret: what its bearer shows; "" but in the answer of `add`.
    """

    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    expired: bool = False
    secret: str = field(default="", repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data; moments as ISO 8601 text. The secret if it is there."""
        return {
            "name": self.name,
            "role": self.role.value,
            "created_at": _iso(self.created_at),
            "expires_at": _iso(self.expires_at),
            "last_used_at": _iso(self.last_used_at),
            "expired": self.expired,
            **({"secret": self.secret} if self.secret else {}),
        }


TokenInfos = list[TokenInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class Tokens:
    """`app.tokens`: let senders into the services of the app; each verb also with an `a` in front.

    The store keeps the hash of a secret, and never the secret.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    @steers("tokens.add")
    def add(self, name: str, role: Role | str, *, expires: Expires | None = None) -> TokenInfo:
        """Add a token.

        Args:
            name: its name, which the audit shows: printable text of 1 to 200 characters, without a
                slash.
            role: what its bearer may do: `viewer`, `operator` or `admin`.
            expires: how long it is valid, in seconds or as a timedelta; or until which moment.
                For good unless given.

        Returns:
            The token, with its secret: no other call shows it. That is `rot_` and 43 characters.

        Raises:
            AccessTokenConflictError: the name is taken.
            OptionError: an argument is not allowed.
        """
        port, known = self._port(), read_role(role)
        _check_name(name)
        seconds = None if expires is None else _seconds(expires, port.now())
        secret = PREFIX + secrets.token_urlsafe(_BYTES)
        row = port.store().tokens.add(name, _digest(secret), known.value, seconds)
        if row is None:
            raise AccessTokenConflictError(
                f"There is a token {name!r} already: remove it with "
                f"app.tokens.remove({name!r}), or give another name"
            )
        return _read(row, None, secret)

    def list(self) -> TokenInfos:
        """Returns all tokens by name, also those that have expired."""
        store = self._port().store()
        now = moment(store.stats.moment())
        return [_read(row, now) for row in store.tokens.list()]

    def get(self, name: str) -> TokenInfo:
        """Returns the token of that name. Raises `AccessTokenNotFoundError`."""
        known = self.list()
        for token in known:
            if token.name == name:
                return token
        raise _no_token(name, [token.name for token in known])

    @steers("tokens.remove")
    def remove(self, *names: str) -> None:
        """Remove tokens: services refuse them within some seconds. If one is not there, none is.

        Raises:
            AccessTokenNotFoundError: there is none of that name.
            OptionError: no token was named.
        """
        if not names:
            raise OptionError("remove: which tokens? Name them, such as app.tokens.remove('ci')")
        tokens = self._port().store().tokens
        known = [row.name for row in tokens.list()]
        for name in names:
            if name not in known:
                raise _no_token(name, known)
        tokens.remove(names)

    def find(self, secret: str) -> TokenInfo | None:
        """Returns the valid token with a secret, and notes that it is used; None: there is none.

        Args:
            secret: the secret; any text.
        """
        if not secret.startswith(PREFIX) or len(secret) > _LONGEST_SECRET or not secret.isascii():
            return None
        port, digest = self._port(), _digest(secret)
        row = port.store().tokens.find(digest)
        if row is None:
            return None
        used = row.last_used_at
        if used is None or port.now() - moment(used) >= timedelta(seconds=USE_TOLD_EVERY):
            with suppress(StoreError):  # who may only read may come in
                port.store().tokens.note_use(digest)
        return _read(row, None)

    async def aadd(
        self, name: str, role: Role | str, *, expires: Expires | None = None
    ) -> TokenInfo:
        """`add`, without blocking the event loop."""
        return await off_loop(partial(self.add, name, role, expires=expires))

    async def alist(self) -> TokenInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def aget(self, name: str) -> TokenInfo:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, name)

    async def aremove(self, *names: str) -> None:
        """`remove`, without blocking the event loop."""
        await off_loop(self.remove, *names)

    async def afind(self, secret: str) -> TokenInfo | None:
        """`find`, without blocking the event loop."""
        return await off_loop(self.find, secret)


def _digest(secret: str) -> str:
    """Returns the hash of a secret of 256 random bits: nobody can guess one, however fast it is."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_name(name: str) -> None:
    """Raise `OptionError` if a token cannot have that name: a path ends with it."""
    if Actor(name).name in _OTHERS:
        raise OptionError(
            f"No token is named {name!r}, which stands for senders without a token: give another "
            f"name"
        )
    if "/" in name or not name.strip("."):
        raise OptionError(
            f"No token is named {name!r}: give a name without a slash, and with more than dots"
        )


def _no_token(name: str, known: Sequence[str]) -> AccessTokenNotFoundError:
    return AccessTokenNotFoundError(f"There is no token {name!r}{did_you_mean(name, known)}")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _read(row: TokenRow, now: datetime | None, secret: str = "") -> TokenInfo:
    expires_at = None if row.expires_at is None else moment(row.expires_at)
    return TokenInfo(
        row.name,
        Role(row.role),
        moment(row.created_at),
        expires_at,
        None if row.last_used_at is None else moment(row.last_used_at),
        expired=now is not None and expires_at is not None and expires_at <= now,
        secret=secret,
    )


def _seconds(expires: Expires, now: datetime) -> float:
    """Returns for how many seconds a token is to be valid. Raises `OptionError`."""
    if isinstance(expires, datetime):
        left = (check_moment(expires, "expires") - now).total_seconds()
    else:
        left = check_seconds(expires, "expires")
    if left <= 0:
        raise OptionError(
            f"expires={expires!r} is not allowed: a token that has expired lets nobody in; give a "
            f"moment to come, or a length of time above 0"
        )
    return left
