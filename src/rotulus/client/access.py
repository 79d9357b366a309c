"""`client.tokens` and `client.audit`: who is let in, and who has done what. For admins."""

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from rotulus import AuditEntry, AuditPage, TokenInfo
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.client.calls import Call, Since, data_of, get, nothing, path_of, query_of, reader
from rotulus.client.wire import Wire
from rotulus.errors import OptionError

TokenInfos = list[TokenInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""

_token, _entries = reader(TokenInfo), TypeAdapter(list[AuditEntry]).validate_python
_tokens = TypeAdapter(TokenInfos).validate_python


class Tokens:
    """The tokens of a service, with the verbs of `app.tokens`, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def add(self, name: str, role: str, *, expires: datetime | Seconds | None = None) -> TokenInfo:
        """Add a token.

        Args:
            name: its name, which the audit shows.
            role: what its bearer may do: `viewer`, `operator` or `admin`.
            expires: how long it is valid, in seconds or as a timedelta; or until which moment. For
                good unless given.

        Returns:
            The token, with its secret: no other call shows it.

        Raises:
            AccessTokenConflictError: the name is taken.
            OptionError: an argument is not allowed.
        """
        return self._wire.send(_add(name, role, expires))

    def list(self) -> TokenInfos:
        """Returns all tokens by name, also those that have expired, without their secrets."""
        return self._wire.send(_list())

    def get(self, name: str) -> TokenInfo:
        """Returns a token, without its secret. Raises `AccessTokenNotFoundError`."""
        return self._wire.send(get(path_of("tokens", name), _token))

    def remove(self, *names: str) -> None:
        """Take tokens back, one request for each.

        Raises:
            AccessTokenNotFoundError: there is none of a name. Those before it are removed.
            OptionError: no token is named.
        """
        for call in _removals(names):
            self._wire.send(call)

    async def aadd(
        self, name: str, role: str, *, expires: datetime | Seconds | None = None
    ) -> TokenInfo:
        """`add`, for coroutines."""
        return await self._wire.asend(_add(name, role, expires))

    async def alist(self) -> TokenInfos:
        """`list`, for coroutines."""
        return await self._wire.asend(_list())

    async def aget(self, name: str) -> TokenInfo:
        """`get`, for coroutines."""
        return await self._wire.asend(get(path_of("tokens", name), _token))

    async def aremove(self, *names: str) -> None:
        """`remove`, for coroutines."""
        for call in _removals(names):
            await self._wire.asend(call)


class Audit:
    """The audit of a service, with the verb of `app.audit`, also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def find(
        self,
        *,
        since: Since | None = None,
        actor: str | None = None,
        verb: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> AuditPage:
        """Returns the entries that match, the last one first.

        Args:
            since: only what began at this moment or later; or so many seconds ago, or later.
            actor: only what this actor has done.
            verb: only this verb, such as `jobs.cancel`; `jobs.*`: all of a noun.
            limit: at most so many: up to 500.
            after: `page.next` of the page before, with the same filters.

        Raises:
            OptionError: an argument is not allowed.
        """
        query = query_of(since=since, actor=actor, verb=verb, limit=limit, after=after)
        return self._wire.send(get("/audit", _page, query))

    async def afind(
        self,
        *,
        since: Since | None = None,
        actor: str | None = None,
        verb: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> AuditPage:
        """`find`, for coroutines."""
        query = query_of(since=since, actor=actor, verb=verb, limit=limit, after=after)
        return await self._wire.asend(get("/audit", _page, query))


def _page(body: Any) -> AuditPage:
    return AuditPage(_entries(body["items"]), body["next"])


def _add(name: str, role: str, expires: datetime | Seconds | None) -> Call[TokenInfo]:
    body = {"name": name, "role": str(role), **data_of(expires=_seconds(expires))}
    return Call("POST", "/tokens", _token, body=body)


def _seconds(expires: datetime | Seconds | None) -> float | None:
    """Returns for how many seconds a token is to be valid."""
    if expires is None:
        return None
    if isinstance(expires, datetime):
        left = (check_moment(expires, "expires") - datetime.now(UTC)).total_seconds()
    else:
        left = check_seconds(expires, "expires")
    if left <= 0:
        raise OptionError(f"expires={expires!r} is not allowed: such a token lets nobody in")
    return left


def _list() -> Call[TokenInfos]:
    return get("/tokens", lambda body: _tokens(body["items"]))


def _removals(names: tuple[str, ...]) -> list[Call[None]]:
    if not names:
        raise OptionError("no token is given: name one")
    return [Call("DELETE", path_of("tokens", name), nothing) for name in names]
