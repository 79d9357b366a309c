"""From a URL to a store: the one module that names concrete stores."""

from collections.abc import Callable
from importlib import import_module

from rotulus._text.names import did_you_mean
from rotulus._time.clock import Clock
from rotulus.errors import ConfigurationError, OptionError, SchemaError
from rotulus.events import Events, StoreMigrated
from rotulus.store import Store

_ROLLOUT = 600.0
"""Seconds in which the workers of a fleet are all replaced."""

_SYNCHRONOUS = {"": "FULL", "synchronous=full": "FULL", "synchronous=normal": "NORMAL"}

_IN_MEMORY = ("sqlite://", "sqlite:///")


def open_store(url: str, clock: Clock) -> Store:
    """The store of a URL; nothing is read or written yet.

    `sqlite:///jobs.db` is a file in the current folder, `sqlite:////var/lib/jobs.db` one with a
    full path, and `sqlite://` lives in memory. `?synchronous=normal` commits faster, and may
    lose the last commits when the power goes.

    `postgresql://user:password@host/database` is a PostgreSQL database. `?schema=jobs` keeps the
    tables in a schema of their own, and `?listen=false` is for connections through a transaction
    pooler. `?deadline=5` gives up a call after so many seconds instead of 15. Everything else
    behind the `?` is for libpq, such as `sslmode=require`.

    Raises:
        OptionError: the URL is none of these.
        ConfigurationError: what is needed for it is not installed.
    """
    scheme, colon, rest = url.partition("://")
    opener = _OPENERS.get(scheme)
    if opener is None or not colon:
        raise OptionError(
            f"Store URL {url!r} is not known{did_you_mean(scheme, _OPENERS)}: use "
            f"sqlite:///jobs.db for a file, or postgresql://user@host/database"
        )
    return opener(url, rest, clock)


def open_ready(url: str, clock: Clock, events: Events) -> Store:
    """The store of a URL, its tables brought up to date if that is for an app to do."""
    store = open_store(url, clock)
    try:
        steps = store.migrate() if store.self_migrating else []
    except BaseException:
        store.close()
        raise
    if steps:
        events.emit(StoreMigrated(store.url, steps))
    return store


def insist_on_tables(store: Store) -> None:
    """Raise `SchemaError` unless the tables of a store are there and of this version."""
    missing = store.migrate(apply=False)
    if missing:
        raise SchemaError(
            f"The tables in {store.url} are not of this version (missing: {', '.join(missing)}): "
            f"run 'rotulus migrate'"
        )


def usual_grace(url: str) -> float:
    """Seconds that a job of an unknown task waits for a newer worker, unless a setting says so.

    A file is used by the programs of one machine, which are replaced together. The workers of a
    fleet are replaced one after the other.
    """
    return 0.0 if url.startswith("sqlite:") else _ROLLOUT


def is_shared(url: str) -> bool:
    """Whether other processes that open this URL see the same jobs."""
    return url.partition("?")[0] not in _IN_MEMORY


def _sqlite(url: str, rest: str, clock: Clock) -> Store:
    place, _, query = rest.partition("?")
    synchronous = _SYNCHRONOUS.get(query.lower())
    if synchronous is None or (place and not place.startswith("/")):
        raise OptionError(
            f"Store URL {url!r} is not allowed: write sqlite:///jobs.db (three slashes), with "
            f"?synchronous=normal at most"
        )
    path = place.removeprefix("/")
    store = import_module("rotulus.stores.sqlite").SqliteStore
    return store(path or ":memory:", synchronous=synchronous, clock=clock)


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


_OPENERS: dict[str, Callable[[str, str, Clock], Store]] = {
    "postgres": _postgres,
    "postgresql": _postgres,
    "sqlite": _sqlite,
}
