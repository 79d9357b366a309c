"""Pushes over FastAPI, on a real server, with the tokens of Google."""

import http.client
import json
import socket
from pathlib import Path

import pytest
from fastapi import FastAPI

from pubsub.attacking import Attack
from pubsub.listening import listening, opened
from pubsub.pushing import envelope
from pubsub.served import Service
from pubsub.server_process import ServerProcess
from rotulus.pubsub import TokenVerifier, make_push_router


@pytest.fixture
def service(registry, verified_settings):
    """A service that checks tokens."""
    verifier = TokenVerifier.from_settings(verified_settings)
    made = Service("sqlite://", registry, verified_settings, verifier)
    yield made
    made.app.close()


@pytest.fixture
def port(service):
    """Where it listens."""
    application = FastAPI()
    application.include_router(make_push_router(service.handler))
    with listening(application, opened()) as port:
        yield port


@pytest.fixture
def post(port, signer):
    """Posts a body with the right token; its status and text."""

    def post(body, path="/tasks/pubsub/", method="POST", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        told = {"Authorization": f"Bearer {signer.token()}"} | headers
        connection.request(method, path, body, {n.replace("_", "-"): v for n, v in told.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    return post


@pytest.mark.anywhere
def test_what_is_malformed_is_answered_over_a_socket(tmp_path, stress_random, stress_requests):
    """Bodies, headers and framing: none is an error of ours, and memory does not grow."""
    server = ServerProcess(tmp_path / "log")
    script = str(Path(__file__).parent / "attacked.py")
    server.start(script, str(server.port), f"sqlite:///{tmp_path}/jobs.db")
    attack = Attack(server.port, stress_random)
    try:
        grown = attack.send_measured(stress_requests, server)
    finally:
        server.stop()

    attack.check(grown)


@pytest.mark.requirement("G-22")
def test_a_push_goes_to_tasks_pubsub(service, post):
    """POST only, there and with the slash."""
    service.add.enqueue(3, 4)
    request = service.carrier.push()

    assert (200, "OK") == post(request.body)
    assert [(3, 4)] == service.ran
    assert 405 == post(None, method="GET")[0]


@pytest.mark.requirement("G-25")
def test_a_request_without_the_right_token_gets_403(service, post, signer):
    """Whatever it says."""
    assert (403, "Unauthorized") == post(b"{}", Authorization="")
    assert (403, "Unauthorized") == post(b"{}", Authorization=f"Bearer {signer.token(aud='x')}")
    assert 403 == post(b"", path="/tasks/tick", Authorization="Bearer x.y.z")[0]
    assert [] == service.app.jobs.find()


def test_a_tick_goes_to_tasks_tick(post):
    """And tells what was done."""
    status, text = post(b"", path="/tasks/tick")

    assert 200 == status
    assert "published" in json.loads(text)
    assert 405 == post(None, path="/tasks/tick", method="GET")[0]


def test_a_body_in_pieces_is_read_and_one_without_an_end_is_not(service, post):
    """Chunked; and far more than a message may have."""
    body = json.dumps(envelope({"task_name": "add"})).encode()

    assert (200, "OK") == post(iter([body[:10], body[10:]]))
    assert (400, "Message too large") == post(b" " * 3_000_000)
    assert (400, "Invalid JSON") == post(b"\x1f\x8b", Content_Encoding="gzip")


def test_a_client_that_goes_away_half_way_is_forgotten(service, port, signer, post):
    """Nothing is run or kept of what it said."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"POST /tasks/pubsub/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
            b"Authorization: Bearer " + signer.token().encode() + b"\r\n\r\n{"
        )

    assert (400, "Invalid JSON") == post(b"{")
    assert 1 == len(service.app.jobs.find())


def test_two_tokens_in_two_headers_are_none(port, signer):
    """As they come in over a socket."""
    token = b"Authorization: Bearer " + signer.token().encode() + b"\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"POST /tasks/pubsub/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n" + token + token + b"\r\n{}"
        )
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 403")


def test_the_paths_are_not_in_the_document_of_the_application(service):
    """They are for Google; and may be elsewhere."""
    application = FastAPI()
    application.include_router(make_push_router(service.handler, push_path="/a", tick_path="/b"))

    assert {} == application.openapi()["paths"]
    paths = {route.path for route in make_push_router(service.handler, push_path="/a").routes}
    assert {"/a", "/tasks/tick"} == paths
