"""Jobs of Pub/Sub whose arguments are encrypted in the database, and not in their messages."""

import base64
import json
import sqlite3
from contextlib import closing

import psycopg
import pytest
from cryptography.fernet import Fernet

from pubsub.pushing import envelope
from pubsub.pushing import push as push_of
from pubsub.served import Service
from rotulus import State, TaskRegistry
from rotulus.pubsub import PubSubSettings

pytestmark = pytest.mark.anywhere

CANARY = 40_000_001


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """Where jobs are, on either store."""
    if request.param == "postgres":
        return request.getfixturevalue("database")
    return f"sqlite:///{tmp_path}/jobs.db"


@pytest.fixture
def cipher():
    """A cipher with a key of its own."""
    return Fernet(Fernet.generate_key())


@pytest.fixture
def serve(url):
    """Makes services on one place, each with tasks and a cipher of its own."""
    made = []

    def make(cipher):
        made.append(Service(url, TaskRegistry(), PubSubSettings(), cipher=cipher))
        made[-1].app.store.migrate()
        return made[-1]

    yield make
    for service in made:
        service.app.close()


def sent(push):
    """The arguments in the message of a push."""
    data = json.loads(push.body)["message"]["data"]
    return json.loads(base64.b64decode(data))["kwargs"]


def test_a_message_can_be_read_and_the_database_cannot(serve, cipher, url, tmp_path):
    """Its receiver may be another program; the job runs with what the database has."""
    service = serve(cipher)
    job = service.add.enqueue(CANARY, right=1)
    push = service.carrier.push()

    assert {"left": CANARY, "right": 1} == sent(push)
    assert (200, "OK") == service.answer(push)
    assert CANARY + 1 == job.refresh().result(0)
    if url.startswith("sqlite"):
        stored = b"".join(p.read_bytes() for p in tmp_path.glob("jobs.db*") if p.is_file())
    else:
        with psycopg.connect(url) as connection:
            stored = repr(connection.execute("SELECT t::text FROM rotulus_jobs t").fetchall())
            stored = stored.encode()
    assert str(CANARY).encode() not in stored and b"$cipher" in stored


def test_an_endpoint_without_the_key_leaves_the_job_to_others(serve, cipher):
    """The push is answered so that the message comes again; with the key the job runs."""
    owner, stranger = serve(cipher), serve(None)
    job = owner.add.enqueue(CANARY)
    push = owner.carrier.push()

    assert [(429, "Not now")] * 2 == [stranger.answer(push) for _ in range(2)]
    job = job.refresh()
    assert [] == stranger.ran
    assert (State.DELAYED, "unreadable", 1, 0) == (
        job.state,
        job.reason,
        job.attempt,
        job.record.failures,
    )
    owner.app.jobs.edit(job.id, delay=0)
    assert (200, "OK") == owner.answer(push)
    assert CANARY + 1 == job.refresh().result(0)


def test_a_program_without_the_key_publishes_what_it_cannot_read(serve, cipher, url):
    """Nothing is lost by that: the job is run by its id."""
    owner, stranger = serve(cipher), serve(None)
    connect = psycopg.connect if url.startswith("postgres") else sqlite3.connect
    with closing(connect(url.removeprefix("sqlite:///"))) as connection:
        job = owner.add.using(connection=connection).enqueue(CANARY)
        connection.commit()  # and nobody relays it here
    assert 1 == stranger.app.relay()
    push = stranger.carrier.push()

    assert ["$cipher"] == list(sent(push))
    assert (200, "OK") == owner.answer(push)
    assert CANARY + 1 == job.refresh().result(0)


def test_a_message_that_comes_from_elsewhere_is_stored_encrypted(serve, cipher):
    """As an enqueue is."""
    owner = serve(cipher)
    data = {"task_id": "7", "task_name": "add", "args": [CANARY], "kwargs": {}}
    answer = owner.answer(push_of(envelope(data, subscription=owner.routes[0].subscription_name)))
    [job] = owner.app.jobs()

    assert (200, "OK") == answer
    assert (CANARY + 1, CANARY) == (job.result(0), job.arguments["left"])
    [seen] = serve(None).app.jobs()
    assert ["$cipher"] == list(seen.arguments)
