"""The addresses to which webhooks may be sent: public ones, and networks that are named."""

import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from rotulus.errors import AddressRefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_OURS = "is of a private network"
_OF_NOBODY = "is reserved"

_REFUSED_4: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "is this machine"),
    ("10.0.0.0/8", _OURS),
    ("100.64.0.0/10", "is of a carrier's own network"),
    ("127.0.0.0/8", "is this machine"),
    ("168.63.129.16/32", "is of the platform of a cloud"),
    ("169.254.0.0/16", "is of this link: clouds answer there with credentials"),
    ("172.16.0.0/12", _OURS),
    ("192.0.0.0/24", _OF_NOBODY),
    ("192.0.2.0/24", "is for examples"),
    ("192.88.99.0/24", "is a relay between IPv6 and IPv4"),
    ("192.168.0.0/16", _OURS),
    ("198.18.0.0/15", "is for measurements"),
    ("198.51.100.0/24", "is for examples"),
    ("203.0.113.0/24", "is for examples"),
    ("224.0.0.0/4", "is of many receivers"),
    ("240.0.0.0/4", _OF_NOBODY),
)
"""Networks that are not public, and what is said of an address in them.

They stand here, and are not asked of `ipaddress`: its answers differ between versions of Python.
"""

_REFUSED_6: tuple[tuple[str, str], ...] = (
    ("2001::/23", _OF_NOBODY),
    ("2001:db8::/32", "is for examples"),
    ("2002::/16", "is a relay between IPv6 and IPv4"),
    ("3fff::/20", "is for examples"),
    ("::1/128", "is this machine"),
    ("::/128", "is this machine"),
    ("::ffff:0:0/96", "is an IPv4 address in another spelling"),
    ("fc00::/7", _OURS),
    ("fe80::/10", "is of this link"),
    ("ff00::/8", "is of many receivers"),
)
"""The same of IPv6. All that is not in `_PUBLIC_6` is refused, too."""

_PUBLIC_6 = IPv6Network("2000::/3")

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Where machines without IPv4 find it: the last four bytes are the IPv4 address."""

_TABLE: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(text), why) for text, why in (*_REFUSED_4, *_REFUSED_6)
)


class Place(NamedTuple):
    """An address that was found, as the socket module has it.

    Attributes:
        family: the kind of socket.
        address: what it connects to.
    """

    family: int
    address: Any

    @property
    def ip(self) -> Address:
        """The address itself."""
        return ip_address(self.address[0])


def refusal(address: Address, networks: Iterable[Network]) -> str | None:
    """Returns why nothing is sent to an address, as the end of a sentence; None: it may be.

    Args:
        address: the address.
        networks: those that are allowed beside the public ones.
    """
    if is_within(address, networks):
        return None
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            return refusal(IPv4Address(int(address) & 0xFFFFFFFF), networks)
        found = _why(address)
        return found or (None if address in _PUBLIC_6 else _OF_NOBODY)
    return _why(address)


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Returns whether an address is in one of these networks."""
    return any(address.version == one.version and address in one for one in networks)


def resolve(host: str, port: int, networks: Sequence[Network], *, plain: bool) -> list[Place]:
    """Returns the addresses of a host to which a message may be sent, in the order to try them.

    What is returned is to be connected to as it is: to look up the name again could give another
    address.

    Args:
        host: a name or an address.
        port: the port.
        networks: those that are allowed beside the public ones.
        plain: whether what is sent is not encrypted: then only to these networks.

    Raises:
        AddressRefusedError: all addresses are refused.
        OSError: the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = [Place(family, address) for family, _, _, _, address in found]
    refused: dict[str, str] = {}
    allowed: list[Place] = []
    for place in places:
        why = refusal(place.ip, networks)
        if why is None and plain and not is_within(place.ip, networks):
            why = "is public, and http:// is not encrypted"
        if why is None:
            allowed.append(place)
        else:
            refused[str(place.ip)] = why
    if allowed:
        return allowed
    told = ", ".join(f"{ip} {why}" for ip, why in refused.items())
    raise AddressRefusedError(
        f"{host} is not sent to: {told}. If it is meant, allow its network with "
        f"webhook_networks=, such as '10.1.0.0/16'"
    )


def _why(address: Address) -> str | None:
    for network, why in _TABLE:
        if address.version == network.version and address in network:
            return why
    return None
