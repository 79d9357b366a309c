"""`/api/v1/changes`: what happens, as server-sent events, for as many as may listen."""

import gc
import sqlite3
import threading
import time

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.events import StoreFailed
from rotulus.service import ServiceInfo
from rotulus.service.event_streams import OPEN_STREAMS
from rotulus.service.resources import changes
from rotulus.service.resources.jobs import make_jobs_router
from rotulus.service.state import ServiceState
from rotulus.testing import drain
from service.listening import Listener
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere

API = "/api/v1/changes"


@pytest.fixture
def app(file_url):
    """An app with a task."""
    made = app_at(file_url)
    yield made
    made.close()


def app_at(url):
    """An app with a task at a URL."""
    made = App(url, registry=TaskRegistry())
    made.store.migrate()
    task("add", queue="sums", registry=made.registry)(lambda a=1: a)
    return made


@pytest.fixture
def client():
    """A client of a service in memory, for answers that are no streams."""
    app = app_at("sqlite://")
    with TestClient(service(app)) as made:
        yield made
    app.close()


@pytest.fixture
def listen(app, serve):
    """Makes listeners to a service of the app, which go away at the end."""
    made, server = [], serve(service(app))

    def start(query="", *headers, path=API):
        made.append(Listener(address_of(server), f"{path}{query}", headers))
        return made[-1]

    start.server = server
    yield start
    for one in made:
        one.close()
    settle(server)


def service(app):
    """An application with the routes of changes and jobs."""
    made = FastAPI()
    made.state.rotulus = ServiceState(app, ServiceInfo(display_name="test"))
    made.include_router(changes.make_changes_router())
    made.include_router(make_jobs_router())
    return made


def address_of(server):
    """Where a server listens."""
    return "127.0.0.1", int(server.address.rpartition(":")[2])


def settle(server):
    """Wait until nothing is left of any stream."""
    end = time.monotonic() + 30
    while server.server_state.tasks or OPEN_STREAMS.count or reader() is not None:
        assert time.monotonic() < end, (server.server_state.tasks, OPEN_STREAMS.count, reader())
        gc.collect()
        threading.Event().wait(0.02)


def reader():
    """The thread that reads changes, while there is one."""
    threads = threading.enumerate()
    return next((one for one in threads if one.name == "rotulus-changes"), None)


def until(listener, what):
    """The events up to a change."""
    heard = []
    for event in listener.told():
        heard.append(event)
        if event.data["what"] == what:
            return heard
    raise AssertionError(f"the stream has ended: {heard}")


def begun(listener):
    """The listener, once it is told of what happens from now on."""
    assert 200 == listener.status
    next(listener.events())
    assert listener.last_id is None
    next(listener.events())
    return listener


def test_what_happens_is_told_in_each_store(url, serve):
    """From now on, also of other processes."""
    app, other = app_at(url), app_at(url)
    server = serve(service(app))
    listener = begun(Listener(address_of(server), API))
    other.queues.pause("sums")

    assert "paused" == next(listener.told()).data["what"]
    listener.close()
    settle(server)
    app.close()
    other.close()


def test_what_happens_is_told_as_it_happens(app, listen):
    """With the position as its id, the kind as its type, and all that is known of it."""
    listener = begun(listen())
    before = listener.last_id
    job = app.enqueue("add", 1)
    drain(app)
    app.queues.pause("sums")
    heard = until(listener, "paused")
    first = heard[0]

    assert "text/event-stream" in listener.headers["content-type"]
    assert ("no-store", "no") == (
        listener.headers["cache-control"],
        listener.headers["x-accel-buffering"],
    )
    assert [int(before) + 1 + n for n in range(len(heard))] == [int(one.id) for one in heard]
    assert ("job", job.id, "queued") == (first.kind, first.data["name"], first.data["what"])
    assert {"position", "at", "kind", "name", "what", "task", "queue"} == first.data.keys()
    assert first.data["at"].endswith("Z")
    assert ("add", "sums") == (first.data["task"], first.data["queue"])
    assert ("queue", "sums", "paused") == (heard[-1].kind, *list(heard[-1].data.values())[3:5])


