"""A receiver of webhooks, on a real port: it keeps what it gets, and answers what a test says."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from rotulus.webhooks import verify

LOOPBACK = ["127.0.0.0/8"]
"""The networks in which receivers of tests are."""


class Received(NamedTuple):
    """A request: its headers in lower case, its body, and its path."""

    headers: dict
    body: bytes
    path: str


class Answer(NamedTuple):
    """What is answered."""

    status: int = 204
    headers: dict | None = None
    text: str = ""


class Receiver:
    """Takes requests; `answers` are given one after the other, and then `usual`."""

    def __init__(self):
        self.received = []
        self.answers = []
        self.usual = Answer()
        self._came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = receiver._take(
                    Received({k.lower(): v for k, v in self.headers.items()}, body, self.path)
                )
                self.send_response(answer.status)
                for name, value in (answer.headers or {}).items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.text)))
                self.end_headers()
                self.wfile.write(answer.text.encode())

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self):
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/hooks?from=us"

    @contextmanager
    def running(self):
        """It is there for the length of a block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def messages(self, *secrets, now=None):
        """What came, verified: the type of each, and its data."""
        told = [verify(one.body, one.headers, *secrets, now=now) for one in self.received]
        return [(one["type"], one["data"]) for one in told]

    def wait_for(self, count, seconds=20.0):
        """Wait until so many requests have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, seconds), self.received

    def _take(self, request):
        with self._came:
            self.received.append(request)
            self._came.notify_all()
            return self.answers.pop(0) if self.answers else self.usual
