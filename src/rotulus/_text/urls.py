"""URLs of stores: checks, and a form without secrets; and the template of the URLs of traces."""

import re
from urllib.parse import urlsplit

from rotulus._text.names import did_you_mean
from rotulus._text.postgres_urls import read_postgres_url

_SECRET = re.compile(r"(?<=[?&])((?:ssl)?password=)[^&]*", re.IGNORECASE)


SYNCHRONOUS = {"": "FULL", "synchronous=full": "FULL", "synchronous=normal": "NORMAL"}
"""The options behind the `?` of a file's URL, and SQLite's words for them."""

_SCHEMES = ("sqlite", "postgresql", "postgres", "django")
_USE = "use sqlite:///jobs.db for a file, or postgresql://user@host/database"


def check_store_url(value: object) -> str:
    """Returns the URL of a store. Raises `ValueError`, with the allowed forms."""
    if not isinstance(value, str):
        raise TypeError(f"give a store URL as text: {_USE}")
    scheme, mark, rest = value.partition("://")
    if scheme in ("http", "https"):
        raise ValueError(f"that is the address of a service, and no store URL: {_USE}")
    if not mark or scheme not in _SCHEMES:
        raise ValueError(f"not a store URL{did_you_mean(scheme, _SCHEMES)}: {_USE}")
    place, _, query = rest.partition("?")
    misplaced = place and not place.startswith("/")
    if scheme == "sqlite" and (misplaced or query.lower() not in SYNCHRONOUS):
        raise ValueError(
            "not a store URL: write sqlite:///jobs.db (three slashes); behind its ? there is only "
            "synchronous=full, the default, or synchronous=normal"
        )
    if scheme in ("postgresql", "postgres"):
        read_postgres_url(value)
    return value


_TRACE = "{trace_id}"
_LONGEST = 2000


def check_trace_url(value: object) -> str:
    """Returns the template of the addresses of traces. Raises `ValueError`, with what is allowed.

    It is the address of a page with `{trace_id}` in the place of the id. Everybody who may look is
    shown it, so it has no password.
    """
    use = "give the address of a trace, such as https://traces.example/trace/{trace_id}"
    if not isinstance(value, str):
        raise TypeError(use)
    if len(value) > _LONGEST or not re.fullmatch(r"[!-~]+", value):
        raise ValueError(f"{use}: visible ASCII characters, {_LONGEST:,} at most")
    if not _has_host(value):
        raise ValueError(f"it does not begin with https:// or http:// and a host: {use}")
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError(f"it has a user in it, and everybody is shown it: {use}")
    if _TRACE not in value or _TRACE in parts.netloc:
        raise ValueError(f"it has no {_TRACE} behind its host: {use}")
    return value


def _has_host(address: str) -> bool:
    """Whether browsers and Python find the same host in an address; its port is a number."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "\\" not in address


def without_password(url: str) -> str:
    """Returns a URL without its password, also if the password is not escaped.

    Everything between the first colon of the account and the last `@` counts as the password:
    rather too much of the URL is left out than too little.
    """
    url = _SECRET.sub(r"\1***", url)  # first, because it may hold an @, too
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    account, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{account.partition(':')[0]}{at}{place}"


def migrating(url: str) -> str:
    """Returns the command that brings the tables at a URL up to date, in quotes."""
    scheme, _, place = url.partition("://")
    command = f"manage.py migrate --database {place}" if scheme == "django" else "rotulus migrate"
    return f"'{command}'"
