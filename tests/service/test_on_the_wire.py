"""On a real server, byte by byte: half requests, lies about lengths, and clients that go away."""

import asyncio
import json
import socket
import threading
import time

import pytest
import uvicorn

from service.asking import Answer, complaint
from service.rich import rich_app, rich_service

REQUESTS = 300
PATIENCE = 20


class Running:
    """A service on a real server, in a thread of its own."""

    def __init__(self, service):
        self.service = service
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()
        config = uvicorn.Config(service, log_config=None, timeout_graceful_shutdown=5)
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self._listening]}
        )
        self._thread.start()

    def stop(self):
        """Stop it."""
        self.server.should_exit = True
        self._thread.join()
        self._listening.close()

    def send(self, *parts, shut=True):
        """All that the server answers to some bytes."""
        with socket.create_connection(self.address, timeout=PATIENCE) as client:
            try:
                for part in parts:
                    client.sendall(part)
                if shut:
                    client.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has heard enough, and has answered
            return self._heard(client)

    def _heard(self, client):
        heard = b""
        try:
            while part := client.recv(65_536):
                heard += part
        except ConnectionResetError:
            pass
        return heard

    def ask(self, method, path, told=None):
        """The answer to a request that fits."""
        body = b"" if told is None else json.dumps(told).encode()
        return answer_of(self.send(request(method, path, body), shut=False))

    def left(self):
        """What the server holds: its requests, its connections, and those to its database."""
        state = self.server.server_state
        engines = self.service.state.rotulus.database._engines.values()
        used = sum(opened.engine.pool.checkedout() for opened in engines)
        return len(state.tasks), len(state.connections), used

    def settle(self):
        """Wait until the server holds nothing."""
        end = time.monotonic() + PATIENCE
        while self.left() != (0, 0, 0):
            assert time.monotonic() < end, self.left()
            threading.Event().wait(0.02)


def request(method, path, body=b"", *headers, version="1.1"):
    """A request as it is sent; the connection is closed behind it."""
    lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", "Connection: close"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def answer_of(heard):
    """The first answer in what was heard."""
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (ln.partition(":") for ln in lines)
    }
    if "content-length" in headers:
        body = body[: int(headers["content-length"])]
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(body.split(b"\r\n")[1::2])
    return Answer(int(first.split()[1]), headers, body)


@pytest.fixture
def running():
    """A service with rich tasks, in memory."""
    app = rich_app("sqlite://")
    made = Running(rich_service(app))
    yield made
    made.stop()
    app.close()


ADD = request("POST", "/api/v1/tasks/add/$execute", b'{"params": {"a": 1}}')
HEAD, BODY = ADD.split(b"\r\n\r\n")
SAVE = request("POST", "/api/v1/artifacts", b'{"data": [1]}')


def mutated(random):
    """A request of which a few bytes are others, are gone, or are there twice."""
    usual = [ADD, SAVE, request("GET", "/api/v1/jobs?limit=5"), request("GET", "/api/v1/tasks")]
    raw = bytearray(random.choice(usual))
    for _ in range(random.randint(1, 5)):
        place = random.randrange(len(raw))
        piece = random.choice(
            [b"\0", b"\r\n", b"\n", b" ", b"%", b"\xff", b":", random.randbytes(3)]
        )
        how = random.random()
        if how < 0.4:
            raw[place : place + 1] = piece
        elif how < 0.7:
            raw[place:place] = piece
        else:
            del raw[place : place + random.randint(1, 20)]
    return bytes(raw)


