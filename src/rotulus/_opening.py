"""From a URL to a store: the one module that names concrete stores."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from rotulus._clock import Clock
from rotulus._names import did_you_mean
from rotulus.errors import OptionError
from rotulus.store import Store
from rotulus.stores.sqlite import SqliteStore

_LEVELS = ("full", "normal")


def open_store(url: str, clock: Clock) -> Store:
    """The store of a URL; nothing is read or written yet.

    `sqlite:///jobs.db` is a file in the current folder, `sqlite:////var/lib/jobs.db` one with a
    full path, and `sqlite://` lives in memory. `?synchronous=normal` commits faster, and may
    lose the last commits when the power goes.

    Raises:
        OptionError: the URL is none of these.
    """
    scheme = urlsplit(url).scheme
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise OptionError(
            f"Store URL {url!r} is not known{did_you_mean(scheme, _OPENERS)}: use "
            f"sqlite:///jobs.db for a file, or sqlite:// for memory"
        )
    return opener(url, clock)


def _sqlite(url: str, clock: Clock) -> Store:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    level = options.pop("synchronous", "full").lower()
    if parts.netloc or options or level not in _LEVELS:
        raise OptionError(
            f"Store URL {url!r} is not allowed: write sqlite:///jobs.db (three slashes), with "
            f"?synchronous=normal at most"
        )
    path = parts.path.removeprefix("/")
    return SqliteStore(path or ":memory:", synchronous=level.upper(), clock=clock)


_OPENERS: dict[str, Callable[[str, Clock], Store]] = {"sqlite": _sqlite}
