"""A client that keeps connections busy: as light as it can be, since it shares the machine."""

import asyncio
import time

import contender

PATIENCE = 30
"""Seconds for a server to begin."""

WARM = 0.5
"""Seconds of requests that do not count."""


async def load(path, body, connections, seconds):
    """Send a request again and again on each of so many connections; answers a second.

    Every answer has to be a success, or the figure is none.
    """
    port = await port_of_server()
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
    request = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    await _exchange(pairs, request, WARM)
    began = time.perf_counter()
    answers = await _exchange(pairs, request, seconds)
    return answers / (time.perf_counter() - began)


async def each(requests):
    """Send requests one after the other on one connection; the milliseconds of each.

    Args:
        requests: their paths, headers and bodies. Every answer has to be a 200.
    """
    port = await port_of_server()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for path, headers, body in requests:
        told = {"Host": f"127.0.0.1:{port}", **headers, "Content-Length": len(body)}
        head = "\r\n".join([f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in told.items())])
        request = f"{head}\r\n\r\n".encode() + body
        began = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        text = await reader.readexactly(_length(answer))
        taken.append((time.perf_counter() - began) * 1000)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{answer.decode()}{text.decode()}")
    return taken


async def _exchange(pairs, request, seconds):
    end = time.perf_counter() + seconds

    async def keep_busy(reader, writer):
        answers = 0
        while time.perf_counter() < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            if not head.startswith(b"HTTP/1.1 20") or b'"error":null' not in body:
                raise RuntimeError(f"{head.decode()}{body.decode()}")
            answers += 1
        return answers

    return sum(await asyncio.gather(*(keep_busy(*pair) for pair in pairs)))


def _length(head):
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])


def address_of_server():
    """Where the server is, once it accepts connections."""
    return f"http://127.0.0.1:{asyncio.run(port_of_server())}"


async def port_of_server():
    """The port of the server, once it accepts connections."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            port = int(contender.PORT.read_text())
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except (FileNotFoundError, ValueError, ConnectionError):
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return port