def test_a_stream_begins_with_when_to_come_again_and_where_it_stands(listen):
    """So a client that loses it at once goes on there."""
    events = listen().events()

    assert "2000" == next(events).retry
    assert next(events).id.isdecimal()


def test_a_client_that_comes_back_misses_nothing(app, listen):
    """`Last-Event-ID` counts, and not the `after` of the address, which stays the same."""
    listener = begun(listen())
    listener.close()
    app.enqueue("add", 1)
    app.queues.pause("sums")
    again = listen("?after=0", f"Last-Event-ID: {listener.last_id}")

    assert ["queued", "paused"] == [one.data["what"] for one in until(again, "paused")]


def test_a_position_in_the_address_counts_too(app, listen):
    """For a first connection, in which a browser sends no header."""
    app.enqueue("add", 1)
    position = begun(listen()).last_id
    app.enqueue("add", 2)
    app.queues.pause("sums")

    heard = until(listen(f"?after={position}"), "paused")
    assert ["queued", "paused"] == [one.data["what"] for one in heard]


def test_an_id_that_is_not_known_any_more_is_told_a_reset(app, listen):
    """Too old, or of another store; then it goes on."""
    listener = listen("", "Last-Event-ID: 9000000000000000000")
    reset = next(listener.told())
    app.queues.pause("sums")
    heard = until(listener, "paused")

    assert ("reset", "reset") == (reset.kind, reset.data["kind"])
    assert reset.id == str(reset.data["position"])
    assert "queue" == heard[-1].kind


IDS = (b"x", b"-1", b"1.5", b"9223372036854775808", b"", b"NaN", b"\xb2", b"\xff", b"1" * 5000)


@pytest.mark.parametrize("wrong", IDS)
def test_an_id_that_none_can_have_is_a_problem(client, wrong):
    """And no stream is opened."""
    answer = client.get(API, headers={b"Last-Event-ID": wrong})

    assert (422, "invalid_request") == (answer.status_code, answer.json()["code"])
    assert "Last-Event-ID" in answer.json()["detail"]


FILTERS = (
    "queus=mail",
    "after=-1",
    "after=x",
    "queues=%20",
    "jobs=",
    "queues=%00",
    "seconds=0",
    "seconds=nan",
)


@pytest.mark.parametrize("wrong", FILTERS)
def test_wrong_filters_are_problems(client, wrong):
    """With what is wrong."""
    answer = client.get(f"{API}?{wrong}")

    assert 422 == answer.status_code, answer.text
    assert answer.json()["code"] in ("invalid_request", "invalid_option")


def test_only_what_is_wanted_is_told(app, listen):
    """Of some jobs, of some queues, or both."""
    one, other = app.enqueue("add", 1), app.enqueue("add", 2)
    of_job = begun(listen(f"?jobs={one.id}"))
    of_queues = begun(listen("?queues=other&queues=more"))
    app.cancel(other.id)
    app.cancel(one.id)
    for queue in ("sums", "other", "more"):
        app.queues.pause(queue)

    assert one.id == next(of_job.told()).data["name"]
    told = of_queues.told()
    assert ["other", "more"] == [next(told).data["name"] for _ in range(2)]


def test_a_stream_of_which_nothing_is_wanted_tells_where_it_stands(app, listen, monkeypatch):
    """In each comment: so its client can come back after a long time, and misses nothing."""
    monkeypatch.setattr(changes, "KEEPALIVE", 0.3)
    listener = begun(listen("?queues=other"))
    before = int(listener.last_id)
    for number in range(5):
        app.enqueue("add", number)
    comments = 0
    for event in listener.events():
        comments += event.comment is not None
        if int(listener.last_id) == before + 5:
            break

    assert comments >= 1


def test_there_is_a_comment_each_fifteen_seconds():
    """Proxies wait for longer, as a rule."""
    assert 15.0 == changes.KEEPALIVE


def test_a_stream_may_have_an_end(listen):
    """For those who come back anyway, and for curl."""
    listener = listen("?seconds=0.2")

    assert [] == list(listener.told())


