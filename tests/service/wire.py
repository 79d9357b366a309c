"""Sends malformed requests over sockets to a service, and holds its answers to what it promises."""

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from service.asking import Answer, complaint

AT_ONCE = 4
DRAWN = 200
PATIENCE = 20
WAITED = 2
"""Seconds for which an answer is waited for where the request itself asks the server to wait."""

SERVERS_OWN = b"Invalid HTTP request received."
"""What uvicorn itself answers to what is no HTTP, before any application sees it."""

STREAM = "text/event-stream"

HERE = {b"testserver": b"127.0.0.1", b"http://testserver": b"http://127.0.0.1"}
"""The names of the server where it is a real one."""


HANGS = Answer(599, {}, b"no answer came")


class Wire:
    """A client that sends what it is told to, byte by byte.

    Attributes:
        wrong: answers that are wrong: what is wrong, the status, the body, and the request.
        statuses: how often each status was answered; None: the connection was closed without one.
        longest: how many seconds the longest answer took.
    """

    def __init__(self, port, malformed):
        self._port, self._malformed = port, malformed
        self.wrong, self.statuses, self.longest = [], {}, 0.0

    def send(self, count):
        """Send so many malformed requests, several at once."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for first in range(0, count, DRAWN):
                drawn = [self._malformed.draw() for _ in range(min(DRAWN, count - first))]
                for sent, answer, seconds in threads.map(self._ask, drawn):
                    self._note(sent, answer, seconds)

    def _note(self, sent, answer, seconds):
        status = answer and answer.status
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.longest = max(self.longest, seconds)
        if answer is None or (status == 400 and answer.body == SERVERS_OWN):
            return
        told = complaint(answer, sent.method, sent.path.partition(b"?")[0])  # the query follows it
        if told:
            self.wrong.append((told, status, answer.body[:500], sent))

    def _ask(self, sent):
        begin = time.perf_counter()
        waits = b"prefer" in dict(sent.headers)
        patience = WAITED if waits else PATIENCE
        with closing(socket.create_connection(("127.0.0.1", self._port), patience)) as connection:
            try:
                connection.sendall(_bytes_of(sent))
                if not _is_framed(sent):
                    connection.shutdown(socket.SHUT_WR)  # else the rest would be waited for
            except OSError:
                pass  # what is too large is not read to its end
            answer = _answer(connection, sent.method)
        if waits and answer is HANGS:
            answer = None  # it was asked to wait, and this client has gone away
        return sent, answer, time.perf_counter() - begin


def _is_framed(sent):
    """Whether a server knows where the request ends."""
    names = {name for name, _ in sent.headers}
    return sent.whole and not names & {b"content-length", b"transfer-encoding", b"upgrade"}


def _bytes_of(sent):
    """A request as it goes over the wire; a client that goes away sends half of the body."""
    target = sent.encoded_path.encode() + (b"?" + sent.query if sent.query else b"")
    lines = [b"%b %b HTTP/1.1" % (sent.method.encode("latin-1"), target), b"Connection: close"]
    names = {name for name, _ in sent.headers}
    if sent.body and not names & {b"content-length", b"transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(sent.body))
    lines += [b"%b: %b" % (name, HERE.get(value, value)) for name, value in sent.headers]
    body = sent.body if sent.whole else sent.body[: len(sent.body) // 2]
    return b"\r\n".join([*lines, b"", body])


def _answer(connection, method):
    """What is answered; of a stream its headers, and then the client goes away."""
    answer = http.client.HTTPResponse(connection, method=method if method == "HEAD" else "GET")
    try:
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        is_stream = headers.get("content-type", "").startswith(STREAM)
        body = b"" if is_stream else answer.read()
    except (http.client.HTTPException, ConnectionError):
        return None
    except TimeoutError:
        return HANGS
    return Answer(answer.status, headers, body)
