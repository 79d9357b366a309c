"""The stored tokens of an app, as the guard of a service asks for them: remembered for seconds."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from rotulus import App
from rotulus._app.resources.tokens import PREFIX
from rotulus._concurrency.pool import ThreadPool, in_pool
from rotulus.errors import StoreError
from rotulus.service.principal import Principal

T = TypeVar("T")

_REMEMBERED = 5.0
"""Seconds for which an answer of the store counts."""

_MOST = 1_000
"""How many answers of a kind are remembered."""

_THREADS = ThreadPool("rotulus-tokens", 4)
"""A flood of wrong tokens holds up no other calls to the store."""


class _Answer(NamedTuple, Generic[T]):
    value: T
    until: float


class _Answers(Generic[T]):
    """Answers for some seconds, the last ones that were given."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, _Answer[T]] = {}

    def get(self, about: str, now: float) -> _Answer[T] | None:
        """Returns an answer that counts. One that is over counts for all others while one asks."""
        kept = self._kept.get(about)
        if kept is None or kept.until > now:
            return kept
        with self._lock:
            self._kept[about] = kept._replace(until=now + _REMEMBERED)
        return None

    def put(self, about: str, value: T, now: float) -> None:
        """Remember an answer."""
        with self._lock:
            self._kept.pop(about, None)
            self._kept[about] = _Answer(value, now + _REMEMBERED)
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]

    def drop(self, about: str) -> None:
        """Forget an answer."""
        with self._lock:
            self._kept.pop(about, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()


class StoredTokens:
    """Who may use a service, by the tokens in the store of its app.

    Once a process has found tokens there, it asks every sender of a request for one until it ends:
    to remove the last token opens nothing.

    Args:
        app: the app.
        clock: seconds that only grow.
    """

    def __init__(self, app: App, clock: Callable[[], float] = monotonic) -> None:
        self._app = app
        self._clock = clock
        self._known: _Answers[Principal] = _Answers()
        self._unknown: _Answers[None] = _Answers()
        self._asked_for = False
        self._none_until = 0.0

    async def find(self, secret: str) -> Principal | None:
        """Returns the bearer of a token; None: it is not valid. Raises `StoreError`."""
        if not secret.startswith(PREFIX):
            return None
        digest, now = sha256(secret.encode()).hexdigest(), self._clock()
        known = self._known.get(digest, now)
        if known is not None:
            return known.value
        if self._unknown.get(digest, now) is not None:
            return None
        try:
            found = await in_pool(_THREADS, partial(self._app.tokens.find, secret))
        except BaseException:
            self._known.drop(digest)
            raise
        if found is None:
            self._known.drop(digest)
            self._unknown.put(digest, None, self._clock())
            return None
        principal = Principal(found.name, found.role)
        self._known.put(digest, principal, self._clock())
        return principal

    async def are_asked_for(self) -> bool:
        """Returns whether a request needs a token. Raises `StoreError` if nobody can know.

        While the store is away nobody can add tokens here, so the last answer counts.
        """
        if self._asked_for or self._clock() < self._none_until:
            return self._asked_for
        try:
            found = await in_pool(_THREADS, self._app.tokens.list)
        except StoreError:
            if not self._none_until:
                raise
            found = []
        self._asked_for = self._asked_for or bool(found)
        self._none_until = self._clock() + _REMEMBERED
        return self._asked_for

    def ask(self) -> None:
        """Ask every sender of a request for a token, whatever the store has."""
        self._asked_for = True

    def any_valid(self) -> bool:
        """Returns whether there is a token that lets somebody in. Raises `StoreError`; blocks."""
        return any(not token.expired for token in self._app.tokens.list())

    def forget(self) -> None:
        """Forget what is remembered: tokens have been added or removed here."""
        self._known.clear()
        self._unknown.clear()
        self._none_until = 0.0
