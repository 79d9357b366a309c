"""From the tables of the first version to these: with jobs in them, and while they are used."""

import json
import sqlite3
from contextlib import closing, contextmanager
from threading import Thread

import psycopg
import pytest

from rotulus._jobs.outcome import succeeded
from rotulus._jobs.record import moment
from rotulus.store import Filter, NewJob, Terms
from rotulus.stores import _migrations
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore


@pytest.fixture
def first_only(monkeypatch):
    """For the length of a block, this version knows only the first step."""
    known = _migrations.known_migrations

    @contextmanager
    def block():
        with monkeypatch.context() as patch:
            for module in ("sqlite", "postgres"):
                patch.setattr(f"rotulus.stores.{module}.migrate.known_migrations", _first(known))
            patch.setattr(_migrations, "known_migrations", _first(known))
            yield

    return block


def _first(known):
    return lambda store: known(store)[:1]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.anywhere)])
def url(request, tmp_path):
    """An empty place."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    return request.getfixturevalue("database")


@pytest.fixture
def open_store(url):
    """Opens stores there, without bringing their tables up to date."""
    opened = []

    def open_one():
        made = SqliteStore(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
        opened.append(made or PostgresStore(read_address(url)))
        return opened[-1]

    yield open_one
    [one.close() for one in opened]


def test_what_is_there_stays(older, url, open_store):
    """Jobs, their attempts and their runs; an attempt that was begun before is settled after it."""
    program = """
        app.store.add([new(priority=1), new(delay=60.0)])
        [job] = app.store.claim(ClaimFilter("w"), 1, 3600.0)
        app.store.settle([retried(job.id, job.attempt, ErrorInfo("ValueError", "no"), 3600.0)])
        whole = new(parts=[new(step="a", workflow="w")])
        app.store.add([whole, new(priority=9)])
        held = app.store.claim(ClaimFilter("w", ids=[whole.id]), 1, 3600.0)
        held += app.store.claim(ClaimFilter("w"), 1, 3600.0)
        jobs = [app.store.get(job.id)._asdict() for job in app.store.find()]
        print(json.dumps([jobs, [(job.id, job.attempt) for job in held]]))
    """
    told, _ = older(program, url).communicate(timeout=60)
    before, held = json.loads(told)
    store = open_store()
    assert ["0003 operations", "0004 access", "0005 steering"] == store.migrate(apply=False)
    assert ["0003 operations", "0004 access", "0005 steering"] == store.migrate()
    assert [] == store.migrate()

    assert 5 == len(before)
    for job in before:
        now = store.get(job["id"])._asdict()
        assert job == {name: now[name] for name in job}
    assert held
    assert [] == store.settle([succeeded(job, attempt, "1") for job, attempt in held])


def test_workers_go_on_meanwhile(older, url, open_store):
    """What a client of the version before does needs nothing of the new tables."""
    program = """
        total, done = 300, []
        app.store.add([new() for _ in range(total)])
        print("ready", flush=True)
        while len(done) < total:
            for job in app.store.claim(ClaimFilter("w"), 2, 30.0):
                refused = app.store.settle([succeeded(job.id, job.attempt, "1")])
                done.extend([] if refused else [job.id])
            if len(done) < total:
                app.store.add([new(), new()]) if len(done) == 100 else None
                total += 2 * (len(done) == 100)
        print(json.dumps(done))
    """
    client = older(program, url)
    client.stdout.readline()
    store = open_store()
    assert ["0003 operations", "0004 access", "0005 steering"] == store.migrate()
    done = json.loads(client.communicate(timeout=60)[0])

    assert len(done) == len(set(done)) >= 300
    assert {"succeeded": len(done)} == {count.state: count.jobs for count in store.count()}


def test_schedules_of_the_version_before_are_declared_ones(older, url, open_store):
    """Its workers remember schedules in tables of this version, too, and both fire an instant once."""
    program = """
        from rotulus.store import Filter, ScheduleEntry
        print("ready", flush=True)
        while not app.store.find(Filter(task="go")):
            app.store.wait(ClaimFilter("w"), 0.2)
        since = app.store.schedules([ScheduleEntry("tidy", "* * * * *", "UTC")])
        app.store.add([new("tidy", key="tidy@2026-01-01T00:00Z", window=600.0)])
        print(json.dumps({name: at.isoformat() for name, at in since.items()}))
    """
    client = older(program, url)
    client.stdout.readline()
    store = open_store()
    store.migrate()
    store.add([NewJob("00000000-0000-7000-8000-000000002000", "{}", Terms("go"))])
    told, _ = client.communicate(timeout=60)
    [row] = store.schedules.changed(-1)
    assert {"tidy": moment(row.since).isoformat()} == json.loads(told)
    assert ("code", "tidy", None, 1) == (row.origin, row.name, row.paused_at, row.version)

    store.schedules.declare([row.entry])
    [again] = store.schedules.read()
    assert (row.since, row.version) == (again.since, again.version)
    [job] = store.find(Filter(task="tidy"))
    new = NewJob(
        "00000000-0000-7000-8000-000000001000",
        "{}",
        Terms("tidy", window=600.0),
        "tidy@2026-01-01T00:00Z",
    )
    assert [job.id] == [one.id for one in store.schedules.fire(again, again.since + 1, [new]).jobs]


@pytest.mark.anywhere
def test_roles_keep_their_rights(database, first_only):
    """Whoever deletes old jobs deletes what is to be published of them; who looks may look."""
    store = PostgresStore(read_address(database))
    with first_only():
        store.migrate()
    with psycopg.connect(database, autocommit=True) as connection:
        for role in ("keeps", "looks"):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_jobs TO keeps")
        connection.execute("GRANT SELECT ON rotulus_jobs TO looks, PUBLIC")
    store.migrate()
    with psycopg.connect(database, autocommit=True) as connection:

        def may(role, table):
            asked = "SELECT has_table_privilege(%s, %s, %s)"
            rights = ("SELECT", "INSERT", "UPDATE", "DELETE")
            told = [connection.execute(asked, (role, table, right)) for right in rights]
            return [cursor.fetchone()[0] for cursor in told]

        every, none, read = [True] * 4, [False] * 4, [True, False, False, False]
        assert (every, read) == (may("keeps", "rotulus_outbox"), may("looks", "rotulus_outbox"))
        assert (every, none) == (may("keeps", "rotulus_audit"), may("looks", "rotulus_audit"))
        assert (every, none) == (may("keeps", "rotulus_webhooks"), may("looks", "rotulus_webhooks"))
        for table in ("rotulus_tokens", "rotulus_limit_terms", "rotulus_mutes"):
            assert (read, read) == (may("keeps", table), may("looks", table))
        for role in ("keeps", "looks"):
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
    store.close()


@pytest.mark.anywhere
def test_a_table_that_is_in_use_is_waited_for_in_turns(database, first_only):
    """Those who come after it wait for some seconds, and not for the one who holds the table."""
    store = PostgresStore(read_address(database))
    with first_only():
        store.migrate()
    waits = (
        "SELECT 1 FROM pg_locks WHERE relation = 'rotulus_jobs'::regclass AND NOT granted "
        "AND mode = 'AccessExclusiveLock'"
    )
    with psycopg.connect(database) as holder, psycopg.connect(database, autocommit=True) as other:
        holder.execute("SELECT FROM rotulus_jobs")
        told = []
        migrating = Thread(target=lambda: store.migrate(tell=told.append))
        migrating.start()
        while not other.execute(waits).fetchall():
            assert migrating.is_alive()
        other.execute("SELECT FROM rotulus_jobs")  # behind it

        assert ["0002 outbox", "0003 operations", "0004 access", "0005 steering"] == store.migrate(
            apply=False
        )
        assert migrating.is_alive()
        holder.rollback()
        migrating.join(60)
    assert "waiting for a table that is in use" == told[0]
    assert [] == store.migrate(apply=False)
    assert [] == store.unfinished()
    store.close()


def test_the_script_for_other_tools_makes_the_same_tables(tmp_path):
    """With both steps in it, and their checksums."""
    store = SqliteStore(str(tmp_path / "jobs.db"))
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.executescript(store.tables_sql)

    assert [] == store.migrate()
    store.close()


@pytest.mark.anywhere
def test_so_it_does_on_a_server(database, postgres):
    """With what the steps do beside making tables, and with the indexes that follow."""
    store = PostgresStore(read_address(database))
    postgres.script(store.tables_sql, database.rpartition("/")[2].partition("?")[0])

    assert [] == store.migrate(apply=False)
    assert [] == store.unfinished()
    store.close()


def test_the_first_step_is_what_it_was():
    """Who has applied it must never hear that another build made the tables."""
    sums = {store: _migrations.known_migrations(store)[0].checksum[:12] for store in FIRST}

    assert sums == FIRST


FIRST = {"sqlite": "d32df3e0be68", "postgres": "15ddcd016e60"}
