"""How a client goes about a service that fails, is away, or says more than the client knows."""

import asyncio
import dataclasses
import json
import socket
import threading
from contextlib import aclosing, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import pytest

from rotulus import App, TaskRegistry, client, task
from rotulus.client import (
    AuditEntry,
    Client,
    Delivery,
    GraphBox,
    GraphRoute,
    LogLine,
    Measured,
    NoServiceError,
    ServiceError,
    ServiceUnreachableError,
    Timeline,
    TimelineRow,
    Times,
    TokenInfo,
    WebhookInfo,
)
from rotulus.client.problems import ERRORS
from rotulus.client.values import Value
from rotulus.errors import ArgumentsError, OptionError, StoreUnavailableError
from rotulus.service import service_of
from rotulus.service.problem_table import KINDS
from rotulus.testing import drain
from service.rich import rich_app, rich_service

pytestmark = pytest.mark.anywhere

JOB_ID = "01a22777-9b2c-77e8-bace-f84ca8c6b4e6"
AWAY = (503, {"code": "store_unavailable", "detail": "The store is away."}, {"Retry-After": "0"})


class Scripted:
    """A server that gives answers one after the other, and keeps what it was asked."""

    def __init__(self, *answers):
        self.asked, self.answers = [], list(answers)
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length", 0))
                scripted.asked.append((self.command, self.path, self.rfile.read(length)))
                status, body, headers = scripted.answers.pop(0)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        """End the server."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def scripted():
    """Makes servers that give these answers."""
    made = []

    def make(*answers):
        made.append(Scripted(*answers))
        return made[-1]

    yield make
    for one in made:
        one.close()


QUEUE = {"name": "q", "paused_at": None, "age": None, "jobs": {}, "new in another version": 1}


@pytest.fixture
def job_detail(app, serve):
    """What a service says of a job."""
    with Client(serve(service_of(app)).address) as asking:
        job = asking.enqueue("add", a=1)
        answer = asking._wire.client.get(asking._wire.address(f"/jobs/{job.id}"))
    return answer.json()


def test_what_reads_is_asked_again(scripted):
    """A service that was away for a moment is not noticed; fields that are new neither."""
    server = scripted(AWAY, AWAY, (200, QUEUE, {}))
    with Client(server.address) as asking:
        assert "q" == asking.queues.get("q").name
    assert [("GET", "/api/v1/queues/q", b"")] * 3 == server.asked


def test_what_reads_is_given_up(scripted):
    """After as many tries as were wanted; the error is that of the library."""
    server = scripted(AWAY, AWAY)
    with (
        Client(server.address, retries=1) as asking,
        pytest.raises(StoreUnavailableError, match="store is away") as told,
    ):
        asking.queues.get("q")
    assert (503, 0.0) == (told.value.__cause__.status, told.value.__cause__.retry_after)


def test_what_changes_is_sent_once(scripted):
    """But for an enqueue with a key, of which the service stores one job."""
    server = scripted(AWAY, AWAY, AWAY, AWAY)
    with Client(server.address, retries=1) as asking:
        for attempt in (
            lambda: asking.enqueue("add", a=1),
            lambda: asking.schedules.run_now("nightly"),
            lambda: asking.using(idempotency_key="import-7").enqueue("add", a=1),
        ):
            with pytest.raises(StoreUnavailableError):
                attempt()
    assert 4 == len(server.asked)


def test_coroutines_are_told_the_same(scripted):
    """The same tries, and the same error."""
    server = scripted(AWAY, (200, QUEUE, {}), AWAY, AWAY)

    async def work():
        async with Client(server.address, retries=1) as asking:
            found = await asking.queues.aget("q")
            with pytest.raises(StoreUnavailableError):
                await asking.queues.aget("q")
            return found.name

    assert "q" == asyncio.run(work())


def test_an_answer_that_is_no_problem_document_is_told_all_the_same(scripted):
    """From a proxy, such as one that is not ours."""
    server = scripted((502, b"<html>", {"Content-Type": "text/html"}))
    with (
        Client(server.address, retries=0) as asking,
        pytest.raises(ServiceError, match="HTTP status 502"),
    ):
        asking.queues.get("q")


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_page_of_something_else_is_told(scripted, kind):
    """Where the address is that of another program."""
    server = scripted((200, b"<html>", {"Content-Type": kind}))
    with (
        Client(server.address, retries=0) as asking,
        pytest.raises(ServiceError, match="address of a Rotulus service"),
    ):
        asking.queues.get("q")


def test_a_service_that_is_not_there_is_told_with_its_address():
    """Of a port that nobody listens at."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with (
        Client(address, retries=0) as asking,
        pytest.raises(ServiceUnreachableError, match=address),
    ):
        asking.queues.list()


