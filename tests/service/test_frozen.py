"""A server of a `Database` that is there, and does not answer: whoever waits is told in time."""

import asyncio
import tempfile
import time

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from rotulus.errors import StoreBusyError, StoreUnavailableError
from rotulus.service import ArtifactIn, ArtifactManager, Database
from servers.postgres import QUICK, PostgresServer, usual

pytestmark = pytest.mark.anywhere

ONE = text("SELECT 1")
DEADLINE = 2
"""Seconds of a call: a server that is there answers in that, on a busy machine, too."""

LONGEST = 30
"""Seconds on a busy machine for what has that deadline, and may connect once more."""


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server that may be frozen."""
    made = PostgresServer(usual(), tempfile.mkdtemp(prefix="rotulus-"), QUICK)
    made.start()
    yield made
    made.remove()


@pytest.fixture
def url(server):
    """The URL of a database there with the service's tables, and with seconds for each call.

    Tables take as long to make as the disk likes: they have no deadline.
    """
    with server.database() as made:
        asyncio.run(initialised(made))
        yield f"{made}?deadline={DEADLINE}"


async def initialised(url):
    """Make the tables of a service."""
    db = Database(url)
    await db.init()
    await db.dispose()


async def ask(db):
    """Use a session as a user does."""
    async with db.session() as session:
        return await session.scalar(ONE)


async def in_time(awaitable):
    """What it gives; it must not take long."""
    begun = time.monotonic()
    try:
        return await awaitable
    finally:
        assert time.monotonic() - begun < LONGEST


async def hold(server, session, *last):
    """Use a session, freeze the server, and do one thing more. Closes the session there, too."""
    async with session as held:
        await held.execute(ONE)
        server.freeze()
        for name in last:
            await getattr(held, name)()


@pytest.mark.parametrize("last", [["commit"], ["rollback"], []])
def test_a_session_ends_though_its_server_is_frozen(server, url, last):
    """Whatever it does at the last; and another one finds the server when it is back."""
    db = Database(url)

    async def main():
        try:
            with pytest.raises(DBAPIError, match=rf"no answer within {DEADLINE} seconds.*stopped"):
                await in_time(hold(server, db.session(), *last))
        finally:
            server.thaw()
        return await ask(db)

    assert 1 == asyncio.run(main())


def test_what_is_asked_of_a_frozen_server_comes_to_an_end(server, url):
    """On connections that are idle, those that are busy, and new ones; all at once."""
    db, manager = Database(url), ArtifactManager(Database(url))

    async def main():
        saved = await manager.save(ArtifactIn(data=1))
        await asyncio.gather(*[ask(db) for _ in range(5)])
        calls = [lambda: ask(db)] * 20 + [lambda: manager.get(saved.id)] * 20 + [Database(url).init]
        with server.frozen():
            told = await in_time(
                asyncio.gather(*[call() for call in calls], return_exceptions=True)
            )
        assert [StoreUnavailableError] * len(calls) == list(map(type, told)), told
        assert (await manager.get(saved.id)).data == 1

    asyncio.run(main())


def test_a_query_that_is_cancelled_ends_though_the_server_is_frozen(server, url):
    """Somebody else has given up: a client that went away, a timeout of the user's."""
    db = Database(url)

    async def wait():
        async with db.session() as session:
            await session.execute(ONE)
            waiting.set()
            await session.execute(text("SELECT pg_sleep(600)"))

    async def main():
        query = asyncio.create_task(wait())
        await waiting.wait()
        with server.frozen():
            query.cancel()
            with pytest.raises(asyncio.CancelledError):
                await in_time(query)

    waiting = asyncio.Event()
    asyncio.run(main())


def test_a_database_is_disposed_of_though_the_server_is_frozen(server, url):
    """With idle connections and one in use."""
    db = Database(url)

    async def main():
        await asyncio.gather(*[ask(db) for _ in range(5)])
        async with db.session() as session:
            await session.execute(ONE)
            with server.frozen():
                await in_time(db.dispose())

    asyncio.run(main())


def test_a_long_query_of_a_user_may_take_its_time(url):
    """Its server is there, and says so."""
    db = Database(url)

    async def main():
        async with db.session() as session:
            return await session.scalar(text("SELECT 7 FROM pg_sleep(5)"))

    assert 7 == asyncio.run(main())


def test_a_long_query_ends_when_its_server_freezes_meanwhile(server, url):
    """After it has been seen to be there."""
    db = Database(url)

    async def main():
        query = asyncio.create_task(long(db))
        await asyncio.to_thread(until_it_runs, server)
        with server.frozen(), pytest.raises(DBAPIError, match="no answer within"):
            await in_time(query)

    asyncio.run(main())


def until_it_runs(server):
    """Wait until the server is at the long query."""
    running = "SELECT query FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'"
    end = time.monotonic() + LONGEST
    while "pg_sleep" not in server.sql(running):
        assert time.monotonic() < end


async def long(db):
    """A query that does not end by itself."""
    async with db.session() as session:
        await session.execute(text("SELECT pg_sleep(600)"))


def test_a_call_of_the_service_waits_no_longer_for_a_lock(server, url):
    """It says that somebody else is at it, and leaves nothing behind on the server."""
    manager, place = ArtifactManager(Database(url)), url.partition("?")[0]

    async def main():
        with psycopg.connect(place) as other:
            other.execute("LOCK TABLE rotulus_artifacts")
            with pytest.raises(StoreBusyError, match="too long"):
                await in_time(manager.save(ArtifactIn(data=1)))
            waiting = other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        assert (0,) == waiting
        assert (await manager.save(ArtifactIn(data=1))).data == 1

    asyncio.run(main())


def test_keepalives_are_those_of_the_url_if_it_has_some(url):
    """Else ours, which find a connection whose other end is gone."""

    async def options(db):
        async with db.session() as session:
            raw = await (await session.connection()).get_raw_connection()
            told = raw.driver_connection.info.get_parameters()
            return told["keepalives_idle"], told["keepalives_count"]

    assert ("15", "3") == asyncio.run(options(Database(url)))
    assert ("60", "3") == asyncio.run(options(Database(f"{url}&keepalives_idle=60")))
