"""The log lines of jobs over HTTP: page by page, and as they come."""

import threading

import pytest
from starlette.testclient import TestClient

from rotulus import INJECTED, App, Job, TaskRegistry, task
from rotulus.service import service_of
from rotulus.testing import drain
from service.listening import Listener

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"


@pytest.fixture
def app(tmp_path):
    """An app with a task that logs."""
    made = App(f"sqlite:///{tmp_path / 'jobs.db'}", registry=TaskRegistry())
    made.store.migrate()

    @task(registry=made.registry)
    def talk(lines: int, job: Job = INJECTED):
        for number in range(lines):
            job.log(f"line {number}", level="warning" if number % 2 else "info")

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a whole service of it."""
    with TestClient(service_of(app)) as made:
        yield made


def test_lines_have_pages(app, client):
    """Each line once, the oldest first; a page by itself, too, says how to go on."""
    job = app.enqueue("talk", 5)
    drain(app)
    path, seen, after = f"{API}/{job.id}/$logs", [], {}
    while after is not None:
        page = client.get(path, params={"limit": 2, **after}).json()
        seen += [line["text"] for line in page["items"]]
        after = page["next"] and {"after": page["next"]}
    assert [f"line {n}" for n in range(5)] == seen

    [first, second] = client.get(path, params={"level": "warning"}).json()["items"]
    assert ("line 1", "warning", 1, "1:2") == tuple(
        first[name] for name in ("text", "level", "attempt", "cursor")
    )
    assert first["at"].endswith("Z")
    assert (
        [] == client.get(path, params={"after": second["cursor"], "level": "error"}).json()["items"]
    )
    assert [] == client.get(path, params={"attempt": 2}).json()["items"]


@pytest.mark.parametrize("query", ["after=x", "level=loud", "attempt=0", "limit=0", "limit=501"])
@pytest.mark.parametrize("path", ["$logs", "$logs/$stream"])
def test_what_no_line_can_have_is_a_problem(app, client, path, query):
    """Before anything is streamed."""
    job = app.enqueue("talk", 1)
    if path == "$logs" or "limit" not in query:
        assert 422 == client.get(f"{API}/{job.id}/{path}?{query}").status_code
    assert 404 == client.get(f"{API}/0/{path}").status_code


@pytest.fixture
def listen(app, serve):
    """Listens to a path of a service on a real port."""
    port = int(serve(service_of(app)).address.rpartition(":")[2])
    made = []

    def begin(path, *headers):
        made.append(Listener(("127.0.0.1", port), path, headers))
        return made[-1]

    yield begin
    for listener in made:
        listener.close()


def test_lines_come_as_they_are_logged_until_the_job_has_ended(app, listen):
    """A listener that comes back goes on after the last line that it knows."""
    job = app.enqueue("talk", 3)
    path = f"{API}/{job.id}/$logs/$stream"
    listener = listen(path)
    assert (200, "no-store") == (listener.status, listener.headers["cache-control"])
    worker = threading.Thread(target=drain, args=(app,))
    worker.start()
    events = [event for event in listener.events() if event.kind]
    worker.join()

    assert ["line 0", "line 1", "line 2"] == [event.data["text"] for event in events[:-1]]
    assert ["1:1", "1:2", "1:3", "1:3"] == [event.id for event in events]
    assert ("end", {}) == (events[-1].kind, events[-1].data)
    assert ["line 2"] == [e.data["text"] for e in listen(path, "Last-Event-ID: 1:2").told()]
    assert 204 == listen(path, "Last-Event-ID: 1:3").status
    wrong = listen(path, "Last-Event-ID: x")
    assert (422, "invalid_request") == (wrong.status, wrong.body()["code"])
