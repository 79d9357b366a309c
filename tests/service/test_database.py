"""One database for all event loops of a process: sessions that are fresh, closed, and the user's."""

import asyncio
import contextlib
import gc
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from rotulus import App, TaskRegistry
from rotulus.errors import (
    ConfigurationError,
    OptionError,
    StoreClosedError,
    StoreUnavailableError,
)
from rotulus.service import Database, SqliteDatabaseBuilder
from servers.postgres import QUICK, PostgresServer, usual

COUNT = text("SELECT count(*) FROM notes")
ADD = text("INSERT INTO notes VALUES (:note)")


async def make_notes(db):
    """A table of the user's own."""
    async with db.session() as session:
        await session.execute(text("CREATE TABLE notes (note TEXT)"))
        await session.commit()


async def count_notes(db):
    """How many there are."""
    async with db.session() as session:
        return await session.scalar(COUNT)


async def add_note(db, note):
    """Another one, committed."""
    async with db.session() as session:
        await session.execute(ADD, {"note": note})
        await session.commit()


@pytest.mark.requirement("C-59")
def test_C_59_a_database_in_memory_is_built_and_made_ready():
    """As the document's tests do it, without closing it; it says where it is."""

    async def main():
        db = SqliteDatabaseBuilder().in_memory().build()
        await db.init()
        async with db.session() as session:
            return str(db.url), await session.scalar(text("SELECT count(*) FROM rotulus_artifacts"))

    assert ("sqlite+aiosqlite:///:memory:", 0) == asyncio.run(main())


def test_a_database_in_a_file_is_where_it_was_told_to_be(tmp_path, monkeypatch):
    """Also after the process has gone to another folder."""
    db = SqliteDatabaseBuilder().from_file("notes.db").build()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    asyncio.run(db.init())

    assert (tmp_path / "notes.db").exists()
    assert f"sqlite+aiosqlite:///{tmp_path / 'notes.db'}" == db.url
    assert repr(db) == f"Database({db.url!r})"


def test_a_builder_is_told_where_the_database_is():
    """In words, and before anything is made."""
    with pytest.raises(ConfigurationError, match=r"Call in_memory\(\) or from_file\(path\) first"):
        SqliteDatabaseBuilder().build()
    with pytest.raises(OptionError, match="another name"):
        SqliteDatabaseBuilder.from_file("what?.db")


def test_two_databases_in_memory_have_nothing_in_common():
    """Each is seen by all sessions of its own."""

    async def main():
        one, other = Database("sqlite://"), Database("sqlite+aiosqlite:///:memory:")
        await make_notes(one)
        await make_notes(other)
        await add_note(one, "a")
        return await count_notes(one), await count_notes(other)

    assert (1, 0) == asyncio.run(main())


def test_a_session_is_fresh_and_closed_and_nothing_is_committed(db):
    """Unless the user does."""

    async def main():
        await make_notes(db)
        async with db.session() as first, db.session() as second:
            assert first is not second
            await first.execute(ADD, {"note": "lost"})
        assert not first.in_transaction()
        assert 0 == await count_notes(db)
        await add_note(db, "kept")
        return await count_notes(db)

    assert 1 == asyncio.run(main())


def test_a_session_whose_block_raises_is_closed_and_its_changes_are_gone(db):
    """The error is the user's."""

    async def main():
        await make_notes(db)
        with pytest.raises(ZeroDivisionError):
            async with db.session() as session:
                await session.execute(ADD, {"note": "lost"})
                1 / 0
        return await count_notes(db)

    assert 0 == asyncio.run(main())


def test_two_event_loops_in_two_threads_use_a_database_at_once(db):
    """Each has an engine of its own, and sees what the other commits."""
    asyncio.run(make_notes(db))
    met, engines = threading.Barrier(2), []

    async def write():
        engines.append(db.engine)
        await asyncio.to_thread(met.wait, 30)
        for n in range(20):
            await add_note(db, str(n))
        await asyncio.to_thread(met.wait, 30)
        return await count_notes(db)

    counts = []
    threads = [
        threading.Thread(target=lambda: counts.append(asyncio.run(write()))) for _ in range(2)
    ]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]

    assert [40, 40] == counts
    assert engines[0] is not engines[1]