@pytest.mark.parametrize("wrong", ["", "jobs.example.com", "ftp://jobs.example.com"])
def test_what_is_no_address_is_refused(wrong):
    """Before anything is sent."""
    with pytest.raises(OptionError, match="no address"):
        Client(wrong)


def test_the_scheme_of_an_address_may_be_in_capitals(scripted):
    """As in the rules for addresses; a path may have an @."""
    server = scripted((200, QUEUE, {}))
    with Client(f"{server.address.replace('http', 'HTTP')}/@team") as asking:
        assert "q" == asking.queues.get("q").name
    assert "/@team/api/v1/queues/q" == server.asked[0][1]


@pytest.mark.parametrize("body", [{}, [1], 1, "a", {"items": 7}, {"items": [{}]}])
def test_json_of_another_shape_is_told(scripted, body):
    """The address is that of something else, or its version is another one."""
    server = scripted((200, body, {}), (200, body, {}), (200, body, {}))
    with Client(server.address) as asking:
        for ask in (
            lambda: asking.queues.list(),
            lambda: asking.queues.get("q"),
            lambda: asyncio.run(asking.queues.aget("q")),
        ):
            with pytest.raises(NoServiceError, match="not what a service of this version says"):
                ask()
    assert 3 == len(server.asked)


def test_an_answer_that_cannot_be_unpacked_is_told(scripted):
    """As an answer that breaks off."""
    broken = (200, b"no gzip", {"Content-Encoding": "gzip"})
    server = scripted(broken, broken)
    with Client(server.address, retries=0) as asking:
        with pytest.raises(ServiceUnreachableError, match=server.address):
            asking.queues.get("q")
        with pytest.raises(ServiceUnreachableError, match=server.address):
            asyncio.run(asking.queues.aget("q"))


def test_a_weakened_version_is_the_same_version(scripted, job_detail):
    """As a proxy that compresses an answer makes it."""
    server = scripted((200, job_detail, {"ETag": 'W/"3"'}), (200, job_detail, {"ETag": '"3"'}))
    with Client(server.address) as asking:
        assert ["3", "3"] == [asking.jobs.get(JOB_ID).version for _ in range(2)]


def test_an_empty_name_is_refused():
    """It would be the address of all."""
    with Client("http://127.0.0.1:1") as asking, pytest.raises(OptionError, match="empty"):
        asking.jobs.get("")


def test_each_problem_of_the_library_is_its_error_again():
    """Which a program that had the app itself would catch."""
    told = {kind.code: error for error, kind in KINDS}
    for code, make in ERRORS.items():
        made = make("It is so.", ServiceError("It is so.", code=code))
        assert code not in told or isinstance(made, told[code]), code


@pytest.fixture
def app(tmp_path):
    """An app with a task that adds."""
    registry = TaskRegistry()

    @task(registry=registry)
    def add(a: int) -> int:
        return a

    with App(f"sqlite:///{tmp_path}/jobs.db", registry=registry) as made:
        yield made


def test_changes_are_told_as_they_happen(app, serve):
    """To threads and to coroutines; a stream after a position tells what came after it."""
    with Client(serve(service_of(app)).address) as asking:
        stream = asking.changes(after=None)
        began, found = threading.Event(), []

        def listen():
            for change in asking.changes(queues=["q"]):
                found.append(change)
                began.set()
                if change.what == "succeeded":
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        while not began.wait(0.05):
            app.using(queue="q").enqueue("add", a=1)
        drain(app)
        thread.join(30)
        seen = asking.changes(after=found[0].position)
        again = list(islice(iter(seen), 1))

        async def after():
            stream = aiter(asking.changes(after=found[0].position, queues=["q"]))
            async with asking, aclosing(stream):
                return await anext(stream)

        first = asyncio.run(after())

    assert stream.position is None
    assert {("job", "add", "q")} == {(one.kind, one.task, one.queue) for one in found}
    assert "succeeded" == found[-1].what
    assert found[1].position == again[0].position == seen.position == first.position


