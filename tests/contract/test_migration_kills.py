"""The migration is killed at every statement, and workers of the version before go on meanwhile.

With `--migrated-jobs 1000000` a million jobs are there, and no statement is left out.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from rotulus.errors import StoreError
from rotulus.store import Filter
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anywhere

TESTS = Path(__file__).parents[1]

COLUMNS = "id, task, queue, priority, state, created_at, run_at, ended_at, arguments, key, schedule"

VALUES = """
  'old', 'default', 0, CASE WHEN i % 10 = 7 THEN 'failed' ELSE 'succeeded' END,
  1700000000000000 + i, 1700000000000000 + i, 1700000000000000 + i, '{}',
  CASE WHEN i % 2 = 0 THEN 'often' END, CASE WHEN i % 2 = 0 THEN 'hourly' END
"""

ON_SQLITE = f"""
WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO rotulus_jobs ({COLUMNS})
SELECT printf('018bcfe5-0000-7000-8000-%012d', i), {VALUES} FROM n
"""

ON_POSTGRES = f"""
INSERT INTO rotulus_jobs ({COLUMNS})
SELECT ('018bcfe5-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, {VALUES}
FROM generate_series(1, :many) AS i
"""

PORTION = 50_000
"""How many jobs are written to a file at once: everybody else waits meanwhile."""

WORKER = """
    import os, threading
    from rotulus.errors import StoreBusyError
    asked, stopped = threading.Event(), threading.Event()

    def listen():
        for _ in sys.stdin:
            asked.set()
        stopped.set()

    def patiently(call, *words):  # a file is locked for as long as it is migrated
        while True:
            try:
                return call(*words)
            except StoreBusyError:
                pass

    threading.Thread(target=listen, daemon=True).start()
    print("ready", flush=True)
    done, refused = 0, 0
    while not stopped.is_set():
        answers = asked.wait(0.02)  # two of them that never rest leave the others no processor
        if answers:
            asked.clear()
        name = f"018f0000-{os.getpid() % 65536:04x}-7000-8000-{done:012x}"
        patiently(app.store.add, [NewJob(name, "{}", Terms("t"))])
        for job in patiently(app.store.claim, ClaimFilter("w"), 2, 60.0):
            outcome = succeeded(job.id, job.attempt, "1")
            refused += len(patiently(app.store.settle, [outcome]))
        patiently(app.store.rescue)
        done += 1
        if answers:
            print("done", flush=True)
    print(json.dumps(refused), flush=True)
"""

MISSING = ["0003 operations", "0004 access", "0005 steering"]


@pytest.fixture(scope="module")
def many(request):
    """How many jobs there are."""
    return request.config.getoption("--migrated-jobs")


@pytest.fixture
def stride(many):
    """How many statements lie between two that are killed."""
    return 1 if many >= 1_000_000 else 15


@pytest.fixture
def workers(older):
    """Two workers of the version before, on a database that has many jobs."""

    @contextmanager
    def at_work(url, fill):
        first = older(WORKER, url)
        started = [first]
        try:
            assert "ready\n" == first.stdout.readline()  # there are tables
            fill()
            started.append(older(WORKER, url))
            assert "ready\n" == started[1].stdout.readline()
            yield lambda: [_goes_on(worker) for worker in started]
            for worker in started:
                told, _ = worker.communicate(timeout=120)
                assert "0" == told.splitlines()[-1]  # no lease was lost
        finally:
            for worker in started:
                worker.kill()
                worker.communicate()

    return at_work


def _goes_on(worker):
    """Wait until it has finished a job since it was asked."""
    worker.stdin.write("\n")
    worker.stdin.flush()
    assert "done\n" == worker.stdout.readline()


def migrating(url, at=0):
    """A process that migrates, and is killed before a statement; 0: it is not."""
    return subprocess.Popen(
        [sys.executable, "-m", "contract.migrating", url, str(at)],
        cwd=TESTS,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        text=True,
    )


def was_killed(process):
    """Wait for it; whether it was killed, and not done with everything."""
    process.communicate(timeout=600)
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


def until(holds):
    """Wait for what another process brings about."""
    pause = threading.Event()
    for _ in range(3000):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come about")


def test_a_file_is_as_it_was_after_each_kill(tmp_path, workers, many, stride):
    """One transaction: whatever it was killed at, nothing of it is there."""
    path = str(tmp_path / "jobs.db")

    def fill():
        with closing(sqlite3.connect(path, timeout=60.0)) as connection:
            for first in range(1, many + 1, PORTION):
                last = min(many, first + PORTION - 1)
                connection.execute(ON_SQLITE, {"first": first, "last": last})
                connection.commit()

    store = SqliteStore(path)
    at = 1
    with workers(f"sqlite:///{path}", fill) as go_on:
        while was_killed(migrating(f"sqlite:///{path}", at)):
            assert MISSING == store.migrate(apply=False)
            go_on()
            at += stride
        go_on()

    assert at > stride
    assert [] == store.migrate()
    store.close()


@pytest.fixture
def served(database, many):
    """A database, what fills it, and a store of this version there."""

    def fill():
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(ON_POSTGRES.replace(":many", str(many)))

    store = PostgresStore(read_address(database))
    yield database, fill, store
    store.close()


def indexes_of(connection):
    """The indexes on the jobs: whether each is valid, by name."""
    found = connection.execute(
        "SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
        "WHERE indrelid = 'rotulus_jobs'::regclass"
    )
    return dict(found.fetchall())


def found_by(store):
    """What searches find that have an index of this version, or of the one before."""
    filters = (Filter(key="often"), Filter(schedule="hourly"), Filter(task="old"))
    return [[job.id for job in store.find(wanted)] for wanted in filters]


def test_on_a_server_each_statement_is_done_once_and_the_next_one_goes_on(served, workers):
    """The tables are of one version or of the other; then an index is added with each kill."""
    url, fill, store = served
    at, unfinished, found = 1, [], None
    with workers(url, fill) as go_on:
        while was_killed(migrating(url, at)):
            go_on()
            missing = store.migrate(apply=False)
            assert missing in ([], MISSING)
            at += 1
            if not missing:
                unfinished.append(len(store.unfinished()))
                found = found or found_by(store)
                assert found == found_by(store)
                at = 3  # the list of migrations, one index, and then the end
        go_on()

    assert [] == store.unfinished()
    assert found == found_by(store)
    assert unfinished == list(range(unfinished[0], 0, -1)), unfinished
    assert len(unfinished) > 5


HALT = """
CREATE SEQUENCE halts;
CREATE TABLE halt_at (number bigint);
INSERT INTO halt_at VALUES (0);
CREATE FUNCTION halt() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF nextval('public.halts') = (SELECT number FROM public.halt_at) THEN
    PERFORM pg_advisory_xact_lock(42);
  END IF;
END $$;
CREATE EVENT TRIGGER halt ON ddl_command_end EXECUTE FUNCTION halt();
"""
"""Migrations stop after a statement for as long as somebody holds the lock."""


def test_inside_of_the_transaction_a_kill_leaves_nothing(served, workers, postgres, stride):
    """The server undoes it, and whoever waited for the table goes on."""
    url, fill, store = served
    name = url.rpartition("/")[2].partition("?")[0]
    waits = (
        "FROM pg_locks JOIN pg_database AS d ON d.oid = database "
        f"WHERE datname = '{name}' AND locktype = 'advisory' AND NOT granted"
    )
    at = 1
    with workers(url, fill) as go_on:
        postgres.sql(HALT, name)
        with psycopg.connect(url, autocommit=True) as holder:
            holder.execute("SELECT pg_advisory_lock(42)")
            while True:
                postgres.sql(
                    f"SELECT setval('halts', 1, false); UPDATE halt_at SET number = {at}", name
                )
                process = migrating(url)
                until(lambda: process.poll() is not None or postgres.sql(f"SELECT 1 {waits}", name))
                if process.poll() is not None or store.migrate(apply=False) == []:
                    break  # what follows is outside of the transaction
                process.kill()
                process.communicate()
                postgres.sql(f"SELECT pg_terminate_backend(pid) {waits}", name)
                go_on()
                assert MISSING == store.migrate(apply=False)
                at += stride
            holder.execute("SELECT pg_advisory_unlock_all()")
            assert not was_killed(process)
        postgres.sql("DROP EVENT TRIGGER halt", name)
        go_on()

    assert at > 2 * stride
    assert [] == store.migrate()
    assert [] == store.unfinished()


@contextmanager
def half_built(url, store):
    """An index that waits to be finished: its name, its process, and what lets it go on."""
    with psycopg.connect(url, autocommit=True) as connection:
        store.migrate()
        connection.execute("DROP INDEX rotulus_jobs_key_id")
        with psycopg.connect(url) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("SELECT 1")
            process = migrating(url)
            until(lambda: indexes_of(connection).get("rotulus_jobs_key_id") is False)
            process.kill()
            process.communicate()
            yield connection, reader
            reader.rollback()


BUILDS = "FROM pg_stat_progress_create_index WHERE datname = current_database()"


def test_an_index_that_was_not_finished_is_built_again(served):
    """It is INVALID, and named so until then."""
    url, _, store = served
    with half_built(url, store) as (connection, reader):
        connection.execute(f"SELECT pg_terminate_backend(pid) {BUILDS}")
        until(lambda: not connection.execute(f"SELECT 1 {BUILDS}").fetchall())
        assert ["rotulus_jobs_key_id is not built yet"] == store.unfinished()
        reader.rollback()
        told = []
        assert [] == store.migrate(tell=told.append)

        assert ["DROP", "CREATE"] == [line.split()[3] for line in told]
        assert indexes_of(connection)["rotulus_jobs_key_id"]
    assert [] == store.unfinished()


def test_something_else_of_the_name_of_an_index_is_told(served):
    """PostgreSQL skips the statement for it: it is not tried for ever."""
    url, _, store = served
    store.migrate()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP INDEX rotulus_jobs_key_id; CREATE TABLE rotulus_jobs_key_id ()")

    with pytest.raises(StoreError, match="rotulus_jobs_key_id is not built yet: is there"):
        store.migrate()


def test_an_index_that_the_server_still_builds_is_waited_for(served):
    """Its process was killed, and the server has not noticed: it is not built twice."""
    url, _, store = served
    told = []
    with half_built(url, store) as (connection, reader):
        oid = connection.execute("SELECT 'rotulus_jobs_key_id'::regclass::oid").fetchone()
        assert "is being built now" in store.unfinished()[-1]
        waiting = threading.Thread(target=lambda: store.migrate(tell=told.append))
        waiting.start()
        until(lambda: told)
        reader.rollback()
        waiting.join(60)

        assert ["waiting"] == [line.split()[0] for line in told]
        assert oid == connection.execute("SELECT 'rotulus_jobs_key_id'::regclass::oid").fetchone()
    assert [] == store.unfinished()