def test_an_engine_goes_with_its_event_loop(any_url):
    """Its connections are closed before the loop ends, and nobody is told off for them."""
    made = Database(any_url)
    connections = []

    async def main():
        async with made.session() as session:
            await session.execute(text("SELECT 1"))
            raw = await (await session.connection()).get_raw_connection()
            connections.append(raw.driver_connection)

    asyncio.run(main())
    [connection] = connections
    alive = getattr(connection, "_connection", None)
    assert alive is None if any_url.startswith("sqlite") else connection.closed
    assert {} == made._engines


def test_a_database_that_nobody_holds_closes_its_connections(file_url):
    """While its event loop goes on."""

    async def main():
        made = Database(file_url)
        await made.init()
        async with made.session() as session:
            raw = await (await session.connection()).get_raw_connection()
            connection = raw.driver_connection
        del made, session, raw
        gc.collect()
        while connection._thread.is_alive():  # noqa: ASYNC110 - the driver tells nobody
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), 30))


def test_after_dispose_a_database_says_that_it_is_closed(db):
    """Also when another loop still had an engine."""
    started, over = threading.Event(), threading.Event()

    async def other():
        await db.init()
        started.set()
        await asyncio.to_thread(over.wait, 30)

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    started.wait(30)

    async def main():
        await db.init()
        await db.dispose()
        await db.dispose()
        with pytest.raises(StoreClosedError, match="is closed"):
            async with db.session():
                pass

    asyncio.run(main())
    over.set()
    thread.join(30)


def test_init_makes_the_tables_once(any_url):
    """However often it is called, also at once."""

    async def main():
        made = Database(any_url)
        await made.init()
        await asyncio.gather(*[made.init() for _ in range(5)])
        async with made.session() as session:
            return await session.scalar(text("SELECT count(*) FROM rotulus_artifacts"))

    assert 0 == asyncio.run(main())


def test_init_from_several_processes_at_once(shared_url):
    """Each succeeds: also the switch of a new file to WAL is waited for."""
    code = (
        "import asyncio, sys; from rotulus.service import Database\n"
        "db = Database(sys.argv[1]); sys.stdin.readline()\n"
        "asyncio.run(db.init()); print('ready')\n"
    )
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", code, shared_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    [(p.stdin.write("\n"), p.stdin.flush()) for p in programs]

    assert ["ready\n"] * 4 == [p.communicate(timeout=60)[0] for p in programs]


def test_a_file_has_foreign_keys_and_wal_and_patience(file_url):
    """On every connection."""

    async def main(url):
        async with Database(url).session() as session:
            names = ("foreign_keys", "journal_mode", "busy_timeout", "synchronous")
            return [await session.scalar(text(f"PRAGMA {name}")) for name in names]

    assert [1, "wal", 10000, 2] == asyncio.run(main(file_url))
    assert [1, "wal", 10000, 1] == asyncio.run(main(file_url + "?synchronous=normal"))


def test_a_key_of_nothing_is_refused(db):
    """SQLite would take it, unless it is told not to."""

    async def main():
        async with db.session() as session:
            await session.execute(text("CREATE TABLE a (id INTEGER PRIMARY KEY)"))
            await session.execute(text("CREATE TABLE b (a INTEGER REFERENCES a(id))"))
            await session.commit()
            with pytest.raises(IntegrityError):
                await session.execute(text("INSERT INTO b VALUES (7)"))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda path: None, r"unable to open database file; the folder .*/sub does not exist"),
        (lambda path: (path.parent.mkdir(), path.mkdir()), "unable to open database file"),
        (
            lambda path: (path.parent.mkdir(), path.write_bytes(b"no database" * 100)),
            "file is not a database; give the name of another file",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, prepare, said):
    """By init, and by a session that is used."""
    path = tmp_path / "sub" / "service.db"
    prepare(path)
    made = Database(f"sqlite:///{path}")

    async def use():
        async with made.session() as session:
            await session.execute(text("SELECT 1"))

    for coroutine in (made.init(), use()):
        with pytest.raises(StoreUnavailableError, match=f"{path}: {said}"):
            asyncio.run(coroutine)


