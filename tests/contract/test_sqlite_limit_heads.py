"""Claims of jobs with a limit from a file: no key above its limit, none forgotten, few rows read."""

import datetime as dt
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus import App, TaskRegistry, task
from rotulus._engine import claiming as claimer
from rotulus._jobs.states import State
from rotulus.store import ClaimFilter, NewJob, Terms
from rotulus.stores.sqlite import SqliteStore, choosing, claiming, limit_heads
from rotulus.stores.sqlite.lifeline import boot_id

pytestmark = pytest.mark.anywhere

KEYS, EACH, LIMIT = 12, 8, 2

MANY_KEYS = f"""
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000),
  state (name) AS (VALUES ('running'), ('queued'))
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, limit_key, limit_to,
  arguments, lease_until, boot, worker, attempt)
SELECT name || i, 't', 'q', 0, name, 1, 1, 'k' || i, 1, '{{}}',
  CASE name WHEN 'running' THEN 9000000000000000 END, '{boot_id()}', 'w', 1
FROM state CROSS JOIN n
"""

BEFORE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

HEADS = "SELECT count(*) FROM rotulus_limit_heads"
OPEN = "SELECT count(*) FROM rotulus_limit_heads WHERE opens_at = 0"
TRIGGERS = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'rotulus_head%'"


@pytest.fixture
def path(tmp_path):
    """A file that is not there yet."""
    return str(tmp_path / "jobs.db")


@pytest.fixture
def client(path):
    """A client of this version; the tables are not there yet."""
    made = SqliteStore(path)
    yield made
    made.close()


@pytest.fixture
def store(client):
    """The same; the tables are there."""
    client.migrate()
    return client


@pytest.fixture
def run(path):
    """Runs a statement on the file, as somebody who knows nothing of heads; the value it answers."""
    with closing(sqlite3.connect(path, timeout=60.0, isolation_level=None)) as connection:

        def run_one(statement):
            found = connection.execute(statement).fetchone()
            return found and found[0]

        yield run_one


def look_at_all(store, run):
    """Claim nothing, until no key is left that may have room."""
    assert [] == store.claim(ClaimFilter("w"), 10, 30.0)
    while run(OPEN) or run("SELECT limit_key FROM rotulus_limits_kept"):
        assert [] == store.claim(ClaimFilter("w"), 10, 30.0)


OLDER = """
    print("ready", flush=True)
    while not (counts := app.store.count()) or not all(count.state.ended for count in counts):
        claimed = app.store.claim(ClaimFilter("old"), 3, 30.0)
        app.store.settle([succeeded(job.id, job.attempt, "1") for job in claimed])
"""

MOST = """
CREATE TRIGGER watch AFTER UPDATE OF state ON rotulus_jobs WHEN NEW.state = 'running' BEGIN
  INSERT INTO seen SELECT count(*) FROM rotulus_jobs
  WHERE state = 'running' AND limit_key = NEW.limit_key;
END
"""


@pytest.mark.parametrize("versions", ["this", "both"])
def test_no_key_is_above_its_limit_and_every_job_ends(client, run, path, older, versions):
    """However many claim, settle, give back, cancel and add at the same moment, of two versions."""
    stores, jobs = [client, SqliteStore(path)], []
    end = time.monotonic() + 90

    def new(number):
        terms = Terms("t", limit_to=LIMIT, queue=f"q{number % 2}")
        return NewJob(job_id(number), "{}", terms, limit_key=f"k{number % KEYS}")

    def add(first):
        added = [new(number) for number in range(first, first + KEYS * EACH)]
        jobs.extend(job.id for job in client.add(added))

    def work(number, own):
        while time.monotonic() < end:
            claimed = own.claim(ClaimFilter(f"w{number}"), 3, 30.0)
            hows = ["succeeded", "released", "succeeded"]
            own.settle([OUTCOMES[hows[n]](job) for n, job in enumerate(claimed)])
            if claimed:
                own.cancel([jobs[number]])
            elif all(count.state.ended for count in own.count()):
                return

    others = [older(OLDER, f"sqlite:///{path}")] if versions == "both" else []
    for other in others:
        assert "ready\n" == other.stdout.readline()
    client.migrate()
    run("CREATE TABLE seen (running INTEGER)")
    run(MOST)
    add(0)
    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, number, own) for number, own in enumerate(stores * 2)]
        add(KEYS * EACH)
        for one in working:
            one.result(120)
    for other in others:
        other.communicate(timeout=60)
    stores[1].close()

    assert all(other.returncode == 0 for other in others)
    assert LIMIT == run("SELECT max(running) FROM seen")
    assert all(count.state.ended for count in client.count())
    assert run(TRIGGERS)


