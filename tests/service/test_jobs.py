"""`/api/v1/jobs`: what the source promised of it, and what a list, a stream and a delete need."""

import asyncio
import json
import socket
import threading
import time
from urllib.request import urlopen

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rotulus import App, State, TaskRegistry, task
from rotulus.service import JobScheduler, ServiceInfo
from rotulus.service.resources.jobs import make_jobs_router
from rotulus.service.state import ServiceState
from rotulus.testing import drain

ID = "01234567-89ab-cdef-0123-456789abcdef"
API = "/api/v1/jobs"


@pytest.fixture
def app(jobs_url):
    """An app with two tasks, in each kind of store."""
    made = App(jobs_url, registry=TaskRegistry())
    made.store.migrate()

    @task(registry=made.registry)
    def add(a: int, b: int = 1) -> int:
        return a + b

    @task(registry=made.registry)
    def fails():
        raise ValueError("no such file")

    yield made
    made.close()


def service(app, scheduler=None):
    """An application with the routes of jobs."""
    made = FastAPI()
    info = ServiceInfo(display_name="test")
    made.state.rotulus = ServiceState(app, info, scheduler=scheduler)
    made.include_router(make_jobs_router())
    return made


@pytest.fixture
def client(app):
    """A client of such an application."""
    with TestClient(service(app)) as made:
        yield made


@pytest.mark.requirement("C-45", "C-46")
def test_C_45_a_job_and_the_list_of_them(app, client):
    """With the status of the source's words beside the state."""
    job = app.enqueue("add", 2)
    [listed] = client.get(API).json()["items"]
    assert (job.id, "queued", "pending", "add") == tuple(
        listed[name] for name in ("id", "state", "status", "task")
    )
    drain(app)
    shown = client.get(f"{API}/{job.id}").json()

    assert {"a": 2, "b": 1} | shown["arguments"] == {"a": 2, "b": 1}
    assert (3, "completed", []) == (shown["result"], shown["status"], shown["attempts"])
    assert shown["created_at"].endswith("Z") and shown["finished_at"] == shown["ended_at"]
    assert shown["why"]
    assert set(shown) == set(client.get(f"{API}/$schema").json()["properties"])
    of_one = {"arguments", "headers", "result", "attempts", "why", "parts"}
    assert set(shown) - set(listed) == of_one


def test_jobs_are_found_by_what_is_said(app, client):
    """By states, task and queue, together; and by the source's filter."""
    for number in range(3):
        app.enqueue("add", number)
    app.using(queue="mail").enqueue("fails")
    drain(app)
    waiting = app.enqueue("add", 9)

    def found(query):
        return len(client.get(f"{API}?{query}").json()["items"])

    assert 5 == found("")
    assert 4 == found("state=queued&state=succeeded") == found("task=add")
    assert 1 == found("queue=mail") == found("status_filter=failed") == found("state=queued")
    assert 0 == found("status_filter=running") == found("status_filter=failed&state=queued")
    assert waiting.id == client.get(f"{API}?status_filter=pending").json()["items"][0]["id"]


def test_a_list_has_pages(app, client):
    """Each job once, the last one first."""
    jobs = [app.enqueue("add", n).id for n in range(7)]
    seen, query = [], "limit=3&task=add"
    while query is not None:
        page = client.get(f"{API}?{query}").json()
        seen += [job["id"] for job in page["items"]]
        query = page["next"] and f"limit=3&task=add&after={page['next']}"

    assert jobs[::-1] == seen


@pytest.mark.parametrize("wrong", [ID, "x", "..", "%00", "0" * 400, "$schemas"])
@pytest.mark.parametrize("verb", ["GET", "DELETE", "$stream", "$cancel", "$retry"])
def test_an_unknown_id_is_not_found(client, wrong, verb):
    """Whether it is one or not."""
    method = {"GET": "GET", "DELETE": "DELETE", "$stream": "GET"}.get(verb, "POST")
    path = f"{API}/{wrong}" + (f"/{verb}" if verb.startswith("$") else "")
    answer = client.request(method, path)

    assert 404 == answer.status_code
    if wrong == ID:
        assert ("job_not_found", "Job not found") == (
            answer.json()["code"],
            answer.json()["detail"],
        )


@pytest.mark.parametrize(
    "query",
    ["state=nonsense", "status_filter=done", "limit=0", "limit=501", "after=x", "task=%00"]
    + ["queue=a%20b", "limit=x"],
)
def test_what_no_list_can_have_is_a_problem(client, query):
    """A document says what is allowed."""
    answer = client.get(f"{API}?{query}")

    assert 422 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]


def test_a_job_is_cancelled_and_sent_back(app, client):
    """What has ended well is not."""
    job = app.enqueue("add", 1)
    assert "cancelled" == client.post(f"{API}/{job.id}/$cancel").json()["state"]
    assert "queued" == client.post(f"{API}/{job.id}/$retry").json()["state"]
    drain(app)
    answer = client.post(f"{API}/{job.id}/$retry")

    assert (409, "job_not_retryable") == (answer.status_code, answer.json()["code"])


def test_a_job_whose_key_is_held_is_not_sent_back(app, client):
    """The problem says which job holds it."""
    failed = app.using(key="k").enqueue("fails")
    drain(app)
    holder = app.using(key="k").enqueue("add", 1)
    answer = client.post(f"{API}/{failed.id}/$retry")

    assert 409 == answer.status_code
    assert f"Its key 'k' is held by job {holder.id} (queued)" in answer.json()["detail"]


