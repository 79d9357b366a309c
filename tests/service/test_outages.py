"""A store that goes away under a service: 503, and when to ask again; it comes back by itself."""

import sqlite3
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest
from starlette.testclient import TestClient

from servers.postgres import QUICK, PostgresServer, usual
from service.rich import rich_app, rich_service

PATIENCE = 60
LONGEST = 30
ADD = {"params": {"a": 1}}


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server that may be stopped."""
    made = PostgresServer(usual(), tempfile.mkdtemp(prefix="rotulus-"), QUICK)
    made.start()
    yield made
    made.remove()


class Served:
    """A client of a service with a job and an artifact."""

    def __init__(self, client):
        self.client = client
        self.job = client.post("/api/v1/tasks/add/$enqueue", json=ADD).json()["id"]
        self.artifact = client.post("/api/v1/artifacts", json={"data": [1]}).json()["id"]

    def needs_store(self):
        """A request of each route that needs the store."""
        job, artifact = f"/api/v1/jobs/{self.job}", f"/api/v1/artifacts/{self.artifact}"
        return {
            **{("GET", path): None for path in (
                "/api/v1/jobs", job, f"{job}/$stream", "/metrics", "/api/v1/artifacts", artifact,
                f"{artifact}/$expand", f"{artifact}/$tree", f"{artifact}/$metadata",
                f"{artifact}/$download",
            )},
            **self.writes(),
        }  # fmt: skip

    def writes(self):
        """A request of each route that changes something there."""
        job, artifact = f"/api/v1/jobs/{self.job}", f"/api/v1/artifacts/{self.artifact}"
        return {
            ("POST", "/api/v1/tasks/add/$enqueue"): ADD,
            ("POST", "/api/v1/artifacts"): {"data": 1},
            ("POST", f"{job}/$cancel"): None,
            ("POST", f"{job}/$retry"): None,
            ("DELETE", job): None,
            ("DELETE", artifact): None,
        }

    def ask(self, asked, told):
        """The answer to one of them."""
        return self.client.request(*asked, json=told) if told else self.client.request(*asked)

    def check_away(self, requests):
        """Each is refused soon, with 503 and the time to ask again."""
        begun = time.monotonic()
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = pool.map(self.ask, requests.keys(), requests.values())
            found = {
                asked: (
                    answer.status_code,
                    answer.headers.get("content-type"),
                    "retry-after" in answer.headers,
                )
                for asked, answer in zip(requests, answers, strict=True)
            }
        assert time.monotonic() - begun < LONGEST
        right = (503, "application/problem+json", True)
        assert {} == {asked: one for asked, one in found.items() if one != right}

    def check_back(self):
        """Nobody does anything: soon, all is as it was."""
        end = time.monotonic() + PATIENCE
        for asked in [("GET", "/health"), ("GET", "/metrics"), ("GET", "/api/v1/artifacts")]:
            while (answer := self.client.request(*asked)).status_code != 200:
                assert time.monotonic() < end, (asked, answer.text)
                threading.Event().wait(0.1)
        stays = {asked: told for asked, told in self.needs_store().items() if asked[0] == "GET"}
        for asked, told in stays.items():
            if not asked[1].endswith("$stream"):  # the job is live: it would not end
                assert 200 == self.ask(asked, told).status_code, asked
        assert 202 == self.client.post("/api/v1/tasks/add/$enqueue", json=ADD).status_code
        assert 201 == self.client.post("/api/v1/artifacts", json={"data": 1}).status_code

    def check_worked_off(self):
        """Jobs run again: those that are spawned here, and those of the worker."""
        spawned = self.client.post("/api/v1/tasks/spawn/$execute", json={}).json()
        enqueued = self.client.post(
            "/api/v1/tasks/add/$enqueue", json=ADD, headers={"Prefer": "wait=50"}
        )
        assert ("succeeded", 200) == (enqueued.json()["state"], enqueued.status_code)
        with self.client.stream("GET", f"/api/v1/jobs/{spawned['result']}/$stream") as told:
            assert "event: completed" in told.read().decode()

    def check_alive(self):
        """What needs no store is served all the same."""
        ran = self.client.post("/api/v1/tasks/add/$execute", json=ADD)
        assert (200, 2) == (ran.status_code, ran.json()["result"])
        for task in ("count", "spawn"):
            failed = self.client.post(f"/api/v1/tasks/{task}/$execute", json={})
            assert (200, None) == (failed.status_code, failed.json()["result"])
            # A session of the user's own raises what SQLAlchemy does, too.
            assert failed.json()["error"]["type"] in ("StoreUnavailableError", "DatabaseError")
        for path in ("/", "/health/live", "/api/v1/tasks", "/api/v1/system", "/openapi.json"):
            assert 200 == self.client.get(path).status_code, path
        for path in ("/health", "/health/ready"):
            assert 503 == self.client.get(path).status_code, path


@pytest.fixture
def serve():
    """Serves an app at a URL, until the end of the test."""
    opened = []

    def start(url, *, worker=False):
        app = rich_app(url)
        client = TestClient(rich_service(app, worker=worker))
        client.__enter__()
        opened.append((app, client))
        return Served(client)

    yield start
    for app, client in opened:
        client.__exit__(None, None, None)
        app.close()


@pytest.mark.anywhere
def test_a_server_that_is_stopped_and_started_again(serve, server):
    """On every route that needs it; what needs none goes on."""
    with server.database() as url:
        served = serve(url)
        server.stop()
        try:
            served.check_away(served.needs_store())
            served.check_alive()
        finally:
            server.start()
        served.check_back()


@pytest.mark.anywhere
def test_a_server_that_is_frozen(serve, server):
    """Its connections are open, and nobody answers: neither on them nor on new ones."""
    with server.database() as url:
        served = serve(f"{url}?deadline=2")
        with server.frozen():
            served.check_away(served.needs_store())
            served.check_alive()
        served.check_back()


@pytest.mark.anywhere
def test_a_service_ends_while_its_server_is_frozen(server):
    """With connections that are open, to the jobs and to artifacts."""
    with server.database() as url:
        app = rich_app(f"{url}?deadline=2")
        with ExitStack() as stack:
            with TestClient(rich_service(app, worker=True)) as client:
                Served(client).check_worked_off()
                stack.enter_context(server.frozen())
                begun = time.monotonic()
            assert time.monotonic() - begun < LONGEST
        app.close()


@pytest.mark.anywhere
def test_a_file_that_somebody_else_holds(serve, file_url, tmp_path):
    """Readers are served, and writers told to ask again."""
    served = serve(file_url)
    holder = sqlite3.connect(tmp_path / "service.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        served.check_away(served.writes())
        assert 200 == served.client.get("/api/v1/jobs").status_code
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    served.check_back()


@pytest.mark.anywhere
def test_work_goes_on_when_the_server_is_back(serve, server):
    """That of the worker inside of the service, and that of its scheduler."""
    with server.database() as url:
        served = serve(url, worker=True)
        served.check_worked_off()
        server.stop()
        try:
            served.check_away({("POST", "/api/v1/tasks/add/$enqueue"): ADD})
        finally:
            server.start()
        served.check_worked_off()


def test_a_file_that_cannot_be_read(serve, file_url, tmp_path):
    """On every route, for as long as it is none of SQLite's; what needs none goes on."""
    served = serve(file_url)
    file = tmp_path / "service.db"
    with closing(sqlite3.connect(file)) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = file.read_bytes()
    file.write_bytes(b"x" * len(held))
    served.check_away(served.needs_store())
    served.check_alive()
    file.write_bytes(held)
    served.check_back()
