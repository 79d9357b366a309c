"""One message is sent: to the address that was checked, within a time, without redirects."""

import datetime as dt
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rotulus.errors import AddressRefusedError, DeliveryError
from rotulus.webhooks.sending import Sender
from rotulus.webhooks.urls import read_url

LOOPBACK = [ip_network("127.0.0.0/8")]
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@contextmanager
def serving(*parts, context=None, every=0.0, closes=True, port=0):
    """A server that answers each connection with some bytes, part by part; what it got."""
    got, over = [], threading.Event()
    listening = socket.create_server(("127.0.0.1", port))
    listening.settimeout(0.05)

    def answer(connection):
        with connection:
            try:
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                got.append(connection.recv(65536))
                for part in parts:
                    connection.sendall(part)
                    if every and over.wait(every):
                        return
                if not closes:
                    over.wait(20)
                connection.close()
            except OSError:
                pass

    def accept():
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            connection.settimeout(10)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listening.getsockname()[1], got
    finally:
        over.set()
        thread.join()
        listening.close()


def send(port, *, timeout=5.0, body=b"{}", scheme="http", host="127.0.0.1", networks=LOOPBACK):
    """Send a message."""
    target = read_url(f"{scheme}://{host}:{port}/in?a=b", plain=True)
    return Sender(networks, time.monotonic, timeout).send(target, {"webhook-id": "msg_1"}, body)


def test_a_message_is_a_plain_post():
    """With its length, its headers, and nothing of ours that tells on us."""
    with serving(OK) as (port, got):
        answer = send(port, body=b'{"a":"\xc3\xa9"}')

    head, _, body = got[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert (204, "") == (answer.status, answer.text)
    assert "POST /in?a=b HTTP/1.1" == lines[0]
    assert {
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "webhook-id: msg_1",
    } <= set(lines)
    assert "Content-Length: 10" in lines
    assert b'{"a":"\xc3\xa9"}' == body


@pytest.mark.parametrize(
    ("parts", "status", "text"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello"], 200, "he"),
        ([b"HTTP/1.0 500 Oh\r\n\r\n", b"no", b" way"], 500, "no way"),
        (
            [
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHT",
                b"TP/1.1 201 C\r\n\r\n",
            ],
            201,
            "",
        ),
        (
            [
                b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\noh n\r\n2\r\no!\r\n0\r\n\r\n"
            ],
            400,
            "oh no!",
        ),
        ([b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"], 400, ""),
        ([b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n"], 302, ""),
        ([b"HTTP/1.1 404\r\n\r\n\xff\xfe"], 404, "\ufffd\ufffd"),
    ],
)
def test_the_answer_is_what_the_receiver_says(parts, status, text):
    """In one piece or in several; a redirect is not followed."""
    with serving(*parts) as (port, got):
        answer = send(port)

    assert (status, text) == (answer.status, answer.text)
    assert 1 == len(got)


def test_of_a_long_text_the_beginning_is_read():
    """And nothing is waited for after that."""
    with serving(b"HTTP/1.1 500 Oh\r\n\r\n" + b"x" * 1_000_000, closes=False) as (port, _):
        answer = send(port)

    assert "x" * 2000 == answer.text


def test_a_text_that_does_not_come_is_not_waited_for():
    """The answer has been given."""
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok", closes=False) as (port, _):
        began = time.monotonic()
        answer = send(port)

    assert (200, "ok") == (answer.status, answer.text)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"SSH-2.0-OpenSSH\r\n\r\n"],
        [b"HTTP/1.1 abc\r\n\r\n"],
        [b"HTTP/1.1 200"],
        [b"x" * 100_000],
        [b"HTTP/1.1 2\xb20\r\n\r\n"],
    ],
)
def test_what_is_no_answer_is_told(parts):
    """In words that do not repeat it."""
    with serving(*parts) as (port, _), pytest.raises(DeliveryError, match=r"HTTP|reached"):
        send(port)


@pytest.mark.parametrize(
    ("parts", "every"),
    [
        ((), 0.0),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X-Slow: 1\r\n"] * 100], 0.1),
        ([b"HTTP/1.1 100 C\r\n\r\n"] * 100, 0.1),
    ],
)
def test_the_time_is_for_all_of_it(parts, every):
    """Also for a receiver that answers a little now and then."""
    with serving(*parts, every=every, closes=False) as (port, _):
        began = time.monotonic()
        with pytest.raises(DeliveryError, match=r"longer than 0.5 seconds"):
            send(port, timeout=0.5)

    assert time.monotonic() - began < 3


def test_a_receiver_that_is_not_there_is_told():
    """As the system says it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DeliveryError, match=f"127.0.0.1:{port} cannot be reached: .*refused"):
        send(port)


def test_a_name_that_leads_nowhere_is_told(monkeypatch):
    """Before anything is sent."""

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DeliveryError, match=r"no\.example:80 cannot be reached: Name or service"):
        Sender((), time.monotonic).send(read_url("https://no.example:80", plain=False), {}, b"")


def leading_to(monkeypatch, *addresses):
    """Have a name lead to one address after the other; how often it was looked up."""
    asked = []

    def look_up(host, port, **_):
        asked.append(host)
        found = addresses[min(len(asked), len(addresses)) - 1]
        found = [found] if isinstance(found, str) else found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_leads_elsewhere_a_moment_later_changes_nothing(monkeypatch):
    """It is looked up once, and the connection goes to what was checked."""
    with serving(OK) as (port, got):
        asked = leading_to(monkeypatch, "127.0.0.1", "10.0.0.1")
        assert 204 == send(port, host="rebound.example").status
        with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1 is of a private network"):
            send(port, host="rebound.example")

    assert ["rebound.example"] * 2 == asked
    assert 1 == len(got)
    assert f"Host: rebound.example:{port}".encode() in got[0]


def test_another_address_of_a_name_is_tried(monkeypatch):
    """Where the first one takes no connection."""
    with serving(OK) as (port, _):
        leading_to(monkeypatch, ["127.9.9.9", "127.0.0.1"])

        assert 204 == send(port, host="two.example").status


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """Has the system trust a certificate for receiver.example; the context of its server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("receiver.example")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    text = made.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, plain[1], plain[0])
    (tmp_path / "both.pem").write_bytes(text + secret)
    (tmp_path / "trusted.pem").write_bytes(text)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


def test_an_encrypted_message_goes_to_the_name_of_the_certificate(certificate, monkeypatch):
    """Though the connection goes to an address."""
    leading_to(monkeypatch, "127.0.0.1")
    with serving(OK, context=certificate) as (port, got):
        assert 204 == send(port, scheme="https", host="receiver.example").status
        with pytest.raises(DeliveryError, match="certificate is not good: Hostname mismatch"):
            send(port, scheme="https", host="other.example")

    assert [True] == [one.startswith(b"POST /in") for one in got]


def test_a_receiver_that_does_not_shake_hands_takes_no_longer_than_the_time(monkeypatch):
    """It takes the connection, and says nothing."""
    leading_to(monkeypatch, "127.0.0.1")
    with serving(closes=False) as (port, _):
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="longer than 0.3 seconds"):
            send(port, scheme="https", host="silent.example", timeout=0.3)

    assert time.monotonic() - began < 3
