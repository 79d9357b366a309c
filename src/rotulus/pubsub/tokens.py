"""Verifies the sender of a push by its OIDC token, claim by claim."""

import json
import re
from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import Any, Protocol, Self, cast

import jwt

from rotulus._concurrency.pool import off_loop
from rotulus._time.clock import Clock, SystemClock
from rotulus.errors import ConfigurationError, TokenError
from rotulus.pubsub.http import PushRequest
from rotulus.pubsub.keys import KeySet
from rotulus.pubsub.settings import PubSubSettings

ISSUERS = ("accounts.google.com", "https://accounts.google.com")
LEEWAY = 30
"""Seconds by which clocks may differ."""

LONGEST_LIFE = 3900
"""Seconds from a token's issue to its end, at most: an hour and five minutes."""

_LONGEST_HEADER = 8192
_NOT_LOCAL = ("origin", "sec-fetch-site", "forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers of browsers, which may show any site's page, and of proxies."""

_BEARER = re.compile(r"[Bb]earer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)

# Checked one by one below, against a clock that is handed in.
_SIGNATURE_ONLY = jwt.PyJWS(algorithms=["RS256"])


class Verifier(Protocol):
    """Lets requests in, or not."""

    def verify(self, request: PushRequest) -> None:
        """Raise `TokenError` unless the request comes from the right sender."""
        ...

    async def averify(self, request: PushRequest) -> None:
        """`verify`, without blocking the event loop."""
        ...


class TokenVerifier:
    """Lets in requests with a token of Google for this service, in the name of a service account.

    A token is one `Authorization: Bearer` header of at most 8 KiB. It is signed with RS256 by a key
    of the set, `iss` is Google, `aud` is one text and that of this service, `email` is one of the
    accounts and `email_verified` is true; `sub` is the pinned one, if there is one. `exp`, `iat`
    and `nbf` hold with 30 seconds of leeway, and it lives for 65 minutes at most.

    Args:
        audience: the required `aud`: the address of this service, as it is configured.
        accounts: the e-mail addresses of the service accounts.
        keys: the keys of Google.
        subject: the required `sub`; unless given, `sub` is not checked.
        clock: the time.

    Raises:
        ConfigurationError: there is no audience, or no account.
    """

    def __init__(
        self,
        audience: str,
        accounts: Collection[str],
        keys: KeySet,
        *,
        subject: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not audience or isinstance(accounts, str) or not all(accounts) or not accounts:
            raise ConfigurationError(
                "A TokenVerifier needs an audience and a list of service accounts: set "
                "CLOUD_RUN_SERVICE_URL and TASKS_SERVICE_ACCOUNT, and use from_settings()"
            )
        self._audience = audience
        self._accounts = frozenset(accounts)
        self._keys = keys
        self._subject = subject
        self._clock = clock or SystemClock()

    @classmethod
    def from_settings(
        cls, settings: PubSubSettings | None = None, *, clock: Clock | None = None
    ) -> Self:
        """Returns the verifier for some settings.

        Args:
            settings: those of the environment unless given.
            clock: the time.

        Raises:
            ConfigurationError: the address of the service or its account is not set.
        """
        settings = settings or PubSubSettings.from_env()
        settings.require("service_url", "service_account")
        keys = KeySet(settings.keys_url, clock=clock)
        return cls(settings.service_url, [settings.service_account], keys, clock=clock)

    def verify(self, request: PushRequest) -> None:
        """Raise `TokenError` unless the token of the request is valid."""
        token = _token_of(request)
        self._check(token, _key_id(token))

    async def averify(self, request: PushRequest) -> None:
        """`verify`, without blocking the event loop: keys may have to be fetched."""
        token = _token_of(request)
        key_id = _key_id(token)
        if self._keys.has(key_id):
            self._check(token, key_id)
        else:
            await off_loop(self._check, token, key_id)

    def _check(self, token: str, key_id: str) -> None:
        key = self._keys.get(key_id)
        try:
            payload = _SIGNATURE_ONLY.decode(token, key, algorithms=["RS256"])
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenError(f"The signature of the token is not valid: {error}") from None
        claims = _object(payload, "claims")
        for name, fits in self._rules():
            if not fits(claims.get(name)):
                raise TokenError(f"The {name!r} of the token is missing or wrong")
        self._check_times(claims)

    def _rules(self) -> list[tuple[str, Callable[[Any], bool]]]:
        return [
            ("iss", lambda value: value in ISSUERS),
            ("aud", lambda value: value == self._audience),
            ("email", lambda value: isinstance(value, str) and value in self._accounts),
            ("email_verified", lambda value: value is True),
            ("sub", lambda value: self._subject is None or value == self._subject),
        ]

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now().timestamp()
        issued, end = _seconds(claims, "iat"), _seconds(claims, "exp")
        begin = _seconds(claims, "nbf") if "nbf" in claims else issued
        if max(issued, begin) > now + LEEWAY:
            raise TokenError("The token is not valid yet")
        if end <= now - LEEWAY:
            raise TokenError("The token has expired")
        if not 0 < end - issued <= LONGEST_LIFE:
            raise TokenError(f"The token is to live for more than {LONGEST_LIFE} seconds")


class LocalVerifier:
    """Lets in requests from this machine, without a token: for emulators, nothing else."""

    def verify(self, request: PushRequest) -> None:
        """Raise `TokenError` unless the other side is this machine, and no browser or proxy."""
        forwarded = [name for name in _NOT_LOCAL if request.values(name)]
        if forwarded:
            raise TokenError(
                f"The request has {forwarded[0]!r}: a browser, or a proxy, has sent it"
            )
        if not _is_loopback(request.peer):
            raise TokenError(
                f"The request comes from {request.peer or 'an unknown address'}, and only this "
                f"machine is let in without a token"
            )

    async def averify(self, request: PushRequest) -> None:
        """The same: nothing is waited for."""
        self.verify(request)


def _token_of(request: PushRequest) -> str:
    headers = request.values("authorization")
    if len(headers) != 1:
        raise TokenError(f"The request has {len(headers)} Authorization headers; it needs one")
    if len(headers[0]) > _LONGEST_HEADER:
        raise TokenError(f"The Authorization header has more than {_LONGEST_HEADER} characters")
    found = _BEARER.fullmatch(headers[0])
    if found is None:
        raise TokenError("The Authorization header is not 'Bearer', and a signed token")
    return found[1]


def _key_id(token: str) -> str:
    """Returns the id of the key that a token names. The id is not trusted."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError("The token has no header that can be read") from None
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or "crit" in header or not isinstance(key_id, str):
        raise TokenError("The header of the token does not name RS256 and a key, and only these")
    return key_id


def _object(payload: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TokenError(f"The {what} of the token are no JSON object")
    return cast("dict[str, Any]", value)


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    raise TokenError(f"The {name!r} of the token is missing, or no time")


def _is_loopback(address: str | None) -> bool:
    try:
        ip = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
