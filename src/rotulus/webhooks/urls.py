"""The URLs of receivers: what is allowed, and where each leads."""

import re
import reprlib
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from rotulus.errors import OptionError

_LONGEST = 2000

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
"""A name or an address; the second is one of IPv6."""

_VISIBLE = re.compile(r"[!-~]+")

_PORTS = {"https": 443, "http": 80}


class Target(NamedTuple):
    """Where a URL leads.

    Attributes:
        plain: whether it is `http://`, which is not encrypted.
        host: the name or address.
        port: the port.
        path: what is asked for there, with its query.
        authority: the host and port, as the header `Host` has them.
    """

    plain: bool
    host: str
    port: int
    path: str
    authority: str


def read_url(url: object, *, plain: bool) -> Target:
    """Returns where the URL of a receiver leads.

    Args:
        url: the URL.
        plain: whether `http://` is allowed.

    Raises:
        OptionError: it is none, or not allowed; the message does not repeat it, as a URL may hold
            a secret.
    """
    if not isinstance(url, str) or len(url) > _LONGEST or not _VISIBLE.fullmatch(url):
        raise OptionError(
            f"url={reprlib.repr(url) if not isinstance(url, str) else '…'} is not allowed: give "
            f"https:// and so on, of visible ASCII characters, {_LONGEST:,} at most"
        )
    parts, port = _split(url)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise OptionError(
            "url=… is not allowed: give https://, a host, and so on, such as "
            "'https://example.com/hooks'"
        )
    if parts.username is not None or parts.fragment:
        what = "a user" if parts.username is not None else "a '#'"
        raise OptionError(
            f"url=… is not allowed: it has {what} in it. The receiver knows us by the signature"
        )
    if parts.scheme == "http" and not plain:
        raise OptionError(
            "url=… is not allowed: http:// is not encrypted, and is only for networks that are "
            "named with webhook_networks=. Give https://"
        )
    shown = f"[{host}]" if ":" in host else host
    return Target(
        plain=parts.scheme == "http",
        host=host,
        port=port or _PORTS[parts.scheme],
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        authority=shown if port is None else f"{shown}:{port}",
    )


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port, parts = 0, SplitResult("", "", "", "", "")
    if port == 0:
        raise OptionError("url=… is not allowed: its host or its port is none")
    return parts, port