def test_the_error_of_a_job_has_its_traceback_where_it_is_read_alone(app, client):
    """Also in its earlier attempts; in a list it has none."""
    failed = app.enqueue("fails")
    drain(app)
    failed.retry()
    drain(app)
    [listed], shown = client.get(API).json()["items"], client.get(f"{API}/{failed.id}").json()

    errors = [listed["error"], shown["error"], shown["attempts"][0]["error"]]
    tracebacks = [error.pop("traceback") for error in errors]
    fingerprint = app.get(failed.id).error.fingerprint
    error = {"type": "ValueError", "message": "no such file", "fingerprint": fingerprint}
    assert [error] * 2 == errors[:2]
    assert {**error, "fingerprint": None} == errors[2]  # only the last attempt's is kept
    assert tracebacks[0] is None
    assert "in fails" in tracebacks[1] and "in fails" in tracebacks[2]


def test_a_job_is_deleted(app, client):
    """Also one that waits, which is cancelled first; what must be kept is kept."""
    ended, held = app.enqueue("add", 1), app.using(key="k", window=3600).enqueue("add", 2)
    drain(app)
    waiting = app.enqueue("add", 3)
    for job in (ended, waiting):
        assert 204 == client.delete(f"{API}/{job.id}").status_code
        assert 404 == client.get(f"{API}/{job.id}").status_code
    answer = client.delete(f"{API}/{held.id}")
    assert (409, "job_kept") == (answer.status_code, answer.json()["code"])
    assert [held.id] == [job.id for job in app.jobs()]


def test_what_is_spawned_is_cancelled_at_once_and_may_not_be_retried(app):
    """By the scheduler of the process, in the same request."""

    async def body():
        scheduler = JobScheduler(1, app=app)
        begun = asyncio.Event()

        async def work():
            begun.set()
            await asyncio.sleep(60)

        running = await scheduler.spawn(work(), description="long")
        waiting = await scheduler.spawn(work())
        await begun.wait()
        async with Client(service(app, scheduler)) as client:
            shown = await client.ask("GET", f"{API}/{running}")
            assert ("long", "running", "spawned") == tuple(
                shown[1][name] for name in ("description", "status", "task")
            )
            assert (204, None) == await client.ask("DELETE", f"{API}/{waiting}")
            status, told = await client.ask("POST", f"{API}/{running}/$cancel")
            assert (200, "canceled") == (status, told["status"])
            assert 409 == (await client.ask("POST", f"{API}/{running}/$retry"))[0]
        await scheduler.close()

    asyncio.run(body())


class Client:
    """Asks an application on the loop that runs."""

    def __init__(self, application):
        self._application = application

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def ask(self, method, path):
        """The status, and the JSON if there is any."""
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "root_path": "",
            "http_version": "1.1",
        }
        await self._application(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(body) if body else None


def events(answer):
    """The events of a stream: the fields of each."""
    for block in answer.read().decode().split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        if lines:
            yield {name: value for name, _, value in lines}


def test_a_stream_tells_each_change_until_the_end(app, serve):
    """With numbers, names, and when to come again; nothing in between may keep it."""
    job = app.enqueue("add", 1)
    server = serve(service(app))
    with urlopen(f"{server.address}{API}/{job.id}/$stream?poll_interval=0.001") as answer:
        assert "text/event-stream" in answer.headers["content-type"]
        assert "no-store" == answer.headers["cache-control"]
        assert "no" == answer.headers["x-accel-buffering"]
        drain(app)
        first, *told = events(answer)

    assert {"retry": "2000"} == first
    assert [str(n + 1) for n in range(len(told))] == [event["id"] for event in told]
    assert ("pending", "completed") == (told[0]["event"], told[-1]["event"])
    assert "succeeded" == json.loads(told[-1]["data"])["state"]


def test_a_stream_of_a_job_that_is_deleted_ends_so(app, serve):
    """The last event says it."""
    job = app.enqueue("add", 1)
    server = serve(service(app))
    with urlopen(f"{server.address}{API}/{job.id}/$stream?poll_interval=1") as answer:
        app.cancel(job.id)
        app.jobs.delete(job.id)
        *_, last = events(answer)

    assert {"status": "deleted"} == json.loads(last["data"])


def test_a_client_that_goes_away_leaves_nothing_behind(app, serve):
    """No task of the server, and no connection."""
    job = app.enqueue("add", 1)
    server = serve(service(app))
    sockets = [socket.create_connection(("127.0.0.1", int(server.address[17:]))) for _ in range(5)]
    for one in sockets:
        one.sendall(f"GET {API}/{job.id}/$stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        while b"data:" not in one.recv(65536):
            pass
    assert 5 == len(server.server_state.tasks)
    for one in sockets:
        one.close()
    end = time.monotonic() + 30
    while server.server_state.tasks or server.server_state.connections:
        assert time.monotonic() < end, "something is left"
        threading.Event().wait(0.02)


@pytest.mark.parametrize("interval", ["nan", "x", "inf"])
def test_an_interval_is_a_number(client, interval):
    """Anything else is a problem; out of range it is drawn into it."""
    assert 422 == client.get(f"{API}/{ID}/$stream?poll_interval={interval}").status_code


def test_every_state_has_a_place_in_the_schema(client):
    """So a client may rely on it."""
    schema = client.get(f"{API}/$schema").json()

    assert [state.value for state in State] == schema["$defs"]["State"]["enum"]
