"""Clients that read: pages one after the other, and listeners that are told of changes."""

import asyncio
import json
import time

import contender
from load import port_of_server

OPENED_AT_ONCE = 50
"""How many listeners connect at a time."""

PATIENCE = 30
"""Seconds for all listeners to hear of a change."""


async def read_pages(path, count):
    """Read so many pages, each from where the one before ended; the milliseconds of each."""
    port = await port_of_server()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken, separator = [], "&" if "?" in path else "?"
    after = ""
    for _ in range(count):
        began = time.perf_counter()
        answer = await _get(reader, writer, port, f"{path}{after}")
        taken.append((time.perf_counter() - began) * 1000)
        following = json.loads(answer).get("next")
        after = f"{separator}after={following}" if following else ""
    writer.close()
    return taken


async def _get(reader, writer, port, path):
    """The body of an answer, which has to be a 200 with its length."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200 "):
        raise RuntimeError(f"{path}: {head.decode()}{body.decode()}")
    return body


class Listeners:
    """Connections to the stream of changes, and what has been heard on each."""

    def __init__(self):
        self._heard = {}
        self._everybody = asyncio.Event()
        self._wanted, self._missing = b"", 0
        self._tasks = []

    async def open(self, count):
        """Connect as many, and return when each has the beginning of its stream."""
        port = await port_of_server()
        for opened in range(0, count, OPENED_AT_ONCE):
            more = range(min(OPENED_AT_ONCE, count - opened))
            pairs = await asyncio.gather(*(self._one(port) for _ in more))
            self._tasks += [asyncio.create_task(self._listen(reader)) for reader in pairs]

    async def hear(self, said, enqueue):
        """Enqueue a job, and wait until all have heard of it; the milliseconds of that."""
        began = time.perf_counter()
        self._wanted, self._missing = b"", len(self._tasks)
        self._everybody.clear()
        self._wanted = (await enqueue(said)).encode()
        async with asyncio.timeout(PATIENCE):
            await self._everybody.wait()
        return (time.perf_counter() - began) * 1000

    async def _one(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = ["GET /api/v1/changes HTTP/1.1", f"Host: 127.0.0.1:{port}", "", ""]
        writer.write("\r\n".join(lines).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.decode())
        await reader.readuntil(b"retry: ")
        self._heard[reader] = writer  # it is closed when nobody holds it
        return reader

    async def _listen(self, reader):
        told, waited_for = b"", b""
        while more := await reader.read(65_536):
            told = (told + more)[-65_536:]
            if self._wanted and self._wanted != waited_for and self._wanted in told:
                waited_for, told = self._wanted, b""
                self._missing -= 1
                if not self._missing:
                    self._everybody.set()
        raise RuntimeError("a stream has ended")


def wait_for_go():
    """Wait until the program that measures says so."""
    while not contender.GO.exists():
        time.sleep(0.05)
