"""`client.limits`: who holds the keys of limits, and terms that are set in place of the code's."""

from datetime import timedelta

from rotulus.client.calls import Call, data_of, get, path_of, reader
from rotulus.client.values import Limit, Page, page_reader
from rotulus.client.wire import Wire

_limit, _limits = reader(Limit), page_reader(Limit)


class Limits:
    """The limits of a service, with the verbs of `app.limits`, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> Page[Limit]:
        """Returns the keys that jobs hold or wait for, the fullest first, and those with terms.

        A hundred at most, and all whose terms are set.
        """
        return self._wire.send(get("/limits", _limits))

    def get(self, key: str) -> Limit:
        """Returns a key as it stands."""
        return self._wire.send(get(path_of("limits", key), _limit))

    def set(
        self,
        key: str,
        *,
        limit: int | None = None,
        rate: int | None = None,
        per: float | timedelta | None = None,
    ) -> Limit:
        """Set the terms of a key, in place of all that were set before; returns it as it stands.

        Args:
            key: the key.
            limit: how many of its jobs may run at once, none for 0; as the code says unless given.
            rate: how many may start within any `per` seconds; as the code says unless given.
            per: the length of that window; 1 second.
        """
        return self._wire.send(_set(key, limit, rate, per))

    def unset(self, key: str) -> Limit:
        """Have the terms of the code hold again for a key; returns it as it stands."""
        return self._wire.send(_unset(key))

    async def alist(self) -> Page[Limit]:
        """`list`, for coroutines."""
        return await self._wire.asend(get("/limits", _limits))

    async def aget(self, key: str) -> Limit:
        """`get`, for coroutines."""
        return await self._wire.asend(get(path_of("limits", key), _limit))

    async def aset(
        self,
        key: str,
        *,
        limit: int | None = None,
        rate: int | None = None,
        per: float | timedelta | None = None,
    ) -> Limit:
        """`set`, for coroutines."""
        return await self._wire.asend(_set(key, limit, rate, per))

    async def aunset(self, key: str) -> Limit:
        """`unset`, for coroutines."""
        return await self._wire.asend(_unset(key))


def _set(
    key: str, limit: int | None, rate: int | None, per: float | timedelta | None
) -> Call[Limit]:
    body = data_of(limit=limit, rate=rate, per=per)
    return Call("PUT", path_of("limits", key), _limit, body=body)


def _unset(key: str) -> Call[Limit]:
    return Call("DELETE", path_of("limits", key), _limit)
