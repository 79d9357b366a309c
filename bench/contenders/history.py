"""Searches and statistics of a store that keeps very many jobs that have ended.

The jobs were added over the last day, evenly; each tenth has a label. The statistics of that day
are those of fifty tasks that ran each minute.
"""

import sqlite3
import statistics
import time
from abc import ABC, abstractmethod
from string import Template

import contender
import psycopg
import served

from rotulus import App, TaskRegistry

PAGE, PAGES = 50, 20
"""How many jobs a page has, and how many pages of each filter are timed."""

LOOKS = 40
"""How many overviews are timed."""

DAY = 86_400

WHERE = {
    "state": {"state": "succeeded"},
    "failed": {"state": ("failed", "dead")},
    "waiting": {"state": "queued"},
    "task": {"task": "t.3"},
    "tasks": {"task": "t.1*"},
    "rare_task": {"task": "rare.task"},
    "no_such_task": {"task": "none"},
    "failed_task": {"task": "t.7", "state": "failed"},
    "queue": {"queue": "q1"},
    "label": {"label": {"customer": "0042"}},
    "failure_group": {"fingerprint": "f00000000107"},
    "key": {"key": "often"},
    "schedule": {"schedule": "hourly"},
    "worker": {"worker": "w3"},
    "error": {"error": "no 7"},
    "no_such_error": {"error": "timeout"},
    "argument": {"args": {"order.id": 7}},
    "time": {"since": DAY / 2, "task": "t.3"},
}
"""Filters, by name."""


SERVED = {
    "served newest": ("/api/v1/jobs?limit=50", PAGES),
    "served state": ("/api/v1/jobs?limit=50&state=failed", PAGES),
    "served task": ("/api/v1/jobs?limit=50&task=t.3", PAGES),
    "served queue": ("/api/v1/jobs?limit=50&queue=q1", PAGES),
    "served label": ("/api/v1/jobs?limit=50&label.customer=0042", PAGES),
    "served count": ("/api/v1/jobs/$count", LOOKS),
    "served count of failed": ("/api/v1/jobs/$count?state=failed", LOOKS),
    "served totals": ("/api/v1/stats/totals?since=24h", LOOKS),
    "served ages": ("/api/v1/stats/ages", LOOKS),
    "served series": ("/api/v1/stats/series?metric=attempts&since=24h", LOOKS),
}
"""What is asked for over HTTP: a path and how many times, by name."""


class History(contender.Contender, ABC):
    """The store of an app, filled by statements of its own."""

    def prepare(self):
        self._app().store.migrate()

    def scene(self, name):
        """Fill the store with a number of jobs; the milliseconds of pages and of overviews."""
        self.fill(int(name))
        app = self._app()
        app.store.stats.fold(2 * DAY, 90 * DAY)
        pages = {f"page_{name}": _page(app, where) for name, where in WHERE.items()}
        overview = _slow([_timed(_overview, app)[0] for _ in range(LOOKS)])
        return pages | {"page": max(pages.values()), "overview": overview}

    def work(self):
        from rotulus.service import service_of  # noqa: PLC0415 - a scene has no service

        served.serve(service_of(self._app()))

    def listed(self):
        """What the first screens of a console ask for."""
        return SERVED

    def screens(self):
        """The list of jobs, and the overview."""
        from browsing import Seen  # noqa: PLC0415 - only one environment has a browser

        return {
            "shown jobs": Seen("jobs", "[role=row]", 10),
            "shown failed": Seen("jobs?q=state%3Afailed", "[role=row]", 10),
        }

    @abstractmethod
    def fill(self, count):
        """Add so many jobs, their labels, and what has been counted."""

    def _app(self):
        return App(contender.URL, registry=TaskRegistry())


def _page(app, where):
    """Pages of a filter, one after the other from the newest on."""
    app.jobs.find(limit=1, **where)  # the first one also plans
    taken, after = [], None
    for _ in range(PAGES):
        ms, page = _timed(lambda: app.jobs.find(limit=PAGE, after=after, **where))  # noqa: B023
        taken.append(ms)
        after = page.next
    return _slow(taken)


def _overview(app):
    """What the first screen of a console asks for."""
    app.stats.totals(since=DAY)
    app.stats.ages()
    app.stats.series("attempts", since=DAY)


def _timed(call, *arguments):
    began = time.perf_counter()
    answer = call(*arguments)
    return (time.perf_counter() - began) * 1000, answer


def _slow(ms):
    """The milliseconds that nineteen of twenty do not exceed."""
    return statistics.quantiles(ms, n=20, method="inclusive")[-1]


