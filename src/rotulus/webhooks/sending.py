"""Sends one message: to an address that was checked, within a time, without redirects."""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from rotulus.errors import DeliveryError
from rotulus.webhooks.addresses import Network, Place, resolve
from rotulus.webhooks.urls import Target

TIMEOUT = 15.0
"""Seconds for one try, from the look-up of the name to the answer."""

_CONNECT = 5.0
"""Seconds after which another address of the host is tried, if there is one."""

_LONGEST_HEAD = 32 * 1024
_LONGEST_TEXT = 2000
"""The bytes that are read of the head of an answer, and of its text."""

_TEXT_WITHIN = 1.0
"""Seconds for the text of an answer, which is only shown."""


class Answer(NamedTuple):
    """The answer of a receiver.

    Attributes:
        status: its number, such as 200.
        headers: its headers, by names in lower case.
        text: the beginning of its text.
    """

    status: int
    headers: Mapping[str, str]
    text: str


class Sender:
    """Sends messages.

    The name of a host is looked up once, the addresses are checked, and the connection goes to one
    of these: a name that leads elsewhere a moment later changes nothing. Proxies of the
    environment are not used, as they would look it up again.

    Args:
        networks: where messages may be sent beside public addresses.
        monotonic: the clock, in seconds.
        timeout: seconds for one try.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        monotonic: Callable[[], float],
        timeout: float = TIMEOUT,
    ) -> None:
        self.networks = networks
        self._monotonic = monotonic
        self._timeout = timeout

    def send(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message; returns the answer, whatever it is.

        Args:
            target: where to.
            headers: headers beside those that every request has.
            body: JSON.

        Raises:
            DeliveryError: there was no answer; `AddressRefusedError`: nothing may be sent there.
        """
        end = self._monotonic() + self._timeout
        try:
            places = resolve(target.host, target.port, self.networks, plain=target.plain)
            with self._connected(places, target, end) as connection:
                connection.settimeout(self._left(end))
                connection.sendall(_request(target, headers, body))
                return self._answer(connection, end)
        except OSError as error:  # also that of a name, and of a certificate
            raise DeliveryError(
                f"{target.authority} cannot be reached: {self._told(error)}"
            ) from error

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _connected(self, places: Sequence[Place], target: Target, end: float) -> socket.socket:
        """Returns a connection to the first address that takes one."""
        for place in places[:-1]:
            try:
                return self._connect(place, target, min(self._left(end), _CONNECT))
            except TimeoutError:
                self._left(end)
            except ssl.SSLError:
                raise
            except OSError:
                continue
        return self._connect(places[-1], target, self._left(end))

    def _connect(self, place: Place, target: Target, seconds: float) -> socket.socket:
        plain = socket.socket(place.family, socket.SOCK_STREAM)
        try:
            plain.settimeout(seconds)
            plain.connect(place.address)
            if target.plain:
                return plain
            return self._tls.wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise

    def _answer(self, connection: socket.socket, end: float) -> Answer:
        read = b""
        while True:
            head, found, read = read.partition(b"\r\n\r\n")
            if not found:
                read = head + self._more(connection, end)
                if len(read) == len(head) or len(read) > _LONGEST_HEAD:
                    raise DeliveryError("The receiver did not answer in HTTP")
                continue
            status, headers = _read_head(head)
            if status >= 200:  # before it, there may be others that say: go on
                return Answer(status, headers, self._text(connection, read, headers, end))

    def _text(
        self, connection: socket.socket, read: bytes, headers: Mapping[str, str], end: float
    ) -> str:
        """Returns the beginning of the text, as far as it comes at once."""
        end = min(end, self._monotonic() + _TEXT_WITHIN)
        length = headers.get("content-length", "")
        most = min(int(length), _LONGEST_TEXT) if length.isdecimal() else _LONGEST_TEXT
        try:
            while len(read) < most:
                more = self._more(connection, end)
                if not more:
                    break
                read += more
        except OSError:
            pass
        chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        return (_joined(read) if chunked else read)[:most].decode(errors="replace")

    def _more(self, connection: socket.socket, end: float) -> bytes:
        connection.settimeout(self._left(end))
        return connection.recv(4096)

    def _left(self, end: float) -> float:
        """Returns the seconds that are left. Raises `TimeoutError`: none are."""
        left = end - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _told(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"it took longer than {self._timeout:g} seconds"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not good: {error.verify_message}"
        return error.strerror or str(error) or type(error).__name__


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}"]
    lines += ["Connection: close", "Content-Type: application/json", "Accept: */*"]
    lines += [f"Content-Length: {len(body)}", "User-Agent: Rotulus-Webhooks/1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    number = rest[:3]
    if not version.startswith("HTTP/1.") or not (number.isascii() and number.isdecimal()):
        raise DeliveryError("The receiver did not answer in HTTP")
    pairs = (line.partition(":") for line in lines)
    return int(number), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _joined(chunks: bytes) -> bytes:
    """The content of what comes in chunks, as far as it is there."""
    content = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        content += chunks[:length]
        chunks = chunks[length + 2 :]
    return content
