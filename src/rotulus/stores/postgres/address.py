"""Where a PostgreSQL store is: its URL, taken apart."""

import re
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from rotulus._text.names import did_you_mean
from rotulus._text.urls import without_password
from rotulus.errors import OptionError

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_UNESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})|\s")
_ODD = re.compile(r"%(?![0-9A-Fa-f]{2})|[\s#]")
_ODD_IN_ACCOUNT = re.compile(r"%(?![0-9A-Fa-f]{2})|[\s#@/?\[\]]")
_OURS = ("schema", "listen", "deadline")

DEADLINE = 15.0
"""Seconds for one call, unless the URL says otherwise."""

_LONGEST = 300.0


class Address(NamedTuple):
    """A URL, taken apart.

    Attributes:
        conninfo: what the driver connects with.
        shown: the URL without its password.
        schema: the schema of the tables; None: the first one of the connection's search path.
        listen: whether connections last, and so can listen, prepare statements, and keep
            settings. False behind a transaction pooler.
        deadline: seconds for one call.
    """

    conninfo: str
    shown: str
    schema: str | None
    listen: bool
    deadline: float = DEADLINE

    @property
    def channel(self) -> str:
        """The channel on which new work is told."""
        return f"rotulus_{self.schema}" if self.schema else "rotulus"


def read_address(url: str) -> Address:
    """Take a URL apart: `postgresql://user@host/database?schema=jobs&listen=false&sslmode=require`.

    Raises:
        OptionError: `schema`, `listen` or `deadline` has a value that is not allowed, or a
            character in the user or the password is not escaped.
    """
    parts = _split(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    ours = {name: value for name, value in query if name in _OURS}
    rest = [(name, value) for name, value in query if name not in _OURS]
    schema = ours.get("schema")
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise OptionError(
            f"schema={schema!r} is not allowed in a store URL: use a-z, 0-9 and _, 41 at most"
        )
    plain = parts._replace(query=urlencode(rest, quote_via=quote))  # libpq knows no + for a space
    return Address(
        urlunsplit(plain._replace(scheme="postgresql")),
        without_password(urlunsplit(plain._replace(query=urlencode(ours)))),
        schema,
        _is_true("listen", ours.get("listen", "true")),
        _seconds("deadline", ours.get("deadline", str(DEADLINE))),
    )


def _split(url: str) -> SplitResult:
    """The parts of a URL that is well formed.

    The driver would quote a part of the password in its message where it cannot read the URL. So
    that is found out here.
    """
    with suppress(ValueError):
        parts = urlsplit(url)
        if not _is_torn(parts, url):
            return parts
    account, at, place = url.partition("://")[2].rpartition("@")
    shown = f"The store URL {without_password(url)} cannot be read"
    if _ODD.search(place) and not (at and _ODD_IN_ACCOUNT.search(account)):
        raise OptionError(
            f"{shown}: in the host, the database and the options write %25 for %, %23 for #, %20 "
            f"for a space"
        )
    raise OptionError(
        f"{shown}: in the user and the password write %25 for %, %40 for @, %3A for :, %2F for /, "
        f"%3F for ?, %23 for #, %5B for [, %20 for a space"
    )


def _is_torn(parts: SplitResult, url: str) -> bool:
    """Whether a character of the account is taken for one that ends it."""
    account = parts.netloc.rpartition("@")[0]
    torn = [piece for piece in parts.query.split("&") if "@" in piece.partition("=")[0]]
    return bool(
        torn or parts.fragment or "@" in parts.path or "@" in account or _UNESCAPED.search(url)
    )


def _is_true(name: str, value: str) -> bool:
    choices = {"true": True, "1": True, "false": False, "0": False}
    if value.lower() in choices:
        return choices[value.lower()]
    raise OptionError(
        f"{name}={value!r} is not allowed in a store URL{did_you_mean(value, choices)}: "
        f"write true or false"
    )


def _seconds(name: str, value: str) -> float:
    with suppress(ValueError):
        if 1.0 <= (seconds := float(value)) <= _LONGEST:
            return seconds
    raise OptionError(
        f"{name}={value!r} is not allowed in a store URL: write seconds, from 1 to {_LONGEST:g}"
    )
