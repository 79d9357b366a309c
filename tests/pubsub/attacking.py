"""Sends what is wrong over a socket: to a server, which has to answer."""

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from pubsub.malformed import Malformed

AT_ONCE = 4
REQUEST_LINES = [
    b"POST /tasks/pubsub/ HTTP/1.0", b"POST /tasks/pubsub/?a=%ff HTTP/1.1", b"POST /tasks/tick HTTP/1.1",
    b"PUT /tasks/pubsub/ HTTP/1.1", b"POST /tasks/pubsub/\xff HTTP/1.1", b"POST", b"\x16\x03\x01",
    b"POST /tasks/pubsub/ HTTP/9.9", b"GET /tasks/pubsub/ HTTP/1.1",
]  # fmt: skip
USUAL = b"POST /tasks/pubsub/ HTTP/1.1"


class Attack:
    """Sends malformed requests to a port of this machine.

    Attributes:
        statuses: what was answered, in no order; None: the connection was closed without an answer.
        longest: how many seconds the longest answer took.
    """

    def __init__(self, port, random):
        self._port, self._random = port, random
        self._malformed = Malformed(random)
        self.statuses, self.longest = [], 0.0

    def send(self, count):
        """Send so many, several at once."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for status, seconds in threads.map(self._ask, map(self._draw, range(count))):
                self.statuses.append(status)
                self.longest = max(self.longest, seconds)

    def send_measured(self, count, server):
        """Send a fifth to warm the server up, and then so many; by how many MB it has grown."""
        self.send(count // 5)
        before = server.memory
        self.send(count)
        return server.memory - before

    def check(self, grown):
        """No answer was an error of ours or slow, most came, and memory did not grow."""
        assert {status for status in self.statuses if status and status >= 500} == set()
        assert self.statuses.count(None) < 0.2 * len(self.statuses)
        assert self.longest < 5
        assert grown < 20

    def _draw(self, _):
        request = self._malformed.draw()
        line = self._random.choice(REQUEST_LINES) if self._random.random() < 0.1 else USUAL
        headers = [f"{name}: {value}".encode("latin-1") for name, value in request.headers]
        frame, body, is_whole = self._framed(request.body)
        words = [line, b"Host: 127.0.0.1", b"Connection: close", *frame, *headers, b"", body]
        return b"\r\n".join(words), is_whole

    def _framed(self, body):
        """The headers that say how long a body is, the body, and whether they fit."""
        length = b"Content-Length: %d"
        drawn = self._random.random()
        if drawn < 0.9:
            return [length % len(body)], body, True
        if drawn < 0.95:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return [b"Transfer-Encoding: chunked"], chunk + b"0\r\n\r\n", True
        wrong = [
            length % (len(body) + 9),
            length % (len(body) // 2),
            b"Content-Length: many",
            b"A: b",
        ]
        return [self._random.choice(wrong)], body, False

    def _ask(self, drawn):
        raw, is_whole = drawn
        begin = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            try:
                connection.sendall(raw)
                if not (is_whole and b" HTTP/" in raw[:60]):
                    connection.shutdown(socket.SHUT_WR)  # else the rest would be waited for
            except OSError:
                pass  # what is too large is not read to its end
            status = _status(connection)
        return status, time.perf_counter() - begin


def _status(connection):
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
        answer.read()
    except (http.client.HTTPException, ConnectionError):
        return None
    return answer.status
