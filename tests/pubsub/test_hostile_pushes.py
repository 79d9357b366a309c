"""What is pushed that is no message, or when the database is full: answered, and never run."""

import asyncio
import time

import psycopg
import pytest

from pubsub.malformed import Malformed
from pubsub.pushing import envelope, push
from pubsub.served import Service
from rotulus.errors import StoreCapacityError
from rotulus.pubsub import PubSubSettings
from rotulus.stores.postgres import PostgresStore, read_address
from servers.postgres import QUICK, PostgresServer, usual

ANSWERS = {200, 400}


def longest(service, requests, answer):
    """Answer requests; the longest time that it took, in seconds."""
    worst = 0.0
    for request in requests:
        begin = time.perf_counter()
        answered = answer(request)
        worst = max(worst, time.perf_counter() - begin)
        assert answered.status in ANSWERS, (request, answered)
        assert len(answered.text) < 30
    return worst


@pytest.fixture
def service(registry):
    """A service in memory."""
    made = Service("sqlite://", registry, PubSubSettings())
    yield made
    made.app.close()


def test_malformed_pushes_are_answered_and_break_nothing(service, stress_random):
    """Two thousand: no answer is an error of ours, none takes a second, a right one still runs."""
    malformed = Malformed(stress_random)
    requests = (malformed.draw() for _ in range(2_000))

    assert longest(service, requests, service.handler.handle) < 1.0
    assert all(type(left) is type(right) is int for left, right in service.ran)
    service.add.enqueue(20, 22)
    assert (200, "OK") == service.answer(service.carrier.push())
    assert 42 == service.job().result()


def test_malformed_pushes_are_answered_on_a_loop(service, stress_random):
    """The same over coroutines."""
    malformed = Malformed(stress_random)
    requests = [malformed.draw() for _ in range(300)]

    with asyncio.Runner() as runner:
        longest(service, requests, lambda r: runner.run(service.handler.ahandle(r)))


@pytest.fixture
def small_server(tmp_path_factory):
    """A PostgreSQL server that takes six connections, with tables; and their URL."""
    folder = tmp_path_factory.mktemp("small")
    few = (*QUICK, "max_connections=6", "superuser_reserved_connections=1")
    server = PostgresServer(usual(), folder / "server", few)
    server.start()
    try:
        url = server.url("postgres")
        store = PostgresStore(read_address(url))
        store.migrate()
        store.close()
        yield url
    finally:
        server.remove()


def used_up(url):
    """Connections, as many as the server takes."""
    taken = []
    with pytest.raises(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(url))
    return taken


@pytest.mark.anywhere
@pytest.mark.requirement("G-26")
def test_a_database_that_is_full_is_told_to_come_later(small_server, registry):
    """Answered with 429, in the words of the document; and when there is room again, the job runs."""
    service = Service(small_server, registry, PubSubSettings())
    taken = used_up(small_server)
    request = push(envelope({"task_id": "7", "task_name": "add"}))

    for answer in (service.handler.handle(request), service.handler.tick(push(b""))):
        assert (429, "Database at capacity") == (answer.status, answer.text)
        assert int(answer.headers["Retry-After"]) > 0
    assert answer == asyncio.run(service.handler.ahandle(request))
    with pytest.raises(StoreCapacityError, match="raise max_connections"):
        service.app.store.count()
    for connection in taken:
        connection.close()
    assert (200, "OK") == service.answer(request)
    assert 1 == len(service.ran)
    service.app.close()
