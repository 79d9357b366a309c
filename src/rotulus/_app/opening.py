"""From a URL to a store: the one module that names concrete stores."""

import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rotulus._app.encrypting import encrypting, try_cipher
from rotulus._forking import follow_forks
from rotulus._jobs.encrypted import Cipher
from rotulus._text.urls import SYNCHRONOUS, migrating, without_password
from rotulus._time.clock import Clock
from rotulus.errors import ConfigurationError, SchemaError, StoreClosedError
from rotulus.events import Events, StoreMigrated
from rotulus.store import Store

_ROLLOUT = 600.0
"""Seconds in which the workers of a fleet are all replaced."""

_IN_MEMORY = ("sqlite://", "sqlite:///")


def open_store(url: str, clock: Clock) -> Store:
    """Returns the store of a URL that `check_store_url` takes; nothing is read or written yet.

    `sqlite:///jobs.db` is a file in the current folder, `sqlite:////var/lib/jobs.db` one with a
    full path, and `sqlite://` lives in memory. `?synchronous=normal` commits faster, and may
    lose the last commits when the power goes.

    `postgresql://user:password@host/database` is a PostgreSQL database. `?schema=jobs` keeps the
    tables in a schema of their own, and `?listen=false` is for connections through a transaction
    pooler. `?deadline=5` gives up a call after so many seconds instead of 15. Everything else
    behind the `?` is for libpq, such as `sslmode=require`.

    `django://default` is a database of Django's settings, by its alias; each call runs on Django's
    own connection, in the transaction that is open there.

    Raises:
        OptionError: an option behind the `?` has a value that is not allowed.
        ConfigurationError: what is needed for it is not installed.
    """
    scheme, _, rest = url.partition("://")
    return _OPENERS[scheme](url, rest, clock)


def open_ready(url: str, clock: Clock, events: Events) -> Store:
    """Returns the store of a URL, its tables brought up to date if that is for an app to do."""
    store = open_store(url, clock)
    try:
        steps = store.migrate() if store.self_migrating else []
    except BaseException:
        store.close()
        raise
    if steps:
        events.emit(StoreMigrated(store.url, steps))
    return store


def shown_url(url: str) -> str:
    """Returns a URL as it may be shown: without its password, and of a file with its full path."""
    absolute = absolute_url(url)
    return absolute if absolute.startswith("sqlite:") else without_password(absolute)


def absolute_url(url: str) -> str:
    """Returns a URL that does not depend on the current folder: of a file, with its full path."""
    scheme, mark, rest = url.partition("://")
    place, query_mark, query = rest.partition("?")
    if scheme != "sqlite" or not place.removeprefix("/"):
        return url
    return f"{scheme}{mark}/{Path(place.removeprefix('/')).absolute()}{query_mark}{query}"


def is_there(url: str) -> bool:
    """Returns whether the file of a URL exists; of a URL that is no file's, True."""
    place = url.partition("?")[0]
    if place in _IN_MEMORY or not place.startswith("sqlite:///"):
        return True
    return Path(place.removeprefix("sqlite:///")).exists()


class LazyStore:
    """The store of an app, opened when it is first needed.

    Args:
        url: where it is.
        clock: the time.
        events: where a migration is told of.
        cipher: what encrypts the values of its jobs; None: nothing does.
        lent: gives the store of another app, which closes it; None: this one has its own.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        events: Callable[[], Events],
        cipher: Cipher | None = None,
        lent: Callable[[], Store] | None = None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._events = events
        self.cipher = cipher
        self._lent = lent
        self._store: Store | None = None
        self._closed = False
        self._forked()
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def __call__(self) -> Store:
        """The store, opened and brought up to date. Raises `StoreError`."""
        with self._lock:
            if self._closed:
                raise StoreClosedError("This app is closed: make a new one")
            if self._lent is not None:
                return self._lent()
            if self._store is None:
                self._store = self._opened()
            return self._store

    def _opened(self) -> Store:
        if self.cipher is None:
            return open_ready(self._url, self._clock, self._events())
        try_cipher(self.cipher)
        return encrypting(open_ready(self._url, self._clock, self._events()), self.cipher)

    @property
    def shown(self) -> str:
        """Where it is, as it may be shown."""
        return shown_url(self._url)

    def close(self) -> bool:
        """Close it for good; False when that has been done before."""
        with self._lock:
            was_open, self._closed = not self._closed, True
            if was_open and self._store is not None:
                self._store.close()
            return was_open


def insist_on_tables(store: Store) -> None:
    """Raise `SchemaError` unless the tables of a store are there and of this version."""
    missing = store.migrate(apply=False)
    if missing:
        raise SchemaError(
            f"The tables in {store.url} are not of this version (missing: {', '.join(missing)}): "
            f"run {migrating(store.url)}"
        )


def usual_grace(url: str) -> float:
    """Seconds that a job of an unknown task waits for a newer worker, unless a setting says so.

    A file is used by the programs of one machine, which are replaced together. The workers of a
    fleet are replaced one after the other.
    """
    return 0.0 if url.startswith("sqlite:") else _ROLLOUT


def is_shared(url: str) -> bool:
    """Returns whether other processes that open this URL see the same jobs."""
    return url.partition("?")[0] not in _IN_MEMORY


def _sqlite(_url: str, rest: str, clock: Clock) -> Store:
    place, _, query = rest.partition("?")
    path = place.removeprefix("/")
    store = import_module("rotulus.stores.sqlite").SqliteStore
    return store(path or ":memory:", synchronous=SYNCHRONOUS[query.lower()], clock=clock)


def _postgres(url: str, _rest: str, _clock: Clock) -> Store:
    try:
        package = import_module("rotulus.stores.postgres")
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise ConfigurationError(
            "A PostgreSQL store needs psycopg 3: pip install 'rotulus[postgres]'"
        ) from None
    return package.PostgresStore(package.read_address(url))


def _django(_url: str, alias: str, clock: Clock) -> Store:
    return import_module("rotulus.django.store").open_django(alias, clock)


_OPENERS: dict[str, Callable[[str, str, Clock], Store]] = {
    "django": _django,
    "postgres": _postgres,
    "postgresql": _postgres,
    "sqlite": _sqlite,
}
