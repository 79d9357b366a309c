"""Claims of jobs with a limit on PostgreSQL: no key above its limit, none forgotten, few rows read."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from contract.limit_heads import forgotten
from contract.postgres_tables import make_tables
from contract.test_postgres_scale import touched
from contract.workbench import OUTCOMES, job_id
from rotulus import App, TaskRegistry, task
from rotulus._engine import claiming as claimer
from rotulus.store import ClaimFilter, NewJob, Terms
from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres import PostgresStore, claiming, read_address
from rotulus.stores.postgres.session import statements_in

pytestmark = pytest.mark.anywhere

KEYS, EACH, LIMIT = 6, 15, 2

MANY_KEYS = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, limit_key, limit_to,
  arguments, lease_until, worker, attempt)
SELECT md5(state || i)::uuid, 't', 'q', 0, state, 1, 1, 'k' || i % 5000, 1, '{}',
  CASE state WHEN 'running' THEN 9000000000000000 END, 'w', 1
FROM unnest(ARRAY['running', 'queued']) AS state, generate_series(1, 5000) AS i
"""
QUEUES = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, arguments)
SELECT md5(i::text)::uuid, 't', 'q' || i % 500, 0, 'queued', 1, 1, '{}'
FROM generate_series(1, 50000) AS i
"""
WANTED = {"queues": None, "names": "{t}", "worker": "w", "grace": None, "lease": "30000000"}
WANTED |= {"few_queues": "8"}


@pytest.fixture
def stores(database):
    """Three clients of this version; the tables are not there yet."""
    address = read_address(database)
    made = [PostgresStore(address) for _ in range(3)]
    yield made
    for store in made:
        store.close()


@contextmanager
def most_at_once(database):
    """Looks all the time how many jobs of a key run; gives a list of the most that were seen."""
    asked = (
        "SELECT count(*) FROM rotulus_jobs WHERE state = 'running' GROUP BY limit_key "
        "ORDER BY 1 DESC LIMIT 1"
    )
    seen, stop = [0], threading.Event()

    def look():
        with psycopg.connect(database, autocommit=True) as connection:
            while not stop.is_set():
                seen.extend(most for (most,) in connection.execute(asked))

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield seen
        finally:
            stop.set()
        looking.result(60)


def look_at_all(store, connection):
    """Claim nothing, until no key is left that may have room."""
    is_open = "SELECT EXISTS (SELECT FROM rotulus_limit_heads WHERE opens_at = 0)"
    while connection.execute(is_open).fetchone()[0]:
        assert [] == store.claim(ClaimFilter("w"), 10, 30.0)


OLDER = """
    print("ready", flush=True)
    while not (counts := app.store.count()) or not all(count.state.ended for count in counts):
        claimed = app.store.claim(ClaimFilter("old"), 3, 30.0)
        app.store.settle([succeeded(job.id, job.attempt, "1") for job in claimed])
