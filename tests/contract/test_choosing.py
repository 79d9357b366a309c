"""How SQLite chooses the jobs of a claim among many queues and keys: as among few."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.workbench import Workbench
from rotulus.stores._migrations import known_migrations
from rotulus.stores.sqlite import SqliteStore, limit_heads
from rotulus.stores.sqlite.choosing import Chooser
from rotulus.stores.sqlite.session import execute, fetch_row, fetch_value

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
PRESENT = {"now": 10, "clock": 10, "boot": "b", "worker": "w"}
SET = "UPDATE rotulus_jobs SET lease_until = NULL, ended_at = NULL, state = "
ONE = "WHERE seq = 1 + ? % (SELECT count(*) FROM rotulus_jobs)"
CHANGES = (
    f"{SET} 'queued' {ONE}",
    f"{SET} 'delayed' {ONE}",
    f"{SET} 'succeeded', ended_at = 1 {ONE}",
    f"{SET} 'queued', losses = 2 {ONE} AND state = 'running'",
    f"{SET} 'blocked', limit_key = NULL, limit_to = NULL, rate_to = NULL, rate_per = NULL {ONE}",
    f"UPDATE rotulus_jobs SET priority = 2 {ONE}",
    f"UPDATE rotulus_jobs SET priority = 0 {ONE}",
    f"DELETE FROM rotulus_jobs {ONE}",
)
"""What may happen to a job."""


LIMITED = st.tuples(
    st.just("queued"),
    st.sampled_from("aac"),
    st.just("t"),
    st.integers(0, 1),
    st.just(0),
    st.sampled_from("kkn"),
    st.sampled_from([1, 1, 2]),
    st.sampled_from([None, None, 1]),
)
ANY = {"queues": None, "names": None, "grace": None, "limit": 3}
CLAIM = st.tuples(st.sampled_from(["claim", "claim", "older claim"]), st.just(ANY) | WANTED)
STEP = st.one_of(
    CLAIM,
    CLAIM,
    st.tuples(st.just("add"), LIMITED | JOB),
    st.tuples(st.just("change"), st.integers(0, 12), st.sampled_from(CHANGES)),
    st.tuples(st.just("wait"), st.sampled_from([1, 10])),
)


@given(st.lists(JOB, max_size=30), st.sets(st.sampled_from("ab")), WANTED, st.booleans())
def test_the_same_jobs_are_chosen_among_many_as_among_few(jobs, paused, wanted, kept):
    """Whatever waits and runs; whether heads of keys are kept, or keys are few."""
    with closing(_filled(jobs, paused)) as database:
        begun = _keep(database) if kept else None
        how = wanted | PRESENT
        chosen = Chooser().choose(database, how, begun, many_queues=True)

        assert _chosen_among_few(database, how) == (chosen.jobs, chosen.rated)


@given(st.lists(LIMITED, max_size=8), st.lists(STEP, min_size=3, max_size=25))
@example(
    jobs=[("queued", "a", "t", 0, 0, "k", 1, None), ("queued", "a", "t", 1, 0, "k", 1, 1)],
    steps=[("change", 1, CHANGES[6]), ("claim", ANY)],  # the head stood at a job that is second now
)
@example(
    jobs=[("queued", "c", "t", 0, 0, "k", 2, None), ("queued", "a", "t", 0, 0, "k", 1, 1)]
    + [("queued", "a", "t", 0, 0, "k", 1, None)],
    steps=[("claim", ANY), ("change", 0, CHANGES[0]), ("claim", {**ANY, "queues": '["a"]'})],
)  # the first job of the key is elsewhere, and the first one here has no room by its own terms
@example(
    jobs=[("queued", "c", "t", 0, 0, "k", 2, None), ("queued", "a", "t", 0, 0, "k", 1, 1)]
    + [("queued", "a", "t", 0, 0, "k", 2, None)],
    steps=[("claim", ANY), ("change", 0, CHANGES[0]), ("claim", {**ANY, "queues": '["a"]'})],
)
def test_heads_are_right_whoever_writes(jobs, steps):
    """Jobs are added, claimed, changed and deleted without a word about heads: triggers keep them."""
    now = 10
    with closing(_filled(jobs, paused="b")) as database:
        _keep(database)
        for number, (what, *words) in enumerate(steps):
            if what == "add":
                _insert(database, [words[0]], first=100 + number)
            elif what == "change":
                database.execute(words[1], (words[0],))
            elif what == "wait":
                now += words[0]
            else:
                how = words[0] | PRESENT | {"now": now}
                expected = _chosen_among_few(database, how)
                claimable = fetch_value(database, "claimable", **how)
                if what == "claim":
                    kept = limit_heads.kept(database, now)
                    chosen = Chooser().choose(database, how, kept, many_queues=False)
                    assert expected == chosen[:2]
                _start(database, expected[0], now)
                if what == "claim":
                    limit_heads.move(database, chosen.keys, now)
                assert claimable or expected[0] == "[]"


def test_a_claim_of_ten_thousand_keys_looks_at_few_of_them():
    """Once a claim before it has seen that there are many."""
    with closing(sqlite3.connect(":memory:")) as database:
        _make_tables(database)
        _insert(
            database, [("queued", "a", "t", 0, 0, f"k{n % 2000}", 5, None) for n in range(6000)]
        )
        how = {"queues": None, "names": '["t"]', "grace": None, "limit": 20} | PRESENT
        among_few = _steps(database, lambda: _chosen_among_few(database, how))
        kept, chooser = _keep(database), Chooser()
        among_many = _steps(
            database, lambda: chooser.choose(database, how, kept, many_queues=False)
        )

    assert among_many * 20 < among_few


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
    database = sqlite3.connect(":memory:", isolation_level=None)
    _make_tables(database)
    _insert(database, jobs)
    database.executemany(
        "INSERT INTO rotulus_pauses (queue, paused_at) VALUES (?, 1)", [(one,) for one in paused]
    )
    database.execute("INSERT INTO rotulus_starts VALUES ('k', 20, 1), ('l', 5, 3)")
    return database


def _keep(database):
    """Keep heads from now on."""
    begun = limit_heads.keep(database, now=10)
    limit_heads.catch_up(database, begun, now=10, end=float("inf"))
    return limit_heads.kept(database, now=10)


def _make_tables(database):
    for step in known_migrations("sqlite"):
        database.executescript(step.sql)


def _insert(database, jobs, first=0):
    given_to_all = "id, created_at, run_at, arguments, rate_per, lease_until, boot, worker"
    database.executemany(
        f"INSERT INTO rotulus_jobs ({', '.join(COLUMNS)}, {given_to_all}) "
        f"VALUES ({', '.join('?' * len(COLUMNS))}, ?, 1, 1, '{{}}', 7, ?, ?, ?)",
        [
            (*_shaped(job), f"i{n}", *((99, "b", "w") if job[0] == "running" else (None,) * 3))
            for n, job in enumerate(jobs, first)
        ],
    )


def _shaped(job):
    """Limits only where there is a key."""
    return job if job[5] is not None else (*job[:6], None, None)


def _start(database, jobs, now):
    """What a claim of any version does to the jobs that it has chosen."""
    start = {"worker": "w", "boot": "b", "lease_until": 99, "now": now}
    execute(database, "claim", chosen=jobs, **start)
    execute(database, "count_starts", chosen=jobs, now=now)


def _chosen_among_few(database, how):
    jobs, rated = fetch_row(database, "choose", **how)
    return jobs, bool(rated)


def _steps(database, call):
    counted = 0

    def count():
        nonlocal counted
        counted += 1

    database.set_progress_handler(count, 100)
    call()
    database.set_progress_handler(None, 0)
    return counted
