"""Signatures of messages as Standard Webhooks 1.0.0 has them: secrets, signing and verifying."""

import base64
import binascii
import hashlib
import hmac
import os
import reprlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rotulus._text import jsontext
from rotulus.errors import OptionError, SignatureError

PREFIX = "whsec_"
"""How a secret begins."""

_SIZE = 32
"""The bytes of a secret that is made here."""

_SHORTEST, _LONGEST = 24, 64
"""The bytes of a secret that is allowed."""

_TOLERANCE = 300.0

_VERSION = "v1"
"""The kind of signature: HMAC-SHA256."""


def make_secret() -> str:
    """Returns a new secret: `whsec_` and 32 random bytes as base64."""
    return PREFIX + base64.b64encode(os.urandom(_SIZE)).decode()


def check_secret(secret: object) -> str:
    """Returns a secret that is allowed: `whsec_` and 24 to 64 bytes. Raises `OptionError`."""
    key = _key(secret)
    if key is not None and _SHORTEST <= len(key) <= _LONGEST:
        return str(secret)
    raise OptionError(
        f"secret=… is not allowed: give {PREFIX!r} and {_SHORTEST} to {_LONGEST} bytes as base64, "
        f"or leave it out, and one is made"
    )


def signed_headers(
    message: str, timestamp: int, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """Returns the headers of a message.

    Args:
        message: its id, which is the same in every try.
        timestamp: the moment of this try, in seconds since 1970.
        body: what is sent.
        secrets: what it is signed with: two while one of them is replaced.
    """
    signatures = (_signature(message, str(timestamp), body, secret) for secret in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{_VERSION},{one}" for one in signatures),
    }


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    *secrets: str,
    tolerance: float = _TOLERANCE,
    now: float | None = None,
) -> Any:
    """Returns the JSON value of a message, once its signature has been found to be right.

    Args:
        body: what was received, as it is.
        headers: the headers of the request; upper and lower case are the same.
        secrets: what it may be signed with.
        tolerance: seconds for which a message is good, before and after its timestamp.
        now: the present moment, in seconds since 1970; that of the machine unless given.

    Raises:
        SignatureError: a header is missing, no signature is right, or the message is too old or
            too new.
        OptionError: no secret is given, or one that is none.
    """
    keys = [check_secret(secret) for secret in secrets]
    if not keys:
        raise OptionError("verify() needs the secret of the webhook: verify(body, headers, secret)")
    content = body.encode() if isinstance(body, str) else body
    given = {name.lower(): value for name, value in headers.items()}
    message, timestamp = _header(given, "webhook-id"), _header(given, "webhook-timestamp")
    _check_age(timestamp, time.time() if now is None else now, tolerance)
    expected = [_signature(message, timestamp, content, key) for key in keys]
    for signature in _header(given, "webhook-signature").split(" "):
        version, _, value = signature.partition(",")
        right = [hmac.compare_digest(value.encode(), one.encode()) for one in expected]
        if version == _VERSION and any(right):
            return jsontext.decode(content.decode())
    raise SignatureError(
        "No signature of the message is right: it comes from somebody else, was changed on its "
        "way, or is signed with another secret. The body has to be the bytes that were received"
    )


def _signature(message: str, timestamp: str, body: bytes, secret: str) -> str:
    content = b".".join((message.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(_key(secret) or b"", content, hashlib.sha256)).decode()


def _key(secret: object) -> bytes | None:
    """The bytes of a secret; None: it is none."""
    if not isinstance(secret, str) or not secret.startswith(PREFIX):
        return None
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None


def _header(headers: Mapping[str, str], name: str) -> str:
    if headers.get(name):
        return headers[name]
    raise SignatureError(f"The message has no header {name!r}: it is no webhook of ours")


def _check_age(timestamp: str, now: float, tolerance: float) -> None:
    age = now - int(timestamp) if timestamp.isascii() and timestamp.isdigit() else None
    if age is not None and abs(age) <= tolerance:
        return
    raise SignatureError(
        f"The message is of {reprlib.repr(timestamp)}, and it is {now:.0f} now: more than "
        f"{tolerance:g} seconds lie between the two. It may be an old one that somebody repeats; "
        f"or the clock of a machine is wrong"
    )
