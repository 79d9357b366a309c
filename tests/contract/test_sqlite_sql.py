"""The SQL itself: every statement is used and prepared, and the claim's plan stays what it is."""

import re
import sqlite3
from pathlib import Path

import pytest

import rotulus.stores.sqlite as package
from rotulus.stores.sqlite.migrate import script
from rotulus.stores.sqlite.session import STATEMENTS

pytestmark = pytest.mark.anywhere

FOLDER = Path(package.__file__).parent
CODE = "".join(
    path.read_text()
    for name in ("sqlite", "shared")
    for path in (FOLDER.parent / name).glob("*.py")
)


@pytest.fixture
def database():
    """The tables, in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(script())
    yield connection
    connection.close()


def parameters(statement):
    """Every parameter a statement names, as NULL."""
    return dict.fromkeys(re.findall(r"(?<!:):([a-z_0-9]+)", statement))


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_statement_prepares(database, name):
    """It is valid SQL on these tables."""
    database.execute(f"EXPLAIN {STATEMENTS[name]}", parameters(STATEMENTS[name]))


def test_every_statement_is_used_and_every_use_is_a_statement():
    """No dead SQL, and no name that is not there."""
    by_name = r'(?:fetch_value|fetch_row|execute)\(\s*(?:con|connection),\s*"(\w+)"'
    used = set(re.findall(by_name, CODE)) | set(re.findall(r'_read\(\s*"(\w+)"', CODE))
    used |= set(re.findall(r'(?:session|self)\.(?:fetch\w*|execute)\(\s*"(\w+)"', CODE))
    used |= set(re.findall(r'(?:_rescue|Batch)\("(\w+)"', CODE))
    used |= {"delete_attempts", "delete_needs", "delete_entries", "delete_jobs"}
    used |= {"count_by_queue", "count_by_task", "count_by_step"}
    used |= {"pause", "resume"}

    assert set(STATEMENTS) == used


def test_every_statement_says_what_it_does():
    """In a comment of its own, under its name."""
    silent = [name for name, text in STATEMENTS.items() if not text.startswith("-- ")]

    assert [] == silent


def test_no_statement_is_put_together():
    """SQL is text in a file; what varies is a parameter."""
    pieces = re.findall(r'f"[^"]*\b(?:SELECT|INSERT|UPDATE|DELETE|FROM|WHERE)\b', CODE)

    assert [] == pieces


HISTORY = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, ended_at, arguments)
SELECT 'old' || i, 't', 'q' || (i % 3), 0, 'succeeded', i, i, i, '{}' FROM n
"""
FUTURE = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, arguments)
SELECT 'new' || i, 't', 'q' || (i % 3), 0, 'delayed', i, 9000000000000000, '{}' FROM n
"""
RUNS = """
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO rotulus_jobs (
  id, run, step, task, queue, priority, state, created_at, run_at, waits_for, arguments)
SELECT 'run' || i, 'run' || (i - i % 10), CASE i % 10 WHEN 0 THEN '' ELSE 's' || i END, 't', 'q', 0,
  'blocked', i, i, 1, '{}' FROM n
