"""From a URL to a store: the one module that names concrete stores."""

from collections.abc import Callable

from rotulus._clock import Clock
from rotulus._names import did_you_mean
from rotulus.errors import OptionError
from rotulus.store import Store
from rotulus.stores.sqlite import SqliteStore

_SYNCHRONOUS = {"": "FULL", "synchronous=full": "FULL", "synchronous=normal": "NORMAL"}

_IN_MEMORY = ("sqlite://", "sqlite:///")


def open_store(url: str, clock: Clock) -> Store:
    """The store of a URL; nothing is read or written yet.

    `sqlite:///jobs.db` is a file in the current folder, `sqlite:////var/lib/jobs.db` one with a
    full path, and `sqlite://` lives in memory. `?synchronous=normal` commits faster, and may
    lose the last commits when the power goes.

    Raises:
        OptionError: the URL is none of these.
    """
    scheme, colon, rest = url.partition("://")
    opener = _OPENERS.get(scheme)
    if opener is None or not colon:
        raise OptionError(
            f"Store URL {url!r} is not known{did_you_mean(scheme, _OPENERS)}: use "
            f"sqlite:///jobs.db for a file, or sqlite:// for memory"
        )
    return opener(url, rest, clock)


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
    return SqliteStore(path or ":memory:", synchronous=synchronous, clock=clock)


_OPENERS: dict[str, Callable[[str, str, Clock], Store]] = {"sqlite": _sqlite}
