"""The stored tokens of an app, as the guard of a service asks for them: remembered for seconds."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Generic, NamedTuple, TypeVar, cast

from starlette.types import Scope

from rotulus import App
from rotulus._app.resources.tokens import PREFIX
from rotulus._concurrency.pool import ThreadPool, in_pool
from rotulus._time.clock import monotonic
from rotulus.errors import StoreError
from rotulus.service.principal import Principal

T = TypeVar("T")

REMEMBERED = 5.0
"""Seconds for which an answer of the store counts, and not a moment longer."""

_FRESH = 4.0
"""Seconds after which one request asks again, while the answer still counts for the others."""

_MOST = 1_000
"""How many answers of a kind are remembered."""

_THREADS = ThreadPool("rotulus-tokens", 4)
"""Threads of their own, so that a flood of wrong tokens holds up no other call to the store."""


class _Answer(NamedTuple, Generic[T]):
    """An answer of the store, when it is asked again, and until when this one counts."""

    value: T
    ask_at: float
    until: float


class _Answers(Generic[T]):
    """The last answers of the store, each for some seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, _Answer[T]] = {}

    def get(self, about: str, now: float) -> _Answer[T] | None:
        """Returns an answer that counts; None: ask the store."""
        with self._lock:
            kept = self._kept.get(about)
            if kept is None or kept.until <= now:
                return None
            if kept.ask_at > now:
                return kept
            self._kept[about] = kept._replace(ask_at=kept.until)  # the others do not ask
            return None

    def put(self, about: str, value: T, asked_at: float) -> None:
        """Remember the answer to a question that was asked at a moment."""
        with self._lock:
            self._kept.pop(about, None)
            self._kept[about] = _Answer(value, asked_at + _FRESH, asked_at + REMEMBERED)
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
    """The senders of requests, by the tokens in the store of an app.

    A process that has found tokens there asks every sender for one until the process ends: to
    remove the last token opens nothing.

    Args:
        app: the app.
        clock: seconds that only grow.
    """

    def __init__(self, app: App, clock: Callable[[], float] = monotonic) -> None:
        self._app = app
        self._clock = clock
        self._known: _Answers[Principal] = _Answers()
        self._unknown: _Answers[None] = _Answers()
        self._changes = 0
        self._asked_for = False
        self._none_until: float | None = None

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
        changes = self._changes
        found = await in_pool(_THREADS, partial(self._app.tokens.find, secret))
        principal = None if found is None else Principal(found.name, found.role)
        if changes == self._changes:  # else the answer may be older than the change
            self._remember(digest, principal, now)
        return principal

    def _remember(self, digest: str, principal: Principal | None, asked_at: float) -> None:
        if principal is None:
            self._known.drop(digest)
            self._unknown.put(digest, None, asked_at)
        else:
            self._known.put(digest, principal, asked_at)

    async def are_asked_for(self) -> bool:
        """Returns whether a request needs a token. Raises `StoreError` if nobody can know.

        While the store is away the last answer counts, since it changes nothing that is stored.
        """
        now, first = self._clock(), self._none_until is None
        if self._asked_for or (self._none_until is not None and now < self._none_until):
            return self._asked_for
        if not first:
            self._none_until = now + REMEMBERED  # the others do not ask meanwhile
        try:
            found = await in_pool(_THREADS, self._app.tokens.list)
        except StoreError:
            if first:
                raise
            return self._asked_for
        self._asked_for = self._asked_for or bool(found)
        self._none_until = now + REMEMBERED
        return self._asked_for

    def ask(self) -> None:
        """Ask every sender of a request for a token, whatever the store has."""
        self._asked_for = True

    def any_valid(self) -> bool:
        """Returns whether there is a token that lets somebody in. Raises `StoreError`; blocks."""
        return any(not token.expired for token in self._app.tokens.list())

    def forget(self) -> None:
        """Forget what is remembered: tokens have been added or removed by this process."""
        self._changes += 1
        self._known.clear()
        self._unknown.clear()
        if self._none_until is not None:
            self._none_until = self._clock()


def tokens_of(scope: Scope) -> StoredTokens | None:
    """Returns the stored tokens of the service that a request is for; None: there are none.

    An application that no `ServiceBuilder` has built has no store to look for tokens in.
    """
    state = getattr(getattr(scope.get("app"), "state", None), "rotulus", None)
    return cast("StoredTokens | None", getattr(state, "tokens", None))