def test_a_file_that_was_deleted_or_replaced_is_not_written_into(file_url, tmp_path):
    """What was committed there would be gone. Put back, it is used again."""
    made, file, kept = Database(file_url), tmp_path / "service.db", tmp_path / "kept.db"

    async def main():
        await make_notes(made)
        file.rename(kept)
        with pytest.raises(StoreUnavailableError, match="deleted or replaced while in use"):
            await add_note(made, "lost")
        file.write_bytes(b"")
        with pytest.raises(StoreUnavailableError, match="deleted or replaced while in use"):
            await add_note(made, "lost")
        kept.replace(file)
        await add_note(made, "kept")
        return await count_notes(made)

    assert 1 == asyncio.run(main())


def test_a_file_that_was_overwritten_and_put_back_is_read_again(file_url, tmp_path):
    """By connections that were open meanwhile, and were used."""
    made, file = Database(file_url), tmp_path / "service.db"

    async def main():
        await make_notes(made)
        await add_note(made, "kept")
        held = await asyncio.to_thread(spoil, file)
        for _ in range(3):
            with pytest.raises((DatabaseError, StoreUnavailableError), match="not a database"):
                await count_notes(made)
        file.write_bytes(held)
        await add_note(made, "another")
        return await count_notes(made)

    assert 2 == asyncio.run(main())


def spoil(file):
    """Overwrite a database in place; what it held."""
    with contextlib.closing(sqlite3.connect(file)) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = file.read_bytes()
    file.write_bytes(b"x" * len(held))
    return held


