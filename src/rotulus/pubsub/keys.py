"""Public keys of tokens, by their ids: fetched rarely, and kept for a while."""

import json
import logging
import re
import threading
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, NamedTuple, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from rotulus._time.clock import Clock, SystemClock
from rotulus.errors import TokenError

SHORTEST = 300.0
"""The least seconds for which keys are kept."""

LONGEST = 24 * 3600.0
"""The most seconds for which keys are kept; and as long again if there are no new ones."""

PAUSE = 60.0
"""Seconds between two requests that did not bring the wanted key."""

SHORT_PAUSE = 5.0
"""Seconds between two requests that failed, if no usable key is known."""

TIMEOUT = 5.0
"""Seconds to wait for the server of the keys."""

_MOST_BYTES = 1024 * 1024
_FEWEST_BITS = 2048
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])", re.IGNORECASE)

_log = logging.getLogger("rotulus.pubsub")


class FetchedKeys(NamedTuple):
    """A key set from its server: JSON, and the `Cache-Control` header."""

    body: bytes
    cache_control: str


class KeySet:
    """The keys at a URL, by id.

    A known key costs no request. The set is fetched at its first use, when its time is over, and
    when a token names a key that is not in it: then at most once a minute. While the server does
    not answer, the old keys hold for another 24 hours; without old keys, the server is asked every
    5 seconds.

    Args:
        url: the address of the set, a JSON Web Key Set.
        clock: the time.
        fetch: gets the set; raises `OSError` or `HTTPException` when it cannot.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        fetch: Callable[[str], FetchedKeys] | None = None,
    ) -> None:
        self._url = url
        self._clock = clock or SystemClock()
        self._fetch = fetch or fetch_keys
        self._fetching = threading.Lock()
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fresh_until = self._look_at = float("-inf")

    def has(self, key_id: str) -> bool:
        """Returns whether `get` would answer without a request."""
        return key_id in self._keys and not self._is_old()

    def get(self, key_id: str) -> RSAPublicKey:
        """Returns a key.

        Args:
            key_id: its id, as a token names it.

        Raises:
            TokenError: no such key is known.
        """
        if not self.has(key_id):
            self._look_again(key_id)
        key = self._keys.get(key_id)
        if key is None or self._clock.monotonic() >= self._fresh_until + LONGEST:
            raise TokenError(f"The key of the token is not at {self._url}, or was not fetched")
        return key

    def _is_old(self) -> bool:
        return self._clock.monotonic() >= self._fresh_until

    def _look_again(self, key_id: str) -> None:
        # With an old key at hand, no caller waits for the request of another.
        if not self._fetching.acquire(blocking=key_id not in self._keys):
            return
        try:
            now = self._clock.monotonic()
            if not self.has(key_id) and now >= self._look_at:
                self._look_at = now + (PAUSE if self._refresh() or self._keys else SHORT_PAUSE)
        finally:
            self._fetching.release()

    def _refresh(self) -> bool:
        """Fetch the set. Returns whether it came."""
        try:
            found = self._fetch(self._url)
            keys = read_keys(found.body)
        except (OSError, HTTPException, ValueError) as error:
            _log.warning("The keys of tokens could not be fetched from %s: %s", self._url, error)
            return False
        self._keys = keys
        self._fresh_until = self._clock.monotonic() + _seconds(found.cache_control)
        return True


def read_keys(body: bytes) -> dict[str, RSAPublicKey]:
    """Returns the RSA signature keys of a JSON Web Key Set, by id. Other keys are left out.

    Raises:
        ValueError: it is no key set, or has no such key.
    """
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("it nests too deeply") from None
    listed: Any = cast("dict[str, Any]", document).get("keys") if _is_object(document) else None
    items = cast("list[Any]", listed) if isinstance(listed, list) else []
    keys = dict(filter(None, map(_read_key, items)))
    if not keys:
        raise ValueError("it is no key set, or has no RSA key for signatures")
    return keys


def fetch_keys(url: str) -> FetchedKeys:
    """Get a key set. Raises `OSError` or `HTTPException`, also for a redirect."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - https, or this machine: settings are checked
    with _OPENER.open(request, timeout=TIMEOUT) as answer:
        body = answer.read(_MOST_BYTES + 1)
        if len(body) > _MOST_BYTES:
            raise OSError(f"it has more than {_MOST_BYTES:,} bytes")
        return FetchedKeys(body, answer.headers.get("Cache-Control", ""))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuse redirects: keys come from the configured address, and from nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def _read_key(entry: Any) -> tuple[str, RSAPublicKey] | None:
    if not _is_object(entry) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    key_id = entry.get("kid")
    if not isinstance(key_id, str) or not key_id or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = jwt.PyJWK(entry, "RS256").key
    except jwt.PyJWTError:
        return None
    if not isinstance(key, RSAPublicKey) or key.key_size < _FEWEST_BITS:
        return None
    return key_id, key


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _seconds(cache_control: str) -> float:
    """Returns how long a set is fresh."""
    found = _MAX_AGE.search(cache_control)
    return min(max(float(found[1]) if found else 0.0, SHORTEST), LONGEST)
