"""How SQLite chooses the jobs of a claim among many queues and keys: as among few."""

import json
import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.workbench import Workbench
from rotulus.stores._migrations import known_migrations
from rotulus.stores.sqlite import SqliteStore
from rotulus.stores.sqlite.session import STATEMENTS

pytestmark = pytest.mark.anywhere

COLUMNS = ("state", "queue", "task", "priority", "losses", "limit_key", "limit_to", "rate_to")
LIMIT = st.none() | st.integers(1, 3)
JOB = st.tuples(
    st.sampled_from(["queued", "queued", "queued", "running"]),
    st.sampled_from(["a", "b", "c", "_own"]),
    st.sampled_from(["t", "t", "u"]),
    st.integers(0, 2),
    st.sampled_from([0, 0, 0, 2]),
    st.none() | st.sampled_from(["k", "l", "m", "n"]),
    LIMIT,
    LIMIT,
)
WANTED = st.fixed_dictionaries(
    {
        "queues": st.sampled_from([None, '["a", "_own"]', '["c"]']),
        "names": st.sampled_from([None, '["t"]']),
        "grace": st.sampled_from([None, 5]),
        "limit": st.integers(1, 6),
    }
)


@given(st.lists(JOB, max_size=30), st.sets(st.sampled_from("ab")), WANTED, st.integers(1, 6))
def test_the_same_jobs_are_chosen_among_many_as_among_few(jobs, paused, wanted, more):
    """Whatever waits and runs, and however few of those with a limit are looked at first."""
    given_to_both = wanted | {"now": 10, "clock": 10, "boot": "b", "worker": "w"}
    near = wanted["limit"] + more
    with closing(_filled(jobs, paused)) as database:
        among_few = _chosen(database, "choose", given_to_both)
        among_many = _chosen(database, "choose_among_many", given_to_both | {"near": near})

    assert among_few == among_many


def test_a_claim_of_ten_thousand_keys_looks_at_few_of_them():
    """Once a claim before it has seen that there are many."""
    with closing(sqlite3.connect(":memory:")) as database:
        _make_tables(database)
        _insert(
            database, [("queued", "a", "t", 0, 0, f"k{n % 2000}", 5, None) for n in range(6000)]
        )
        wanted = {"queues": None, "names": '["t"]', "grace": None, "limit": 20}
        wanted |= {"now": 10, "clock": 10, "boot": "b", "worker": "w", "near": 100}
        steps = [_steps(database, name, wanted) for name in ("choose", "choose_among_many")]

    assert steps[1] * 20 < steps[0]


@pytest.mark.parametrize("fields", [{}, {"limit_to": 3}])
def test_claims_that_follow_each_other_keep_the_order_among_many(tmp_path, clock, fields):
    """Also when the first of them was made as among few."""
    store = SqliteStore(str(tmp_path / "jobs.db"), clock=clock)
    store.migrate()
    bench = Workbench(store, clock, None)
    for number in range(200):
        limited = fields and {"limit_key": f"k{number % 40}", **fields}
        bench.add(queue=f"q{number % 20}", priority=number % 2, **limited)
    claimed = [job for limit in (30, 30, 1, 30, 30) for job in bench.claim(limit)]
    store.close()

    expected = sorted(claimed, key=lambda job: (-job.priority, job.id))
    assert [job.id for job in expected] == [job.id for job in claimed]
    assert 20 * 3 <= len(claimed)


def _filled(jobs, paused):
    database = sqlite3.connect(":memory:")
    _make_tables(database)
    _insert(database, jobs)
    database.executemany(
        "INSERT INTO rotulus_pauses (queue, paused_at) VALUES (?, 1)", [(one,) for one in paused]
    )
    database.execute("INSERT INTO rotulus_starts VALUES ('k', 20, 1), ('l', 5, 3)")
    return database


def _make_tables(database):
    for step in known_migrations("sqlite"):
        database.executescript(step.sql)


def _insert(database, jobs):
    given_to_all = "id, created_at, run_at, arguments, lease_until, boot, worker"
    database.executemany(
        f"INSERT INTO rotulus_jobs ({', '.join(COLUMNS)}, {given_to_all}) "
        f"VALUES ({', '.join('?' * len(COLUMNS))}, ?, 1, 1, '{{}}', ?, ?, ?)",
        [
            (*_shaped(job), f"i{n}", *((99, "b", "w") if job[0] == "running" else (None,) * 3))
            for n, job in enumerate(jobs)
        ],
    )


def _shaped(job):
    """Limits only where there is a key."""
    return job if job[5] is not None else (*job[:6], None, None)


def _chosen(database, name, parameters):
    [(chosen, rated)] = _run(database, name, parameters)
    return json.loads(chosen), rated or 0


def _run(database, name, parameters):
    text = STATEMENTS[name]
    named = set(re.findall(r"(?<!:):([a-z_]+)", text))
    return database.execute(text, {key: parameters[key] for key in named}).fetchall()


def _steps(database, name, parameters):
    counted = 0

    def count():
        nonlocal counted
        counted += 1

    database.set_progress_handler(count, 100)
    _run(database, name, parameters)
    database.set_progress_handler(None, 0)
    return counted
