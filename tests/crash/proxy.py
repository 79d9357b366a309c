"""A way to a PostgreSQL server that can be cut, and that can keep notifications to itself."""

import socket
import threading
from contextlib import suppress

NOTIFICATION = b"A"
"""The type of the message by which the server tells what somebody has notified."""


class Proxy:
    """Listens on a port of its own, and hands everything on.

    Args:
        port: where the server listens.

    Attributes:
        deaf: whether notifications are dropped on the way.
    """

    def __init__(self, port):
        self.deaf = False
        self._target = port
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Close all connections."""
        while self._sockets:
            with suppress(OSError):
                self._sockets.pop().shutdown(socket.SHUT_RDWR)

    def close(self):
        """Close all connections, and take no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for act, source, sink in (
                    (self._upward, client, server),
                    (self._downward, server, client),
                ):
                    threading.Thread(target=self._hand, args=(act, source, sink)).start()

    def _hand(self, act, source, sink):
        with suppress(OSError):
            act(source, sink)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    def _upward(self, client, server):
        while data := client.recv(65_536):
            server.sendall(data)

    def _downward(self, server, client):
        """Message by message: a byte that says what it is, four for its length, the rest."""
        with server.makefile("rb") as stream:
            while head := stream.read(5):
                body = stream.read(int.from_bytes(head[1:], "big") - 4)
                if not (self.deaf and head[:1] == NOTIFICATION):
                    client.sendall(head + body)