JOBS = Template("""
INSERT INTO rotulus_jobs (id, task, queue, priority, state, attempt, created_at, run_at, started_at,
  ended_at, arguments, error, fingerprint, worker, key, schedule)
SELECT $id, CASE WHEN i % 20000 = 3 THEN 'rare.task' ELSE 't.' || (i % 50) END, 'q' || (i % 3), 0,
  CASE WHEN i % 10000 = 5 THEN 'queued' WHEN i % 100 = 7 THEN 'failed' WHEN i % 5000 = 8 THEN 'dead'
       WHEN i % 1000 = 9 THEN 'cancelled' ELSE 'succeeded' END,
  CASE WHEN i % 10000 = 5 THEN 0 ELSE 1 END, at, at,
  CASE WHEN i % 10000 <> 5 THEN at END, CASE WHEN i % 10000 <> 5 THEN at + 1000 END,
  '{"order":{"id":' || i || '}}',
  CASE WHEN i % 100 = 7 THEN '["ValueError","no ' || i || '",""]' END,
  CASE WHEN i % 100 = 7 THEN 'f00000000' || (100 + i % 700) END, 'w' || (i % 7),
  CASE WHEN i % 200 = 0 THEN 'often' END, CASE WHEN i % 200 = 1 THEN 'hourly' END
FROM $numbers
""")

COUNTED = Template("""
INSERT INTO rotulus_stats_new (at, wait, run, count, task, queue, outcome)
SELECT (now / 60000000 - minute) * 60000000, 1000, 2000, 1, 't.' || task, 'q' || (task % 3), outcome
FROM $moment, $minutes, $tasks,
  (SELECT 'succeeded' AS outcome UNION ALL SELECT 'failed' UNION ALL SELECT 'enqueued') AS outcomes
""")


class OnPostgres(History):
    """In a database. The indexes are made when the jobs are there, which is faster."""

    def fill(self, count):
        with psycopg.connect(contender.URL, autocommit=True) as connection:
            connection.execute("SET maintenance_work_mem = '1GB'")
            indexes = connection.execute(INDEXES).fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            connection.execute(ON_POSTGRES.replace("$count", str(count)))
            for _, made in indexes:
                connection.execute(made)
            connection.execute(
                "INSERT INTO rotulus_labels (label, job) "
                "SELECT 'customer=' || substr(id::text, 32, 4), id FROM rotulus_jobs "
                "WHERE right(id::text, 1) = '0'"
            )
            connection.execute(COUNTED_ON_POSTGRES)
            connection.execute("VACUUM ANALYZE")


INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'rotulus_jobs' AND indexname NOT LIKE '%_pkey'
"""

ON_POSTGRES = JOBS.safe_substitute(
    id="(lpad(to_hex(at / 1000), 12, '0') || '70008000' || lpad(i::text, 12, '0'))::uuid",
    numbers=f"(SELECT i, now - ($count - i) * ({DAY}000000 / $count) AS at "
    "FROM rotulus_now() AS now, "
    "generate_series(1::bigint, $count) AS i) AS numbers",
)

COUNTED_ON_POSTGRES = COUNTED.substitute(
    moment="rotulus_now() AS now",
    minutes=f"generate_series(1, {DAY // 60}) AS minute",
    tasks="generate_series(0, 49) AS task",
)


class OnSqlite(History):
    """In a file."""

    def fill(self, count):
        with sqlite3.connect(contender.URL.removeprefix("sqlite:///")) as connection:
            connection.execute(ON_SQLITE.replace("$count", str(count)))
            connection.execute(
                "INSERT INTO rotulus_labels (label, job) "
                "SELECT 'customer=' || substr(id, 32, 4), seq FROM rotulus_jobs "
                "WHERE id LIKE '%0'"
            )
            connection.execute(COUNTED_ON_SQLITE)
            connection.commit()
            connection.execute("ANALYZE")
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _series(name, first, last):
    """Whole numbers, as a table of a column."""
    return (
        f"(WITH RECURSIVE n ({name}) AS (SELECT {first} UNION ALL SELECT {name} + 1 FROM n "
        f"WHERE {name} < {last}) SELECT {name} FROM n)"
    )


NOW = "(SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) AS now)"

ON_SQLITE = JOBS.safe_substitute(
    id="substr(printf('%012x', at / 1000), 1, 8) || '-' || substr(printf('%012x', at / 1000), 9) "
    "|| printf('-7000-8000-%012d', i)",
    numbers=f"(SELECT i, now - ($count - i) * ({DAY}000000 / $count) AS at "
    f"FROM {NOW}, {_series('i', 1, '$count')})",
)

COUNTED_ON_SQLITE = COUNTED.substitute(
    moment=NOW, minutes=_series("minute", 1, DAY // 60), tasks=_series("task", 0, 49)
)


CONTENDER = (OnSqlite if contender.URL.startswith("sqlite") else OnPostgres)()