def test_clients_that_go_away_leave_nothing_behind(app, listen):
    """No request, no stream, no thread; others go on."""
    leaving = [begun(listen()) for _ in range(5)]
    staying = begun(listen())
    for one in leaving:
        one.close()
    end = time.monotonic() + 30
    while OPEN_STREAMS.count > 1:
        assert time.monotonic() < end
        threading.Event().wait(0.02)
    app.queues.pause("sums")

    assert "paused" == next(staying.told()).data["what"]
    assert 1 == len(listen.server.server_state.tasks)
    staying.close()
    settle(listen.server)


@pytest.fixture
def few(monkeypatch):
    """Three streams are as many as a process may have."""
    monkeypatch.setenv("ROTULUS_STREAMS", "3")


def test_streams_of_all_kinds_are_counted_together(few, app, listen):
    """The next one is told when to try again; one that ends makes room for it."""
    job = app.enqueue("add", 1)
    stream = f"/api/v1/jobs/{job.id}/$stream"
    opened = [begun(listen()), begun(listen()), listen(path=stream)]
    next(opened[2].told())
    refused = [listen(), listen(path=stream)]

    for one in refused:
        problem = one.body()
        assert (503, "too_many_streams") == (one.status, problem["code"])
        assert int(one.headers["retry-after"]) > 0
        assert "ROTULUS_STREAMS" in problem["hint"]
    opened[0].close()
    end = time.monotonic() + 30
    while listen().status != 200:
        assert time.monotonic() < end


def test_a_stream_that_cannot_begin_takes_no_place(few, app):
    """A store that cannot be read is told with a problem, each time."""
    with TestClient(service(app)) as client:
        app.close()
        codes = [client.get(API).json()["code"] for _ in range(5)]

    assert ["store_closed"] * 5 == codes
    assert 0 == OPEN_STREAMS.count


def test_a_stream_ends_with_its_app(app, listen):
    """The server is stopping."""
    listener = begun(listen())
    app.close()

    assert [] == list(listener.told())


def test_however_many_listen_one_statement_a_second_is_sent(file_url, serve, monkeypatch):
    """Twenty clients of a service, while something happens all the time."""
    counter = StatementCounter(monkeypatch)
    app = app_at(file_url)
    server = serve(service(app))
    listeners = [begun(Listener(address_of(server), API)) for _ in range(20)]
    over = threading.Event()

    def work():
        while not over.wait(0.05):
            app.enqueue("add", 1)

    worker = threading.Thread(target=work)
    worker.start()
    counter.until(is_read)
    first, at = sum(map(is_read, counter.said)), time.monotonic()
    counter.until(lambda _: sum(map(is_read, counter.said)) >= first + 3)
    took = time.monotonic() - at
    heard = [next(one.told()).id for one in listeners]
    over.set()
    worker.join()
    for one in listeners:
        one.close()
    settle(server)
    app.close()

    assert took > 1.9
    assert 20 == len(heard)


def test_however_much_happens_a_listener_is_sent_four_pieces_a_second_at_most(app, listen):
    """All that has happened since the last one is in each: a page draws no more often."""
    listener, over = begun(listen()), threading.Event()

    def work():
        while not over.is_set():
            app.enqueue("add", 1)

    worker = threading.Thread(target=work)
    worker.start()
    told = listener.told()
    next(told)
    began, before, changes = time.monotonic(), listener.pieces, 0
    while listener.pieces < before + 8:
        next(told)
        changes += 1
    took = time.monotonic() - began
    over.set()
    worker.join()

    assert took > 8 / 4
    assert changes > 8


def is_read(said):
    """Whether a statement is one of those that listeners cause."""
    return (
        "-- The changes after a position" in said or "-- Changes that have been committed" in said
    )


def test_a_store_that_goes_away_is_waited_for(tmp_path, serve):
    """The stream lives on, and tells what happens when the store is back."""
    app = app_at(f"sqlite:///{tmp_path}/jobs.db")
    server = serve(service(app))
    listener = begun(Listener(address_of(server), API))
    failed = threading.Event()
    app.events.subscribe(lambda _: failed.set(), StoreFailed)
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("ALTER TABLE rotulus_changes RENAME TO elsewhere")
    assert failed.wait(30)
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("ALTER TABLE elsewhere RENAME TO rotulus_changes")
    connection.close()
    app.queues.pause("sums")

    assert "paused" == until(listener, "paused")[-1].data["what"]
    listener.close()
    settle(server)
    app.close()