def test_a_server_that_cannot_be_reached_is_named_without_the_password():
    """With what to look at."""
    made = Database("postgresql://me:secret@127.0.0.1:9/shop")

    with pytest.raises(StoreUnavailableError, match="is the server running there") as caught:
        asyncio.run(made.init())
    assert "127.0.0.1:9/shop" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_url_is_shown_without_its_password():
    """As text, and in what a debugger shows."""
    made = Database("postgresql://me:sec%40ret@host/shop?sslmode=require&schema=jobs&listen=false")

    assert "postgresql+psycopg://me@host/shop?sslmode=require" == str(made.url)
    assert "ret" not in repr(made)


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("mysql://root:secret@host/shop", OptionError, "not a store URL"),
        ("sqlite:/x.db", OptionError, "not a store URL"),
        ("sqlite://x.db", OptionError, "three slashes"),
        ("sqlite:///x.db?mode=ro", OptionError, "three slashes"),
        ("postgresql://me:secret@host:port/shop", OptionError, "cannot be read"),
        ("postgresql://host/shop?deadline=soon", OptionError, "has to be seconds"),
        ("postgresql://host/shop?deadline=inf", OptionError, "has to be seconds"),
        ("postgresql+secretdriver://host/shop", OptionError, "has no driver"),
        ("postgresql+asyncpg://host/shop", ConfigurationError, "pip install asyncpg"),
    ],
)
def test_a_url_that_is_none_is_refused_where_it_is_written(url, error, said):
    """And its password is not shown."""
    with pytest.raises(error, match=said) as caught:
        Database(url)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "url", "said"),
    [
        ("psycopg", "postgresql://host/shop", "pip install 'rotulus[postgres]'"),
        ("aiosqlite", "sqlite://", "pip install 'rotulus[service]'"),
        ("sqlalchemy", "sqlite://", "pip install 'rotulus[service]'"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_the_line_that_installs_it(
    missing, url, said, tmp_path
):
    """In a Python that does not find it."""
    code = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from rotulus import ConfigurationError\n"
        "try: from rotulus.service import Database; Database(sys.argv[2])\n"
        "except ConfigurationError as error: print(error)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, missing, url], capture_output=True, text=True
    )

    assert said in told.stdout, told.stderr


def test_forked_children_have_connections_of_their_own(shared_url):
    """And leave those of their parent alone: it goes on with them."""
    made = Database(shared_url)

    async def main():
        await make_notes(made)
        await add_note(made, "parent")
        children = [fork(lambda: asyncio.run(add_note(made, "child"))) for _ in range(3)]
        assert [0, 0, 0] == [await asyncio.to_thread(wait_for, child) for child in children]
        await add_note(made, "parent")
        return await count_notes(made)

    assert 5 == asyncio.run(main())


def test_a_forked_child_is_told_that_memory_is_not_shared():
    """It would see what nobody else sees."""
    made = Database("sqlite://")

    def use():
        with pytest.raises(StoreUnavailableError, match="use a file"):
            asyncio.run(made.init())

    assert 0 == wait_for(fork(use))
    asyncio.run(made.init())


def fork(call):
    """A child that makes a call, and ends with 0 if that goes well."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    with contextlib.suppress(BaseException):
        asyncio.events._set_running_loop(None)
        call()
        code = 0
    os._exit(code)


def wait_for(pid):
    """The exit code of a child."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_eight_writers_share_a_file_with_the_jobs_of_an_app(file_url):
    """Nobody is told that it is locked, and nothing is lost."""
    registry = TaskRegistry()
    registry.register("note")(lambda n: n)
    app = App(file_url, registry=registry)
    made = Database(file_url)
    asyncio.run(made.init())
    asyncio.run(make_notes(made))
    failures = []

    def enqueue():
        try:
            for n in range(100):
                app.enqueue("note", n=n)
        except Exception as error:
            failures.append(error)

    async def write():
        await asyncio.gather(*[add_note(made, str(n)) for n in range(100)])

    def sessions():
        try:
            asyncio.run(write())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=call) for call in [enqueue, sessions] * 4]
    [thread.start() for thread in threads]
    [thread.join(120) for thread in threads]

    assert [] == failures
    assert 400 == asyncio.run(count_notes(made))
    assert 400 == app.jobs.count()
    app.close()


def test_eight_writers_share_a_database_in_memory():
    """Each waits for the others."""
    made = Database("sqlite://")
    asyncio.run(make_notes(made))

    async def write():
        await asyncio.gather(*[add_note(made, str(n)) for n in range(50)])

    failures = []

    def sessions():
        try:
            asyncio.run(write())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=sessions) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join(120) for thread in threads]

    assert [] == failures
    assert 400 == asyncio.run(count_notes(made))


def test_a_schema_is_made_and_looked_in_first(database):
    """Before `public`, where the user's own tables may be."""
    made = Database(f"{database}?schema=jobs")

    async def main():
        public = Database(database)
        await make_notes(public)
        await public.dispose()
        await made.init()
        async with made.session() as session:
            where = text("SELECT schemaname FROM pg_tables WHERE tablename = 'rotulus_artifacts'")
            return await session.scalar(where), await count_notes(made)

    assert ("jobs", 0) == asyncio.run(main())


def test_a_server_that_was_restarted_is_connected_to_again(start_postgres, tmp_path):
    """The next session does not fail with a connection of before."""

    server = PostgresServer(usual(), tempfile.mkdtemp(prefix="rotulus-"), QUICK)
    server.start()
    try:
        made = Database(server.url())

        async def main():
            await make_notes(made)
            await asyncio.to_thread(server.stop)
            with pytest.raises(StoreUnavailableError, match="is the server running there"):
                await count_notes(made)
            await asyncio.to_thread(server.start)
            return await count_notes(made)

        assert 0 == asyncio.run(main())
    finally:
        server.remove()
