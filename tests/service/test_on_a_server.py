"""On a real server: bodies that are too large, and clients that go away."""

import asyncio
import json
import socket
import threading

import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request

from rotulus import task
from rotulus.service import install_problems, protect
from rotulus.service.bodies import read_json
from rotulus.service.guard import guard
from rotulus.service.prefer import await_job
from rotulus.service.problems import ProblemRoute


@pytest.fixture
def waits():
    """How the waits of requests have ended: how many coroutines were left each time."""
    return []


@pytest.fixture
def address(app, waits):
    """Where an application listens that reads bodies and waits for jobs."""
    job = task(name="add", registry=app.registry)(lambda a=1: a).enqueue()
    service, ended = FastAPI(), threading.Event()
    router = APIRouter(route_class=ProblemRoute, dependencies=[guard])

    @router.post("/read")
    async def read(request: Request):
        return await read_json(request)

    @router.post("/wait")
    async def wait(request: Request):
        await read_json(request)
        await await_job(job, 60.0, request)
        waits.append([t for t in asyncio.all_tasks() if "_gone" in repr(t.get_coro())])
        ended.set()

    service.include_router(router)
    install_problems(service)
    protect(service)
    listening = socket.create_server(("127.0.0.1", 0))
    ends = {"lifespan": "off", "timeout_graceful_shutdown": 5}
    server = uvicorn.Server(uvicorn.Config(service, log_config=None, **ends))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname(), ended
    server.should_exit = True
    thread.join()
    listening.close()


def head(path, *headers):
    """The beginning of a request with a JSON body."""
    usual = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*usual, *headers, "", ""]).encode()


def answer(connection):
    """The status and the document of an answer."""
    with connection.makefile("rb") as answers:
        status = int(answers.readline().split()[1])
        length = 0
        for line in answers:
            if line == b"\r\n":
                break
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, json.loads(answers.read(length))


def test_a_body_that_comes_in_chunks_is_read_no_further_than_its_limit(address):
    """However much is still to come: the answer is there before the client has sent it all."""
    with socket.create_connection(address[0], timeout=30) as client:
        client.sendall(head("/read", "Transfer-Encoding: chunked"))
        for _ in range(17):
            client.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        status, told = answer(client)

    assert (413, "body_too_large") == (status, told["code"])


def test_a_length_that_is_too_large_is_answered_at_once(address):
    """Before a byte of it has come."""
    with socket.create_connection(address[0], timeout=30) as client:
        client.sendall(head("/read", "Content-Length: 99999999999"))
        status, told = answer(client)

    assert (413, "body_too_large") == (status, told["code"])


def test_a_client_that_goes_away_in_its_body_does_no_harm(address, caplog):
    """The next one is answered, and the log has nothing to say."""
    with socket.create_connection(address[0], timeout=30) as client:
        client.sendall(head("/read", "Content-Length: 100") + b'{"a": ')
    with socket.create_connection(address[0], timeout=30) as client:
        client.sendall(head("/read", "Content-Length: 8") + b'{"a": 1}')
        assert (200, {"a": 1}) == answer(client)

    assert [] == [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_client_that_goes_away_while_it_waits_leaves_nothing_behind(address, waits):
    """Its request ends long before the minute that it wanted to wait."""
    with socket.create_connection(address[0], timeout=30) as client:
        client.sendall(head("/wait", "Content-Length: 2") + b"{}")
    assert address[1].wait(20)

    assert [[]] == waits
