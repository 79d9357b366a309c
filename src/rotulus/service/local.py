"""Checks whether a request comes from this machine, and from the same site."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection

from rotulus.service.problems import ProblemError
from rotulus.service.scope import header

_IN_PROCESS = ("testserver", "test")
"""The server name in test clients of Starlette and httpx. A real server has an address instead."""

_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
"""Headers by which a proxy reports the real client."""


def check_local(connection: HTTPConnection) -> None:
    """Raise a `ProblemError` (403) unless a request was made on this machine, to this machine.

    The address of the server shows where the request came in, and `Host` shows its target: a page
    of another site may send requests to this machine under a name of its own. A request through a
    proxy may come from anywhere.
    """
    server = (connection.scope.get("server") or ("",))[0]
    within = server in _IN_PROCESS
    local, named = within or is_loopback(server), False
    for header_name, value in connection.scope["headers"]:
        if header_name == b"host":
            named, name = True, _name(value)
            local = local and (is_local(name) or (within and name == server))
        elif header_name in _FORWARDED and not within:
            local = False
    if not local or not named:
        raise ProblemError(
            403,
            "not_local",
            "Only this machine is served",
            "This service has no token and no auth, so it answers this machine only.",
            hint="Set ROTULUS_TOKEN, or give ServiceBuilder.with_auth() or "
            "rotulus.service.protect() a token or a dependency of yours.",
        )


def check_same_site(connection: HTTPConnection) -> None:
    """Raise a `ProblemError` (403) for a request from a page of another site."""
    site = header(connection, b"sec-fetch-site")
    if site is not None:
        same = site in ("same-origin", "none")
    else:  # an older browser, or one that does not trust the address
        origin = header(connection, b"origin")
        same = origin is None or origin.partition("://")[2] == header(connection, b"host")
    if not same:
        raise ProblemError(
            403,
            "cross_site",
            "Other sites may not change anything",
            "The request was made by a page of another site.",
            hint="Make it from a page of this service, or from a program.",
        )


def is_local(name: str) -> bool:
    """Returns whether a name or an address is a loopback one."""
    return name == "localhost" or is_loopback(name)


@lru_cache(256)
def is_loopback(address: str) -> bool:
    """Returns whether only this machine can reach an address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


@lru_cache(64)
def _name(value: bytes) -> str:
    """Returns the name in a `Host` header, without its port and brackets."""
    host = value.decode("latin-1")
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().removesuffix(".")
