"""Where webhooks may be sent: public addresses, and the networks that are named."""

import socket
from ipaddress import ip_address, ip_network

import pytest

from rotulus.errors import AddressRefusedError, OptionError
from rotulus.webhooks.addresses import refusal, resolve
from rotulus.webhooks.urls import read_url

PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.15.0.1", "172.32.0.1", "192.167.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]  # fmt: skip

PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.3"),
    *("169.254.169.254", "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.0.1"),
    *("192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::127.0.0.1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fe80::1%1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "4000::1"),
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    """IPv4, IPv6, and IPv4 through IPv6."""
    assert refusal(ip_address(address), ()) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_are_refused(address):
    """Private, this machine, this link, many receivers, reserved, and IPv4 in other spellings."""
    assert refusal(ip_address(address), ())


def test_a_network_that_is_named_is_allowed_and_nothing_else_is():
    """Not the rest of the addresses of its kind."""
    networks = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]

    assert refusal(ip_address("10.1.2.3"), networks) is None
    assert refusal(ip_address("fd12::1"), networks) is None
    assert refusal(ip_address("10.2.0.1"), networks)
    assert refusal(ip_address("169.254.169.254"), networks)
    assert refusal(ip_address("::ffff:10.1.2.3"), networks)
    assert refusal(ip_address("64:ff9b::a01:203"), networks) is None


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]"]
)
def test_what_counts_is_where_a_name_leads(host):
    """However it is spelled."""
    with pytest.raises(AddressRefusedError, match="this machine") as refused:
        resolve(host.strip("[]"), 443, (), plain=False)

    assert "webhook_networks" in str(refused.value)


def test_a_name_that_leads_to_both_is_sent_to_the_public_address(monkeypatch):
    """The other one is never connected to."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("10.0.0.1", "1.1.1.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    assert [("1.1.1.1", 443)] == [p.address for p in resolve("mixed.example", 443, (), plain=False)]


def test_what_is_not_encrypted_is_sent_to_named_networks_only(monkeypatch):
    """`http://` to a public address is refused."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefusedError, match="not encrypted"):
        resolve("public.example", 80, [ip_network("10.0.0.0/8")], plain=True)

    assert resolve("public.example", 80, [ip_network("1.1.1.0/24")], plain=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", ("example.com", 443, "/", "example.com")),
        (
            "https://Example.COM:8443/a/b?c=d&e",
            ("example.com", 8443, "/a/b?c=d&e", "example.com:8443"),
        ),
        ("https://[2606:4700::1111]/x", ("2606:4700::1111", 443, "/x", "[2606:4700::1111]")),
        (
            "https://xn--bcher-kva.example?x=1",
            ("xn--bcher-kva.example", 443, "/?x=1", "xn--bcher-kva.example"),
        ),
    ],
)
def test_a_url_says_where_to(url, expected):
    """Host, port, path and what the header `Host` says."""
    assert expected == read_url(url, plain=False)[1:]


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com", "ftp://example.com", "example.com", "https://", "https:///path", "//example.com", ""),
        *("https://user:secret@example.com", "https://user@example.com", "https://example.com/#part"),
        *("https://example.com:0", "https://example.com:65536", "https://example.com:x", "https://[::1"),
        *("https://exa mple.com", "https://example.com/\r\nX: y", "https://bücher.example", "https://a\\b.com", "https://a%62.com"),
        *("https://example.com/" + "x" * 2000, None, 7, b"https://example.com"),
    ],
)  # fmt: skip
def test_any_other_url_is_refused_and_not_repeated(url):
    """It may hold a secret."""
    with pytest.raises(OptionError, match="url=") as refused:
        read_url(url, plain=False)

    assert "secret" not in str(refused.value)
    assert "example" not in str(refused.value).replace(
        "https://example.com/hooks", ""
    ) or isinstance(url, bytes)
