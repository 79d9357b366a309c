"""Listens to server-sent events, as a browser does."""

import json
import socket
from typing import NamedTuple

PATIENCE = 30


class Event(NamedTuple):
    """An event as it was sent: its fields; of a comment, its text."""

    id: str | None = None
    kind: str | None = None
    data: dict | None = None
    retry: str | None = None
    comment: str | None = None


class Listener:
    """A client of a stream, on a connection of its own.

    Attributes:
        status: the status of the answer.
        headers: its headers, by their names in small letters.
        last_id: the last id that was told, as a browser keeps it.
        pieces: in how many pieces the body has come.
    """

    def __init__(self, address, path, headers=()):
        self._socket = socket.create_connection(address, timeout=PATIENCE)
        asked = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
        self._socket.sendall("\r\n".join(asked).encode())
        self._lines = self._socket.makefile("rb")
        self.status = int(self._lines.readline().split()[1])
        self.headers = dict(self._head())
        self.last_id = None
        self.pieces = 0
        self._events = self._read()

    def body(self):
        """The JSON of an answer that is no stream."""
        return json.loads(self._lines.read(int(self.headers["content-length"])))

    def events(self):
        """Each event and comment that comes from now on, until the stream ends."""
        return self._events

    def told(self):
        """Each event that has data, which is what programs are told."""
        return (event for event in self._events if event.data)

    def _read(self):
        fields = {}
        for line in self._text():
            name, _, value = line.partition(": ") if not line.startswith(":") else ("", "", line)
            if line:
                known = {"event": "kind", "": "comment"}.get(name, name)
                fields[known] = json.loads(value) if name == "data" else value
            elif fields:
                self.last_id = fields.get("id", self.last_id)
                yield Event(**fields)
                fields = {}

    def close(self):
        """Go away."""
        self._lines.close()
        self._socket.close()

    def _head(self):
        while line := self._lines.readline().strip():
            name, _, value = line.decode().partition(": ")
            yield name.lower(), value

    def _text(self):
        """The lines of a body that comes in chunks."""
        rest = ""
        while size := int(self._lines.readline() or b"0", 16):
            rest += self._lines.read(size).decode()
            self.pieces += 1
            self._lines.readline()
            *lines, rest = rest.split("\n")
            yield from lines