"""
NEEDS = """
INSERT INTO rotulus_needs (need, job, part)
SELECT seq, seq - 1, step = 's1' FROM rotulus_jobs WHERE run IS NOT NULL AND step <> ''
"""


def plan(database, name):
    """How SQLite means to run a statement, line by line."""
    rows = database.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", parameters(STATEMENTS[name]))
    return [row[3] for row in rows]


TABLES = r"\brotulus_(jobs|limit_heads)|\b(job|head)\b"
CHOOSE_AMONG_MANY = (
    *(
        "choose_free",
        "choose_free_among_many",
        "choose_limited",
        "choose_suspect",
        "next_heads",
        "drop_heads",
        "move_heads",
    ),
    *("fill_heads", "note_filled", "limit_keys", "claimable"),
)


@pytest.mark.parametrize("name", ["choose", "has_many", *CHOOSE_AMONG_MANY])
@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("analysed", [False, True])
def test_a_claim_reads_only_the_indexes_of_what_waits(database, name, filled, analysed):
    """On an empty table and on one with history and future, with statistics and without."""
    if filled:
        database.execute(HISTORY)
        database.execute(FUTURE)
    database.execute(RUNS)
    database.execute(NEEDS)
    if analysed:
        database.execute("ANALYZE")
    tables = [line for line in plan(database, name) if re.search(TABLES, line)]

    assert tables
    allowed = (
        r"USING (COVERING )?INDEX rotulus_(jobs_(queued|running)|limit_heads_op)"
        r"|USING INTEGER PRIMARY KEY|sqlite_autoindex_rotulus_limit_heads_1 \(limit_key=\?\)"
    )
    assert [] == [line for line in tables if not re.search(allowed, line)]
    assert [] == [line for line in tables if line.startswith("SCAN rotulus_jobs")]


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize(
    "name",
    ["choose", "choose_limited", "choose_one", "choose_suspect", "count_starts", "move_heads"],
)
def test_a_claim_finds_terms_that_are_set_by_their_key(database, name, analysed):
    """However many keys have some."""
    if analysed:
        database.execute("ANALYZE")
    lines = [line for line in plan(database, name) if re.search(r"\bterms\b", line)]

    assert lines
    assert {"SEARCH terms USING PRIMARY KEY (limit_key=?)"} >= {
        line.removesuffix(" LEFT-JOIN") for line in lines
    }


SEARCHED = (
    *("key", "run", "queued", "queued_limited", "queued_suspect", "delayed", "blocked", "running"),
)
"""The indexes by which a search comes to the rest of its candidates."""


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim", "INTEGER PRIMARY KEY"),
        ("claimed", "INTEGER PRIMARY KEY"),
        ("succeed", "sqlite_autoindex_rotulus_jobs_1"),
        ("settle", "sqlite_autoindex_rotulus_jobs_1"),
        ("extend", "sqlite_autoindex_rotulus_jobs_1"),
        ("running", "sqlite_autoindex_rotulus_jobs_1"),
        ("records", "sqlite_autoindex_rotulus_jobs_1"),
        ("alike", "sqlite_autoindex_rotulus_jobs_1"),
        ("state_of", "sqlite_autoindex_rotulus_jobs_1"),
        ("promote", "rotulus_jobs_delayed"),
        ("holders_of_limit", "rotulus_jobs_running_limited (limit_key=?)"),
        ("waiters_of_limit", "rotulus_jobs_queued_limited (limit_key=?)"),
        ("rate_window", "rotulus_jobs_queued_limited (limit_key=?)"),
        ("rate_window", "rotulus_jobs_running_limited (limit_key=?)"),
        ("rate_window", "rotulus_jobs_queued_suspect"),
        ("rate_window", "rotulus_jobs_promoted"),
        ("rate_window", "rotulus_jobs_blocked"),
        ("next_due", "rotulus_jobs_delayed"),
        ("expired", "rotulus_jobs_running"),
        ("held_by", "rotulus_jobs_running"),
        ("outdated", "rotulus_jobs_ended"),
        ("release_keys", "rotulus_jobs_held_key"),
        ("find_by_prefix", "sqlite_autoindex_rotulus_jobs_1"),
        ("find_by_index", "rotulus_jobs_key"),
        ("find_by_index", "rotulus_jobs_schedule"),
        ("find_by_index", "rotulus_jobs_running"),
        ("find_by_index", "rotulus_jobs_ended"),
        ("find_by_index", "rotulus_jobs_run"),
        ("find_by_index", "rotulus_jobs_step"),
        ("find_by_index", "rotulus_needs_of"),
        ("count_by_step", "rotulus_jobs_"),
        ("group_head", "sqlite_autoindex_rotulus_jobs_1"),
        ("group_head", "rotulus_jobs_step (run=? AND step>?)"),
        ("group_head", "PRIMARY KEY (need=?)"),
        ("stop_waiting_for_itself", "PRIMARY KEY (need=?"),
        ("close_group", "INTEGER PRIMARY KEY (rowid=?)"),
        ("unblock", "sqlite_autoindex_rotulus_jobs_1"),
        ("unblock", "PRIMARY KEY (need=?)"),
        ("open", "sqlite_autoindex_rotulus_jobs_1"),
        ("search_newest", "INTEGER PRIMARY KEY (rowid<?)"),
        ("search_few", "rotulus_jobs_unsuccessful (state=? AND rowid<?)"),
        ("search_few", "rotulus_jobs_schedule (schedule=? AND rowid<?)"),
        ("search_few", "rotulus_jobs_key (key=? AND rowid<?)"),
        ("search_few", "rotulus_jobs_run (run=? AND rowid<?)"),
        ("search_few", "rotulus_jobs_step (run=? AND step=?)"),
        *(("search_few", f"rotulus_jobs_{name}") for name in SEARCHED),
        ("search_few", "PRIMARY KEY (label=? AND job<?)"),
        ("search_heads", "rotulus_jobs_run (run<?)"),
        ("search_heads", "sqlite_autoindex_rotulus_jobs_1"),
        ("steps", "(run=?"),
        ("needs_of", "rotulus_needs_of"),
        ("edit", "sqlite_autoindex_rotulus_jobs_1"),
        ("reprioritise", "sqlite_autoindex_rotulus_jobs_1"),
        ("with_parts", "rotulus_jobs_run"),
        ("parts_of", "rotulus_jobs_run"),
        ("skippable", "sqlite_autoindex_rotulus_jobs_1"),
        ("skippable", "rotulus_jobs_run"),
        ("skip", "INTEGER PRIMARY KEY"),
        ("retryable", "sqlite_autoindex_rotulus_jobs_1"),
        ("dependants", "PRIMARY KEY (need=?)"),
        ("to_rebuild", "rotulus_needs_of"),
        ("count_needs", "rotulus_needs_of"),
        ("pause_runs", "rotulus_jobs_run"),
        ("resume_runs", "rotulus_jobs_run"),
        ("outdated", "rotulus_jobs_run"),
        ("delete_jobs", "INTEGER PRIMARY KEY"),
        ("delete_needs", "PRIMARY KEY (need=?)"),
        ("delete_entries", "PRIMARY KEY (job=?)"),
        ("delete_labels", "PRIMARY KEY (label=? AND job=?)"),
        ("delete_labels", "INTEGER PRIMARY KEY"),
        ("add_labels", "sqlite_autoindex_rotulus_jobs_1"),
        ("deletable", "sqlite_autoindex_rotulus_jobs_1"),
        ("cancel", "sqlite_autoindex_rotulus_jobs_1"),
        ("retry", "INTEGER PRIMARY KEY"),
        ("archive_ended", "INTEGER PRIMARY KEY"),
        ("histories", "PRIMARY KEY (job=? AND number>?)"),
        ("holders", "rotulus_jobs_held_key"),
        ("recount", "INTEGER PRIMARY KEY"),
        ("carry", "sqlite_autoindex_rotulus_jobs_1"),
        ("carry_again", "PRIMARY KEY (job=?)"),
        ("published", "PRIMARY KEY (job=?)"),
        ("entry", "PRIMARY KEY (job=?)"),
    ],
)
def test_a_hot_statement_finds_its_rows_by_an_index(database, name, index, analysed):
    """Never by walking the whole table."""
    database.execute(HISTORY)
    database.execute(FUTURE)
    database.execute(RUNS)
    database.execute(NEEDS)
    if analysed:
        database.execute("ANALYZE")
    ours = re.compile(r"\b(rotulus_(jobs|needs|outbox|labels)|job|part|need|entry)\b")
    lines = [line for line in plan(database, name) if ours.search(line)]

    assert any(index in line for line in lines), lines
    assert [] == [line for line in lines if line.startswith("SCAN") and "USING" not in line]


@pytest.mark.parametrize(
    "asked",
    [
        {"key": "k"},
        {"run": "run10"},
        {"needed_by": '["run10"]', "states": '["running"]'},
        {"worker": "w", "states": '["running"]'},
    ],
)
def test_a_find_of_few_reads_nothing_of_what_waits(database, asked):
    """However much that is: counted in the steps of SQLite's machine."""
    for filling in (HISTORY, FUTURE, FUTURE.replace("new", "due").replace("delayed", "queued")):
        database.execute(filling)
    database.execute(RUNS)
    database.execute(NEEDS)
    steps = 0

    def count():
        nonlocal steps
        steps += 100

    database.set_progress_handler(count, 100)
    given = parameters(STATEMENTS["find_by_index"]) | {"limit": 100} | asked
    database.execute(STATEMENTS["find_by_index"], given).fetchall()

    assert steps < 10_000


def test_failure_groups_are_found_without_reading_each_failed_job(database):
    """Groups and pages of their jobs are looked up, the moment of a page included."""
    for name in ("failure_parts", "failure_counts", "failure_members"):
        lines = [line for line in plan(database, name) if re.search(r"\bjob\b", line)]
        assert lines
        assert [] == [
            line for line in lines if "SEARCH job USING INDEX rotulus_jobs_fail" not in line
        ]
    [page] = [line for line in plan(database, "failure_members") if "SEARCH" in line]
    assert "(task,ended_at)>" in page