LIES = {
    "nothing": b"",
    "no request": b"\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "half a line": b"GET /api/v1/jo",
    "half a head": HEAD,
    "a length that is too long": ADD.replace(b"Content-Length: 20", b"Content-Length: 99"),
    "a length that is too short": ADD.replace(b"Content-Length: 20", b"Content-Length: 9"),
    "two lengths": ADD.replace(b"Content-Length: 20", b"Content-Length: 20\r\nContent-Length: 9"),
    "a length below zero": ADD.replace(b"Content-Length: 20", b"Content-Length: -1"),
    "length and chunks": ADD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "half a chunk": HEAD.replace(b"Content-Length: 20", b"Transfer-Encoding: chunked")
    + b"\r\n\r\n14\r\n{",
    "a chunk of no size": HEAD.replace(b"Content-Length: 20", b"Transfer-Encoding: chunked")
    + b"\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk of great size": HEAD.replace(b"Content-Length: 20", b"Transfer-Encoding: chunked")
    + b"\r\n\r\nffffffffffffffffffff\r\n",
    "a header that is huge": request("GET", "/", b"", "X: " + "x" * 200_000),
    "headers without number": request("GET", "/", b"", *(f"X{n}: 1" for n in range(5_000))),
    "a path that is huge": request("GET", "/" + "a" * 200_000),
    "NUL in a path": request("GET", "/api\0/v1/jobs"),
    "NUL in a header": request("GET", "/", b"", "X: a\0b"),
    "percent and nothing": request("GET", "/api/v1/jobs/%"),
    "percent and no digits": request("GET", "/api/v1/jobs/%zz?after=%zz"),
    "percent and no text": request("GET", "/api/v1/jobs/%ff%fe?task=%ff"),
    "NUL by percent": request("GET", "/api/v1/tasks/add%00?tag=%00"),
    "HTTP/1.0": request("GET", "/api/v1/tasks", version="1.0"),
    "HTTP/1.0 without a host": b"GET /api/v1/tasks HTTP/1.0\r\n\r\n",
    "HTTP/9.9": request("GET", "/", version="9.9"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": request("GET", "/api/v1/tasks", b"", "Host: evil.example"),
    "a whole address": request("GET", "http://evil.example/api/v1/tasks"),
    "an address to connect to": request("CONNECT", "evil.example:443"),
    "a star": request("OPTIONS", "*"),
    "a fold": request("GET", "/", b"", "X: a", " b"),
    "an upgrade": request("GET", "/", b"", "Upgrade: websocket", "Sec-WebSocket-Key: x"),
    "expectations": request("POST", "/api/v1/tasks/add/$execute", b"{}", "Expect: 100-continue"),
    "requests in a row": ADD.replace(b"Connection: close\r\n", b"") * 20,
    "a request, and no request": ADD.replace(b"Connection: close\r\n", b"") + b"\0\0\0\r\n\r\n",
}


def check(heard, sent):
    """An answer of the server's own to what is no HTTP, or one of the service."""
    if not heard:
        return None  # it had nothing to answer to
    answer = answer_of(heard)
    if answer.status in (400, 431) and answer.headers["content-type"].startswith("text/plain"):
        return None
    return complaint(answer) if answer.status != 100 else None


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_request_is_answered_and_forgotten(running, lie):
    """Soon, and the next one is served as ever."""
    wrong = check(running.send(LIES[lie]), LIES[lie])
    running.settle()

    assert wrong is None
    assert (
        2 == running.ask("POST", "/api/v1/tasks/add/$execute", {"params": {"a": 1}}).told["result"]
    )


def test_bytes_of_which_some_are_others_do_no_harm(running, stress_random):
    """Whatever has become of the request."""
    running.ask("GET", "/health")
    running.settle()
    threads = threading.active_count()
    wrong = []
    for _ in range(REQUESTS):
        sent = mutated(stress_random)
        told = check(running.send(sent), sent)
        if told:
            wrong.append((told, sent))
    running.settle()

    assert [] == wrong[:5]
    assert threading.active_count() <= threads + 8  # pools of a bounded size
    assert 200 == running.ask("GET", "/health").status


def start(running, sent, *, heard):
    """A client that has sent something, perhaps hears how the answer begins, and stays."""
    client = socket.create_connection(running.address, timeout=PATIENCE)
    client.sendall(sent)
    if heard:
        assert client.recv(12) == b"HTTP/1.1 200"
    return client


def go_away_within(running, make, until):
    """Many clients begin something, and are gone as soon as the server is about it."""
    for hard in (False, True):
        clients = [make() for _ in range(10)]
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, running.left()
            threading.Event().wait(0.02)
        for client in clients:
            if hard:  # a reset instead of an end
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        running.settle()


@pytest.mark.parametrize("what", ["stream", "wait", "upload", "download"])
def test_clients_that_go_away_leave_nothing_behind(running, what):
    """No request, no connection of either side, no coroutine, and no thread that grows in number."""
    stored = running.ask("POST", "/api/v1/tasks/add/$enqueue", {"params": {"a": 1}}).told["id"]
    saved = running.ask("POST", "/api/v1/artifacts", {"data": "x" * 1_000_000}).told["id"]
    wait = request("POST", "/api/v1/tasks/add/$enqueue", b'{"params": {"a": 1}}', "Prefer: wait=60")
    upload = request("POST", "/api/v1/artifacts", b"", "Content-Length: 999999") + b"x" * 9_000
    sent = {
        "stream": request("GET", f"/api/v1/jobs/{stored}/$stream"),
        "wait": wait,
        "upload": upload,
        "download": request("GET", f"/api/v1/artifacts/{saved}/$download"),
    }[what]
    running.settle()
    before = coroutines(running)

    def begin():
        return start(running, sent, heard=what in ("stream", "download"))

    def under_way():
        return what == "download" or running.left()[0] == 10

    go_away_within(running, begin, under_way)
    threads = threading.active_count()
    go_away_within(running, begin, under_way)

    assert coroutines(running) == before
    assert threading.active_count() <= threads + 8
    assert 200 == running.ask("GET", "/health").status


def coroutines(running):
    """What the loop of the server runs, apart from requests."""
    (loop,) = running.service.state.rotulus.database._engines
    names = asyncio.run_coroutine_threadsafe(_names(), loop).result(PATIENCE)
    return sorted(names)


async def _names():
    here = asyncio.current_task()
    return [task.get_coro().__qualname__ for task in asyncio.all_tasks() if task is not here]