"""


@pytest.mark.parametrize("versions", ["this", "both"])
def test_no_key_is_above_its_limit_and_every_job_ends(stores, database, older, versions):
    """However many claim, settle, give back, cancel and add at the same moment, of two versions."""
    store, jobs = stores[0], []
    end = time.monotonic() + 60

    def new(number):
        terms = Terms("t", limit_to=LIMIT, queue=f"q{number % 2}")
        return NewJob(job_id(number), "{}", terms, limit_key=f"k{number % KEYS}")

    def add(first):
        added = [new(number) for number in range(first, first + KEYS * EACH)]
        jobs.extend(job.id for job in store.add(added))

    def work(number, own):
        while time.monotonic() < end:
            claimed = own.claim(ClaimFilter(f"w{number}"), 3, 30.0)
            hows = ["succeeded", "released", "succeeded"]
            own.settle([OUTCOMES[hows[n]](job) for n, job in enumerate(claimed)])
            if claimed:
                own.cancel([jobs[number]])
            elif all(count.state.ended for count in own.count()):
                return

    clients = [older(OLDER, database)] if versions == "both" else []
    for client in clients:
        client.stdout.readline()
    store.migrate()
    add(0)
    with most_at_once(database) as seen, ThreadPoolExecutor(6) as pool:
        working = [pool.submit(work, number, own) for number, own in enumerate(stores * 2)]
        add(KEYS * EACH)
        for one in working:
            one.result(90)

    for client in clients:
        client.communicate(timeout=60)
    assert all(client.returncode == 0 for client in clients)
    assert LIMIT == max(seen)
    assert all(count.state.ended for count in store.count())
    assert [] == forgotten(database)


def test_keys_that_are_used_up_are_not_looked_at_again(postgres):
    """Once a claim has found them full, until a job of theirs ends; then that one is claimed."""
    with postgres.database() as url:
        store = PostgresStore(read_address(url))
        store.migrate()
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(MANY_KEYS)
            look_at_all(store, connection)
            connection.execute("VACUUM ANALYZE rotulus_limit_heads")
            connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
            assert touched(connection, "claim", **WANTED, limit="100") < 50
            assert touched(connection, "claimable", **WANTED) < 50
            connection.execute("DELETE FROM rotulus_jobs WHERE id = md5('running7')::uuid")
            assert ["k7"] == [job.limit_key for job in store.claim(ClaimFilter("w"), 10, 30.0)]
            assert [] == forgotten(url)
        store.close()


@pytest.mark.parametrize("earlier", [0, 3])
def test_a_transaction_tells_once_that_a_key_has_changed(postgres, earlier):
    """However many jobs of the key it ends, and whoever else has told that before."""
    with postgres.database() as url, psycopg.connect(url, autocommit=True) as connection:
        make_tables(connection)
        connection.execute(MANY_KEYS.replace("i % 5000", "'only'"))
        for number in range(1, earlier + 1):
            connection.execute(f"DELETE FROM rotulus_jobs WHERE id = md5('queued{number}')::uuid")
        with connection.transaction():
            for state in ("cancelled", "failed"):
                connection.execute(f"""
                    UPDATE rotulus_jobs SET state = '{state}', ended_at = 1 WHERE id IN (
                      SELECT id FROM rotulus_jobs WHERE state = 'queued' LIMIT 500)""")
                with connection.transaction():
                    connection.execute("DELETE FROM rotulus_jobs WHERE state = 'running'")

        told = connection.execute("SELECT count(*) FROM rotulus_limit_heads WHERE queue = ''")
        assert (earlier + 1,) == told.fetchone()


def test_keys_of_jobs_that_were_all_cancelled_are_looked_at_once(postgres):
    """A look for work does not read them all; it has them looked at by a claim, and then they are gone."""
    with postgres.database() as url:
        store = PostgresStore(read_address(url))
        store.migrate()
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(MANY_KEYS)
            look_at_all(store, connection)
            connection.execute("DELETE FROM rotulus_jobs WHERE state = 'queued'")
            connection.execute("VACUUM ANALYZE rotulus_limit_heads")
            connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
            heads = "SELECT count(*) FROM rotulus_limit_heads"
            look = statements_in(None)["claimable"]
            assert (5000,) <= connection.execute(heads).fetchone()
            assert touched(connection, "claimable", **WANTED) < 2000
            assert [(True, None)] == connection.execute(look, WANTED).fetchall()
            look_at_all(store, connection)
            assert (0,) == connection.execute(heads).fetchone()
            assert [(False, None)] == connection.execute(look, WANTED).fetchall()
        store.close()


def test_a_claim_that_finds_nothing_ends_and_the_next_ones_go_on(postgres, monkeypatch):
    """However many keys have to be looked at: a worker that stops waits for the claim."""
    monkeypatch.setattr(claiming, "LONGEST", 0.0)
    with postgres.database() as url:
        store = PostgresStore(read_address(url))
        store.migrate()
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(MANY_KEYS)
            connection.execute(
                "UPDATE rotulus_jobs SET limit_to = 2 WHERE id = md5('queued4000')::uuid"
            )
            closed = "SELECT count(*) FROM rotulus_limit_heads WHERE opens_at IS NULL"
            assert [] == store.claim(ClaimFilter("w"), 10, 30.0)
            assert 0 < connection.execute(closed).fetchone()[0] < 200
            claims = (store.claim(ClaimFilter("w"), 100, 30.0) for _ in range(100))
            assert ["k4000"] == [job.limit_key for job in next(filter(None, claims))]
        store.close()


def test_a_burst_goes_on_where_a_claim_has_ended_too_early(postgres, monkeypatch):
    """Nothing that is due is left, though the first claim finds nothing."""
    monkeypatch.setattr(claiming, "LONGEST", 0.0)
    monkeypatch.setattr(claimer, "_LONG", 0.0)
    with postgres.database() as url, psycopg.connect(url, autocommit=True) as connection:
        registry = TaskRegistry()
        task(name="t", registry=registry)(print)
        app = App(url, registry=registry)
        app.store.migrate()
        connection.execute(MANY_KEYS.replace("5000", "500"))
        connection.execute("UPDATE rotulus_jobs SET limit_to = 2 WHERE id = md5('queued400')::uuid")
        with app:
            app.run_worker(burst=True, slots=1)
        ended = "SELECT limit_key FROM rotulus_jobs WHERE ended_at IS NOT NULL"
        assert [("k400",)] == connection.execute(ended).fetchall()


def test_a_claim_locks_no_more_keys_than_it_is_told_to(postgres):
    """However many are next, have changed, or may open: all of them have room in the server's memory."""
    with postgres.database() as url, psycopg.connect(url) as connection:
        for step in known_migrations("postgres"):
            connection.execute(step.sql)
        connection.execute(MANY_KEYS)
        connection.execute("DELETE FROM rotulus_jobs WHERE state = 'running' AND limit_key < 'k2'")
        connection.execute("UPDATE rotulus_limit_heads SET opens_at = 1 WHERE limit_key > 'k4'")
        connection.commit()
        how = {**WANTED, "keys": "100", "seen": "{}"}
        [found] = connection.execute(statements_in(None)["lock_limits"], how).fetchall()
        ours, held, are_more, _, last = found
        locks = connection.execute(
            "SELECT count(*) FROM pg_locks "
            "WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND mode = 'ExclusiveLock'"
        )

        assert (len(ours), [], True) == (locks.fetchone()[0], held, are_more)
        assert 50 <= len(ours) <= 100
        assert {"k1", "k2", "k4"} <= {key[:2] for key in ours}
        assert last < 2**63 - 1


