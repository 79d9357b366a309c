"""What a search touches of a large table: rows and steps, and never wall time.

With `--many-jobs 1000000` the table has a million jobs.
"""

import sqlite3

import psycopg
import pytest

from contract.postgres_tables import make_tables
from rotulus._jobs.states import LIVE, State
from rotulus.store import Filter
from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres import session as on_postgres
from rotulus.stores.shared.failures import SharedFailures
from rotulus.stores.shared.reading import backlog
from rotulus.stores.shared.searching import search, tally
from rotulus.stores.sqlite import session as on_sqlite

pytestmark = pytest.mark.anywhere

START = 1_700_000_000_000_000
"""When the first job was added; each next one comes a millisecond later."""

COLUMNS = "id, task, queue, priority, state, created_at, run_at, ended_at, arguments, error, worker, key, schedule, run"

RUN = "018bcfe5-0000-7000-8000-000000000001"
"""The run that half of the jobs are steps of."""

VALUES = """
  CASE WHEN i % 20000 = 3 THEN 'rare.task' ELSE 't.' || (i % 50) END, 'q' || (i % 3), 0,
  CASE WHEN i % 100 = 7 THEN 'failed' WHEN i % 5000 = 8 THEN 'dead' WHEN i % 1000 = 9 THEN 'cancelled'
       WHEN i % 10 = 5 THEN 'queued' ELSE 'succeeded' END,
  1700000000000000 + i * 1000, 1700000000000000 + i * 1000,
  CASE WHEN i % 10 <> 5 THEN 1700000000000000 + i * 1000 END,
  '{"order":{"id":' || i || '}}', CASE WHEN i % 100 = 7 THEN '["ValueError","no ' || i || '",""]' END,
  'w' || (i % 7), CASE WHEN i % 2 = 0 THEN 'often' END, CASE WHEN i % 2 = 0 THEN 'hourly' END
"""

ON_SQLITE = f"""
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO rotulus_jobs ({COLUMNS})
SELECT substr(printf('%012x', 1700000000000 + i), 1, 8) || '-'
  || substr(printf('%012x', 1700000000000 + i), 9) || printf('-7000-8000-%012d', i), {VALUES}, CASE WHEN i % 2 = 1 THEN '{RUN}' END FROM n
"""

ON_POSTGRES = f"""
INSERT INTO rotulus_jobs ({COLUMNS})
SELECT (lpad(to_hex(1700000000000 + i), 12, '0') || '70008000' || lpad(i::text, 12, '0'))::uuid, {VALUES.replace("%", "%%")}, CASE WHEN i %% 2 = 1 THEN '{RUN}'::uuid END
FROM generate_series(1::bigint, %s) AS i
"""

HEADS = """
UPDATE rotulus_jobs SET run = id, step = '' WHERE created_at / 1000 % 10 = 4
"""
"""Every tenth job is a run of its own."""

LABELS = """
INSERT INTO rotulus_labels (label, job) SELECT 'customer=' || substr(worker, 2), {job} FROM rotulus_jobs
"""

FILTERS = {
    "everything": {},
    "a state": {"states": [State.SUCCEEDED]},
    "what failed": {"states": [State.FAILED, State.DEAD]},
    "what waits": {"states": [State.QUEUED]},
    "what lives": {"states": list(LIVE)},
    "no such state": {"states": [State.SKIPPED]},
    "a task": {"task": "t.3"},
    "a rare task": {"task": "rare.task"},
    "no such task": {"task": "none"},
    "a failed task": {"task": "t.7", "states": [State.FAILED]},
    "a rare failed task": {"task": "rare.task", "states": [State.FAILED]},
    "tasks": {"task_prefix": "t.1"},
    "no such tasks": {"task_prefix": "u."},
    "a queue": {"queue": "q1"},
    "a queue that waits": {"queue": "q1", "states": [State.QUEUED]},
    "no such queue": {"queue": "q9"},
    "a worker": {"worker": "w3"},
    "no such worker": {"worker": "w9"},
    "a fingerprint": {"fingerprint": "abc"},
    "an error": {"error": "no 7"},
    "no such error": {"error": "timeout"},
    "arguments": {"arguments": [(["order", "id"], "7")]},
    "arguments of what failed": {
        "arguments": [(["order", "id"], "7")],
        "states": [State.FAILED],
    },
    "since": {"since": START + 50_000_000, "task": "none"},
    "until": {"until": START + 50_000_000, "task": "none"},
    "a label": {"labels": ["customer=7"]},
    "no such label": {"labels": ["customer=x", "customer=7"]},
    "a key": {"key": "k"},
    "a large schedule": {"schedule": "hourly"},
    "a schedule": {"schedule": "s"},
    "a large key": {"key": "often"},
    "what is rare of a large key": {"key": "often", "states": [State.DEAD]},
    "a large run": {"run": RUN},
    "what is rare of a large run": {"run": RUN, "states": [State.CANCELLED]},
    "a step of a large run": {"run": RUN, "step": "none"},
    "runs": {"heads": True},
    "a rare workflow": {"heads": True, "task": "rare.task"},
    "no such workflow": {"heads": True, "task": "none"},
    "runs under way": {"heads": True, "states": list(LIVE)},
    "runs that failed": {"heads": True, "states": [State.FAILED]},
    "runs of a schedule": {"heads": True, "schedule": "hourly"},
    "a run": {"run": "00000000-0000-7000-8000-000000000001"},
}