def test_a_stream_that_breaks_goes_on_where_it_was(scripted, monkeypatch):
    """Also where the service was away meanwhile; one that is refused ends."""
    monkeypatch.setattr("rotulus.client.changes._PAUSE", 0.0)
    events = {"Content-Type": "text/event-stream"}

    def event(position):
        told = {"position": position, "at": "2026-01-01T00:00:00Z", "kind": "queue", "name": "q"}
        return f"id: {position}\nevent: queue\ndata: {json.dumps(told | {'what': 'paused'})}\n\n"

    server = scripted(
        (200, f"id: 6\n\n{event(7)}".encode(), events),
        AWAY,
        (200, b"id: 9\n\n", events),
        (200, event(11).encode(), events),
        (403, {"code": "forbidden", "detail": "No."}, {}),
    )
    with Client(server.address) as asking:
        stream = iter(asking.changes(queues=["q"]))
        assert [7, 11] == [next(stream).position, next(stream).position]
        with pytest.raises(ServiceError, match="No"):
            next(stream)
    beginnings = [path.partition("?")[2] for _, path, _ in server.asked]
    assert ["queues=q", *(f"queues=q&after={n}" for n in (7, 7, 9, 11))] == beginnings


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"data: {\n\n", "text/event-stream"),
        (b"data: [1]\n\n", "text/event-stream"),
        (b'data: {"position": "x"}\n\n', "text/event-stream"),
        (b"id: first\n\n", "text/event-stream"),
        (b"<p>Welcome</p>", "text/html"),
    ],
)
def test_a_stream_of_something_else_is_refused(scripted, body, kind):
    """With what to look at; to threads and to coroutines."""
    answer = (200, body, {"Content-Type": kind})

    async def first(asking):
        async with asking, aclosing(aiter(asking.changes())) as stream:
            await anext(stream)

    for listen in (lambda one: next(iter(one.changes())), lambda one: asyncio.run(first(one))):
        with (
            Client(scripted(answer).address) as asking,
            pytest.raises(NoServiceError, match="/changes sends is not what"),
        ):
            listen(asking)


def test_a_refused_stream_may_say_why_in_any_words(scripted):
    """Also in none, although it claims to have some."""
    server = scripted((404, b"{", {}))
    with (
        Client(server.address) as asking,
        pytest.raises(NoServiceError, match="HTTP status 404"),
    ):
        next(iter(asking.changes()))


@pytest.mark.parametrize("errors", ["no", [1, None], {"detail": "no"}, None])
def test_a_problem_may_have_errors_of_any_shape(scripted, errors):
    """The error of the library has those that can be read."""
    known = [{"detail": "a is missing"}, {}]
    for told, read in ((errors, ()), (known, ("a is missing", ""))):
        problem = {"code": "invalid_arguments", "detail": "They do not fit.", "errors": told}
        with (
            Client(scripted((422, problem, {})).address) as asking,
            pytest.raises(ArgumentsError, match="do not fit") as raised,
        ):
            asking.queues.get("q")
        assert read == raised.value.problems


_WORDS = {"submitted_at", "finished_at", "status", "description"}
UNTOLD = {
    "Job": _WORDS,
    "ListedJob": _WORDS,
    "JobDetail": _WORDS,
    "Run": _WORDS,
    "FailureGroup": {"exact"},
    "AlikeJobs": {"exact"},
}
"""Other words for what a value says."""

OF_A_HEADER = {"JobDetail": {"version"}, "Run": {"version"}}
"""What the body of an answer does not say."""

NOT_IN_DOCUMENT = {"Change"}


OF_THE_APP = {
    AuditEntry: "Entry",
    Delivery: "Delivery",
    GraphBox: "GraphBox",
    GraphRoute: "GraphRoute",
    LogLine: "LogLine",
    Measured: "Measured",
    Timeline: "Timeline",
    TimelineRow: "TimelineRow",
    Times: "Times",
    TokenInfo: "TokenSecret",
    WebhookInfo: "WebhookSecret",
}
"""Values that an app gives as well, and their names in the document."""

COMPUTED = {LogLine: {"cursor"}, Measured: {"attempts"}}
"""What follows from their fields."""


def test_values_have_the_fields_of_the_document():
    """None is missing in a value, and none is made up."""
    app = rich_app("sqlite://")
    schemas = rich_service(app).openapi()["components"]["schemas"]
    app.close()
    values = [getattr(client, name) for name in client.__all__]
    compared = 0
    for value in values:
        if not (isinstance(value, type) and issubclass(value, Value)):
            continue
        name, fields = value.__name__, set(value.model_fields)
        if name in NOT_IN_DOCUMENT:
            continue
        told = set(schemas[name]["properties"]) - UNTOLD.get(name, set())
        assert fields - OF_A_HEADER.get(name, set()) == told, name
        compared += 1
    assert compared >= 16
    for info, name in OF_THE_APP.items():
        fields = {field.name for field in dataclasses.fields(info)} | COMPUTED.get(info, set())
        assert fields == set(schemas[name]["properties"]), name