def test_a_claim_among_many_queues_locks_what_it_takes(postgres):
    """And reads little more, however many jobs wait in each of them; the usual claim soon gives up."""
    with postgres.database() as url, psycopg.connect(url, autocommit=True) as connection:
        make_tables(connection)
        connection.execute(QUEUES)
        connection.execute("ANALYZE")
        connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
        connection.prepare_threshold = None

        assert touched(connection, "claim", **WANTED, limit="100") < 200
        how = {"ahead": "1000", "heads": "1000", "depth": "1"}
        assert touched(connection, "choose_among_queues", **WANTED, **how) < 40 * 1000
        chosen = connection.execute(
            "SELECT array_agg(id)::text FROM rotulus_jobs WHERE seq <= 1000"
        )
        [[ids]] = chosen.fetchall()
        assert touched(connection, "claim_chosen", **WANTED, limit="100", ids=ids) < 30 * 100


def test_jobs_that_waited_before_the_tables_knew_of_heads_are_claimed(postgres):
    """The step that makes them fills them."""
    with postgres.database() as url:
        store = PostgresStore(read_address(url))
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            *first, last = known_migrations("postgres")
            for step in first:
                connection.execute(step.sql)
            connection.execute(MANY_KEYS)
            connection.execute("UPDATE rotulus_jobs SET limit_to = 2 WHERE limit_key = 'k7'")
            connection.execute(last.sql)

        assert [] == forgotten(url)
        assert ["k7"] == [job.limit_key for job in store.claim(ClaimFilter("w"), 10, 30.0)]
        store.close()