@pytest.fixture(scope="module")
def many(request):
    """How many jobs there are."""
    return request.config.getoption("--many-jobs")


class OnSqlite:
    """A SQLite database in memory with many jobs, and a count of the steps of its machine."""

    MOST = 4_000_000
    """Steps: each of ten thousand jobs that are looked at takes two or three hundred."""

    def __init__(self, many):
        self._steps = 0
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for step in known_migrations("sqlite"):
            self.connection.executescript(step.sql)
        self.connection.execute(ON_SQLITE, [many])
        self.connection.execute(HEADS)
        self.connection.execute(LABELS.format(job="seq"))
        self.connection.set_progress_handler(self._count, 1_000)

    def touched(self, work):
        """What some work touches."""
        self._steps = 0
        work(on_sqlite.Session(self.connection, {"now": START, "clock": 0, "boot": ""}))
        return self._steps

    def _count(self):
        self._steps += 1_000


class OnPostgres:
    """A PostgreSQL database with many jobs, and a count of the rows that it reads."""

    MOST = 60_000
    """Rows, and entries of indexes: some jobs are looked up in several."""

    def __init__(self, many, url):
        self.connection = psycopg.connect(url, autocommit=True)
        make_tables(self.connection)
        self.connection.execute(ON_POSTGRES, [many])
        self.connection.execute(HEADS)
        self.connection.execute(LABELS.format(job="id"))
        self.connection.execute("ANALYZE")
        self._statements = on_postgres.statements_in(None)
        self.connection.execute(self._statements["pin"], {"local": "false", "timeout": "60000"})

    def touched(self, work):
        """What some work touches. There must be no scan of the whole table."""
        with self.connection.transaction():
            before = self._counted()
            work(on_postgres.Session(self.connection.execute, self._statements))
            scans, rows, entries = (b - a for a, b in zip(before, self._counted(), strict=True))
        assert 0 == scans
        return max(rows, entries)

    def _counted(self):
        """Scans, rows and entries of indexes, so far."""
        [(scans, rows)] = self.connection.execute(
            "SELECT seq_scan, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables "
            "WHERE relname = 'rotulus_jobs'"
        )
        [(entries,)] = self.connection.execute(
            "SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index "
            "WHERE indrelid = 'rotulus_jobs'::regclass"
        )
        return scans, rows, int(entries)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def large(request, many, start_postgres):
    """A database with many jobs."""
    if request.param == "sqlite":
        made = OnSqlite(many)
        yield made
        made.connection.close()
        return
    with start_postgres().database() as url:
        made = OnPostgres(many, url)
        yield made
        made.connection.close()


@pytest.mark.parametrize("name", FILTERS)
def test_a_page_touches_few_rows(large, name):
    """Of whatever filter, the first page and one from the middle of the table."""
    where = Filter(**FILTERS[name])
    middle = "018bcfe5-6f9d-7000-8000-000000050000"

    for before in (None, middle):
        assert large.touched(lambda s, b=before: search(s, where, 50, b)) < large.MOST


@pytest.mark.parametrize("name", FILTERS)
def test_a_count_touches_few_rows(large, name):
    """However many jobs match."""
    assert large.touched(lambda s: tally(s, Filter(**FILTERS[name]), 10_001, None)) < large.MOST


@pytest.mark.parametrize("name", ["everything", "what failed", "a task", "no such task"])
@pytest.mark.parametrize("by", ["error", "task"])
def test_a_count_of_alike_jobs_touches_few_rows(large, name, by):
    """However many jobs match: those that a search has found, and no others."""

    def count(session):
        ids = search(session, Filter(**FILTERS[name]), 10_001, None).ids
        return session.fetch("alike", ids=ids, by=by)

    assert large.touched(count) < large.MOST


def test_the_last_runs_touch_few_rows(large):
    """Also of workflows that have never run."""
    names = ["t.4", "none"]
    what = {"names": names, "most": 20_000, "runs": 2_000}

    assert large.touched(lambda s: s.fetch_records("last_runs", **what)) < large.MOST


def test_ages_touch_few_rows(large):
    """Nor do the counts of what waits."""
    assert large.touched(lambda session: backlog(session, 1_000)) < large.MOST


def test_the_latest_failures_touch_few_rows(large):
    """Nor do they, however many jobs have failed."""

    def latest(session):
        SharedFailures(lambda work: work(session), None).latest(8)

    assert large.touched(latest) < large.MOST
