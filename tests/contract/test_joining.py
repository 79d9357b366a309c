"""Jobs join the transactions of applications: they exist when those commit, and never otherwise."""

import asyncio
import sqlite3
from contextlib import closing, contextmanager

import django
import psycopg
import pytest
import sqlalchemy
from django.conf import settings as django_settings
from django.db import connections, transaction
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from contract.workbench import OUTCOMES, job_id
from rotulus import App, TaskRegistry, task
from rotulus._jobs.outcome import opened, succeeded
from rotulus.errors import OptionError


@pytest.fixture
def server(make_bench):
    """A store on a server."""
    return make_bench("postgres")


@pytest.fixture
def url(server, migrated):
    """Where that is, for applications."""
    return migrated("postgres")


@contextmanager
def through_psycopg(url):
    """A connection of psycopg, in a transaction."""
    with psycopg.connect(url) as connection:
        yield connection, connection.execute
        connection.rollback()


@contextmanager
def through_sqlalchemy(url):
    """A session of SQLAlchemy."""
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with Session(engine) as session:
        yield session, lambda sql: session.execute(sqlalchemy.text(sql))
    engine.dispose()


@contextmanager
def through_sqlalchemy_core(url):
    """A connection of SQLAlchemy."""
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield connection, lambda sql: connection.execute(sqlalchemy.text(sql))
    engine.dispose()


@contextmanager
def through_django(url):
    """A connection of Django."""
    parts = sqlalchemy.make_url(url)
    if not django_settings.configured:
        django_settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.dummy"}})
        django.setup()
    connections.databases["jobs"] = {
        **connections.databases["default"],
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.database,
        "HOST": parts.host,
        "PORT": parts.port,
        "USER": parts.username,
        "ATOMIC_REQUESTS": False,
        "AUTOCOMMIT": True,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {},
    }
    with transaction.atomic(using="jobs"):
        yield connections["jobs"], lambda sql: connections["jobs"].cursor().execute(sql)
        transaction.set_rollback(True, using="jobs")
    connections["jobs"].close()
    del connections["jobs"]


WAYS = [through_psycopg, through_sqlalchemy, through_sqlalchemy_core, through_django]


@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_there_when_the_transaction_commits(server, url, way):
    """And not a moment before."""
    with way(url) as (connection, execute):
        [record] = server.store.add([server.new()], connection)
        assert server.store.get(record.id) is None
        execute("COMMIT")
        assert record == server.store.get(record.id)._replace(history=None)


@pytest.mark.parametrize("way", WAYS)
def test_a_job_goes_with_a_transaction_that_is_rolled_back(server, url, way):
    """With whatever else it did."""
    with way(url) as (connection, execute):
        execute("CREATE TABLE mine (a int)")
        server.store.add([server.new(), server.new(key="k")], connection)

    assert [] == server.store.find()


@pytest.mark.parametrize("way", WAYS)
def test_a_job_with_parts_joins_with_them(server, url, way):
    """And one that is opened there has its parts when the transaction commits."""
    job = server.running()
    with way(url) as (connection, execute):
        whole = server.new("run", parts=server.parts({"a": [], "b": ["a"]}))
        server.store.add([whole], connection)
        inner = server.parts({"x": []})
        assert [] == server.store.settle([opened(job.id, job.attempt, inner)], connection)
        assert 1 == len(server.store.find())
        execute("COMMIT")

    assert {"": "blocked", "a": "queued", "b": "blocked"} == server.steps(whole.id)
    assert {"": "blocked", "x": "queued"} == server.steps(job.id)


