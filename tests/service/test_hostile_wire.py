"""A real server that is sent the worst, byte by byte: it answers, and keeps nothing of it.

`make test` sends 1,200 requests, and `make evidence` 120,000.
"""

import http.client
import json
from pathlib import Path

import pytest

from pubsub.server_process import ServerProcess, until
from service.malformed import Malformed
from service.wire import Wire

pytestmark = pytest.mark.anywhere

USUAL = 1_000


@pytest.fixture
def server(tmp_path):
    """A service with everything, in a process of its own."""
    made = ServerProcess(tmp_path / "log")
    script = str(Path(__file__).parent / "attacked.py")
    made.start(script, str(made.port), f"sqlite:///{tmp_path}/jobs.db")
    yield made
    made.stop()


def tell(server, method, path, body=None):
    """What the service answers to a request that fits, as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    assert answer.status < 300, told
    return json.loads(told)


def furnish(server):
    """Things to be found: ids of jobs and artifacts, and cursors; schedules and groups."""
    jobs, artifacts = [], []
    for _ in range(5):
        enqueued = tell(server, "POST", "/api/v1/tasks/add/$enqueue", {"params": {"a": 1}})
        saved = tell(server, "POST", "/api/v1/artifacts", {"data": [1]})
        jobs.append(enqueued["id"])
        artifacts.append(saved["id"])
    for name in ("add", "none"):
        body = {"name": name, "task": "none", "every": 86_400}
        tell(server, "POST", "/api/v1/schedules", body)
    pages = [
        tell(server, "GET", f"/api/v1/{kind}?limit=1")
        for kind in ("jobs", "artifacts", "schedules")
    ]
    return jobs, artifacts, [page["next"] for page in pages]


def test_a_server_stands_a_storm(server, stress_random, stress_requests):
    """No error of its own, each refusal a problem; no hang, no growth, nothing left open."""
    count = max(USUAL, stress_requests)
    wire = Wire(server.port, Malformed(stress_random, *furnish(server)))
    wire.send(count // 5)
    memory, opened = server.memory, server.sockets
    wire.send(count)
    grown = server.memory - memory
    until(lambda: server.sockets <= opened + 4)
    files = server.descriptors - server.sockets
    print(f"{wire.statuses}, slowest {wire.longest:.2f} s, {grown:.1f} MB more, {files} files")

    wrong = [f"{told} {status} {body}\n   {sent}" for told, status, body, sent in wire.wrong[:8]]
    assert not wrong, f"{len(wire.wrong)} answers:\n" + "\n".join(wrong)
    assert sum(wire.statuses.values()) == count // 5 + count
    assert wire.statuses.get(None, 0) < 0.1 * count
    assert wire.statuses[200] > 0.05 * count  # the other requests were not for nothing
    assert wire.longest < 10
    assert grown < 20
    assert files < 200  # threads that have read have the database open, some forty at most
    tell(server, "GET", "/api/v1/jobs")