def test_keys_that_are_used_up_are_not_looked_at_again(store, run):
    """Once a claim has found them full, until a job of theirs ends; then that one is claimed."""
    run(MANY_KEYS)
    look_at_all(store, run)
    assert 3000 == run(HEADS)
    assert not store.wait(ClaimFilter("w"), 0.0)

    run("DELETE FROM rotulus_jobs WHERE id = 'running7'")
    assert 1 == run(OPEN)
    assert store.wait(ClaimFilter("w"), 0.0)
    assert ["k7"] == [job.limit_key for job in store.claim(ClaimFilter("w"), 10, 30.0)]
    assert not store.wait(ClaimFilter("w"), 0.0)


def test_a_key_opens_when_its_rate_has_room_again(file, monkeypatch):
    """And a worker that waits is told when."""
    monkeypatch.setattr(claiming, "_FEW_KEYS", 2)
    for number in range(6):
        file.add(limit_key=f"k{number % 3}", rate_to=1, rate_per=5.0)
    assert 3 == len(file.claim())
    assert [] == file.claim()
    assert not file.wait(0.0)
    file.clock.advance(5.0)

    assert file.wait(0.0)
    assert ["k0", "k1", "k2"] == [job.limit_key for job in file.claim()]


def test_keys_of_jobs_that_were_all_cancelled_are_looked_at_once(store, run):
    """Then nothing is left of them, and nobody is woken for them."""
    run(MANY_KEYS)
    look_at_all(store, run)
    run("UPDATE rotulus_jobs SET state = 'cancelled', ended_at = 1 WHERE state = 'queued'")
    assert store.wait(ClaimFilter("w"), 0.0)
    look_at_all(store, run)

    assert 0 == run(HEADS)
    assert not store.wait(ClaimFilter("w"), 0.0)


def test_a_claim_that_finds_nothing_ends_and_the_next_ones_go_on(store, run, monkeypatch):
    """However many keys have to be looked at: everybody who writes waits for the claim."""
    monkeypatch.setattr(choosing, "LONGEST", 0.0)
    monkeypatch.setattr(limit_heads, "_AT_ONCE", 700)
    run(MANY_KEYS)
    run("UPDATE rotulus_jobs SET limit_to = 2 WHERE id = 'queued2999'")
    found = []
    for claims in range(1, 100):
        found = store.claim(ClaimFilter("w"), 100, 30.0)
        if found:
            break
        assert store.wait(ClaimFilter("w"), 0.0)

    assert ["k2999"] == [job.limit_key for job in found]
    assert 5 < claims


def test_a_burst_goes_on_where_a_claim_has_ended_too_early(store, run, path, monkeypatch):
    """Nothing that is due is left, though the first claim finds nothing."""
    monkeypatch.setattr(choosing, "LONGEST", 0.0)
    monkeypatch.setattr(claimer, "_LONG", 0.0)
    registry = TaskRegistry()
    task(name="t", registry=registry)(print)
    run(MANY_KEYS)
    run("UPDATE rotulus_jobs SET limit_to = 2 WHERE id = 'queued2999'")
    with App(f"sqlite:///{path}", registry=registry) as app:
        app.run_worker(burst=True, slots=1)

    ended = "SELECT group_concat(limit_key) FROM rotulus_jobs WHERE ended_at IS NOT NULL"
    assert "k2999" == run(ended)


def test_heads_are_forgotten_when_nothing_waits_and_kept_again_later(store, run, monkeypatch):
    """Whoever uses limits no more pays nothing for triggers."""
    monkeypatch.setattr(claiming, "_LASTS", 0.0)
    run(MANY_KEYS)
    look_at_all(store, run)
    store.prune(BEFORE, [State.SUCCEEDED], 10)
    assert 3000 == run(HEADS)
    run("UPDATE rotulus_jobs SET state = 'delayed' WHERE state = 'queued'")
    store.prune(BEFORE, [State.SUCCEEDED], 10)
    assert (0, 0) == (run(HEADS), run(TRIGGERS))

    run("UPDATE rotulus_jobs SET state = 'queued' WHERE state = 'delayed'")
    run("DELETE FROM rotulus_jobs WHERE id = 'running7'")
    assert ["k7"] == [job.limit_key for job in store.claim(ClaimFilter("w"), 10, 30.0)]
    assert 0 < run(TRIGGERS)


def test_where_few_keys_have_jobs_waiting_there_are_no_triggers(store, run):
    """Nor are any where jobs have no limit."""
    run(MANY_KEYS.replace("'k' || i", "'k' || (i % 8)"))
    run(MANY_KEYS.replace("name || i", "'f' || name || i").replace("'k' || i", "NULL"))
    assert 10 == len(store.claim(ClaimFilter("w"), 10, 30.0))

    assert (0, 0) == (run(HEADS), run(TRIGGERS))