@pytest.mark.parametrize("way", WAYS)
def test_who_waits_is_due_when_the_transaction_that_ends_its_need_commits(server, url, way):
    """And waits on if it is rolled back."""
    ids = server.add_run({"a": [], "b": ["a"]})
    [part] = server.claim()
    with way(url) as (connection, _):
        server.store.settle([OUTCOMES["succeeded"](part)], connection)

    assert {"": 1, "a": 0, "b": 1} == server.waits(ids[""])
    with way(url) as (connection, execute):
        server.store.settle([OUTCOMES["succeeded"](part)], connection)
        execute("COMMIT")
    assert ["b"] == server.work()


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_held_within_the_transaction(server, url, way):
    """Its holder is given, with an id that is a text."""
    with way(url) as (connection, _):
        [first] = server.store.add([server.new(key="k")], connection)
        [second] = server.store.add([server.new(key="k")], connection)

    assert first == second._replace(history=None)


@pytest.mark.parametrize("way", WAYS)
def test_an_outcome_is_recorded_when_the_transaction_commits(server, url, way):
    """Until then the job runs."""
    job = server.running()
    with way(url) as (connection, execute):
        assert [] == server.store.settle([succeeded(job.id, 1, "7")], connection)
        assert "running" == server.state(job)
        execute("COMMIT")

    assert "succeeded" == server.state(job)


@pytest.mark.parametrize("way", WAYS)
def test_an_outcome_that_is_late_is_refused_in_a_transaction_too(server, url, way):
    """So that the transaction can be rolled back."""
    job = server.ended()
    with way(url) as (connection, _):
        [refused] = server.store.settle([OUTCOMES["failed"](job)], connection)

    assert (job.id, 1) == refused


def test_an_asynchronous_session_is_joined(server, url):
    """From `aenqueue`, which waits for it as it is to be waited for."""
    app = App(url, registry=TaskRegistry())
    note = task(name="note", registry=app.registry)(lambda: None)

    async def enqueue(how):
        engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        async with AsyncSession(engine) as session:
            job = await note.using(connection=session).aenqueue()
            assert server.store.get(job.id) is None
            await getattr(session, how)()
        async with engine.connect() as connection:
            other = await app.using(connection=connection).aenqueue("note")
            await getattr(connection, how)()
        await engine.dispose()
        return [job.id, other.id]

    gone = asyncio.run(enqueue("rollback"))
    there = asyncio.run(enqueue("commit"))
    app.close()

    assert [None, None] == [server.store.get(job) for job in gone]
    assert there == [server.store.get(job).id for job in there]


def test_another_connection_is_refused(server, url):
    """The message says which would do."""
    takes = "takes a connection of psycopg, a connection or session"

    async def add():
        async with await psycopg.AsyncConnection.connect(url) as connection:
            with pytest.raises(OptionError, match=takes):
                server.store.add([server.new()], connection)

    asyncio.run(add())
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(OptionError, match=takes),
    ):
        server.store.add([server.new()], connection)


@pytest.mark.anywhere
@pytest.mark.parametrize("kind", ["file", "postgres"])
def test_what_is_refused_as_a_connection_is_not_shown(make_bench, kind):
    """It may be an address with a password."""
    bench = make_bench(kind)
    with pytest.raises(OptionError, match="connection= is a str") as caught:
        bench.store.add([bench.new()], "postgresql://me:hunter2@db/jobs")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("deleted", ["jobs.db", "other.db"])
def test_a_connection_to_a_file_that_was_deleted_is_refused(file, tmp_path, deleted):
    """Whichever of the two it was."""
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE orders (id)")
        (tmp_path / deleted).unlink()
        with pytest.raises(OptionError, match="only a connection to the same file"):
            file.store.add([file.new()], connection)


def test_a_worker_is_woken_by_the_commit(server, url):
    """Not before, and not much later."""
    from contract.test_wait import waiting

    with psycopg.connect(url) as connection:
        server.wait(0.01)  # it listens from now on
        server.store.add([server.new()], connection)
        thread, answers = waiting(server)
        assert [] == answers
        connection.commit()
        thread.join(20)

    assert [True] == answers


def test_a_job_that_does_not_exist_is_refused(server, url):
    """As everywhere."""
    with psycopg.connect(url) as connection:
        assert 1 == len(server.store.settle([succeeded(job_id(0), 1, "1")], connection))
