"""URLs of PostgreSQL databases: what they say, and what is wrong with one that says nothing."""

import re
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rotulus._text.names import did_you_mean

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_UNESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})|\s")
_ODD = re.compile(r"%(?![0-9A-Fa-f]{2})|[\s#]")
_ODD_IN_ACCOUNT = re.compile(r"%(?![0-9A-Fa-f]{2})|[\s#@/?\[\]]")
_OURS = ("schema", "listen", "deadline")

DEADLINE = 15.0
"""Seconds for one call, unless the URL says otherwise."""

_LONGEST = 300.0


class PostgresUrl(NamedTuple):
    """A URL, taken apart.

    Attributes:
        parts: its parts.
        ours: the options behind its `?` that are for us, as they were given.
        rest: the others, in order.
        schema: the schema of the tables, if it names one.
        listen: whether connections last.
        deadline: seconds for one call.
    """

    parts: SplitResult
    ours: dict[str, str]
    rest: list[tuple[str, str]]
    schema: str | None
    listen: bool
    deadline: float


def read_postgres_url(url: str) -> PostgresUrl:
    """Take a URL apart: `postgresql://user@host/database?schema=jobs&listen=false&sslmode=require`.

    Raises:
        ValueError: `schema`, `listen` or `deadline` has a value that is not allowed, or a
            character in the user or the password is not escaped. No message holds a password.
    """
    parts = _split(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    ours = {name: value for name, value in query if name in _OURS}
    schema = ours.get("schema")
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise ValueError(f"schema={schema!r} has to be of a-z, 0-9 and _, 41 at most")
    return PostgresUrl(
        parts,
        ours,
        [(name, value) for name, value in query if name not in _OURS],
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
    if _ODD.search(place) and not (at and _ODD_IN_ACCOUNT.search(account)):
        raise ValueError(
            "in the host, the database and the options write %25 for %, %23 for #, %20 for a space"
        )
    raise ValueError(
        "in the user and the password write %25 for %, %40 for @, %3A for :, %2F for /, "
        "%3F for ?, %23 for #, %5B for [, %20 for a space"
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
    raise ValueError(f"{name}={value!r} has to be true or false{did_you_mean(value, choices)}")


def _seconds(name: str, value: str) -> float:
    with suppress(ValueError):
        if 1.0 <= (seconds := float(value)) <= _LONGEST:
            return seconds
    raise ValueError(f"{name}={value!r} has to be seconds, from 1 to {_LONGEST:g}")
