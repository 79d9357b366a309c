"""The SQL of PostgreSQL: every statement prepares and is used, and hot plans stay what they are."""

import re
from pathlib import Path

import psycopg
import pytest

import rotulus.stores.postgres as package
from contract.postgres_tables import make_tables
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.postgres.session import STATEMENTS, in_schema, statements_in
from rotulus.stores.sqlite.session import STATEMENTS as SQLITE_STATEMENTS

pytestmark = pytest.mark.anywhere

FOLDER = Path(package.__file__).parent
PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

HISTORY = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, ended_at, arguments)
SELECT gen_random_uuid(), 't', 'q' || i % 3, 0, 'succeeded', i, i, i, '{}'
FROM generate_series(1, 20000) AS i
"""
FUTURE = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, arguments)
SELECT gen_random_uuid(), 't', 'q' || i % 3, 0, 'delayed', i, 9000000000000000, '{}'
FROM generate_series(1, 20000) AS i
"""

RUNS = """
INSERT INTO rotulus_jobs (
  id, run, step, task, queue, priority, state, created_at, run_at, waits_for, arguments)
SELECT md5(run || '/' || i)::uuid, md5(run || '/0')::uuid, CASE i WHEN 0 THEN '' ELSE 's' || i END,
  't', 'q', 0, 'blocked', run, run, 1, '{}'
FROM generate_series(1, 500) AS run, generate_series(0, 10) AS i
"""
NEEDS = """
INSERT INTO rotulus_needs (need, job, part)
SELECT id, coalesce(lead(id) OVER (PARTITION BY run ORDER BY length(step), step), run), step = 's10'
FROM rotulus_jobs WHERE run IS NOT NULL AND step <> ''
"""


SEARCHED = (
    *("key", "run", "queued ", "queued_limited", "queued_suspect", "delayed", "blocked", "running"),
    *("schedule", "unsuccessful", "pkey", "step"),
)
"""The indexes by which a search comes to its candidates."""


def connect(url):
    """A connection that prepares what it is told to, and nothing else."""
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


@pytest.fixture(scope="module")
def empty(postgres):
    """A connection to empty tables."""
    with postgres.database() as url, connect(url) as connection:
        make_tables(connection)
        connection.execute("CREATE TABLE rotulus_migrations (number int, name text, checksum text)")
        yield connection


@pytest.fixture(scope="module")
def named(postgres):
    """A connection to empty tables that are found by the name of their schema alone."""
    with postgres.database() as url:
        store = PostgresStore(read_address(f"{url}?schema=jobs"))
        store.migrate()
        store.close()
        with connect(url) as connection:
            yield connection


@pytest.fixture(scope="module", params=[False, True], ids=["guessed", "analysed"])
def filled(request, postgres):
    """A connection to tables with a past and a future, with statistics and without."""
    with postgres.database() as url, connect(url) as connection:
        make_tables(connection)
        connection.execute("ALTER TABLE rotulus_jobs SET (autovacuum_enabled = off)")
        connection.execute(HISTORY)
        connection.execute(FUTURE)
        connection.execute(RUNS)
        connection.execute(NEEDS)
        if request.param:
            connection.execute("ANALYZE")
        connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
        yield connection


def numbered(statement):
    """A statement with `$1` for its first parameter; and how many there are."""
    names = list(dict.fromkeys(PARAMETER.findall(statement)))
    text = PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    return text, len(names)


def prepare(connection, name, schema=None):
    """Prepare a statement; how many parameters it has."""
    text, count = numbered(in_schema(STATEMENTS[name], schema))
    connection.execute("DEALLOCATE ALL")
    connection.execute(f"PREPARE statement AS {text}")
    return count


def plan(connection, name):
    """How the server means to run a statement, whatever its parameters are."""
    count = prepare(connection, name)
    nothing = f"({', '.join(['NULL'] * count)})" if count else ""
    return [row for (row,) in connection.execute(f"EXPLAIN EXECUTE statement{nothing}")]


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_statement_prepares(empty, name):
    """It is valid SQL on these tables."""
    prepare(empty, name)


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_statement_prepares_in_a_named_schema(named, name):
    """So is it with the schema before each name of ours: no other name may begin as they do."""
    prepare(named, name, "jobs")


def test_every_statement_is_used_and_every_use_is_a_statement():
    """No dead SQL, and no name that is not there."""
    folders = (FOLDER, FOLDER.parent / "shared")
    code = "".join(path.read_text() for folder in folders for path in folder.glob("*.py"))
    used = set(re.findall(r'(?:session|self)\.(?:fetch\w*|execute)\(\s*"(\w+)"', code))
    used |= {"delete_attempts", "delete_needs", "delete_entries", "delete_jobs"}
    used |= set(re.findall(r'_rescue\("(\w+)"', code))
    used |= {"pause", "resume", "add_keyed", "add_labelled"}
    used |= {"count_by_queue", "count_by_task", "count_by_step"}
    used |= {"claim_beside_limits", "claim_after"}

    assert set(STATEMENTS) == used


def test_every_statement_says_what_it_does():
    """In a comment of its own, under its name."""
    assert [] == [name for name, text in STATEMENTS.items() if not text.startswith("-- ")]


def test_a_statement_has_the_name_it_has_on_sqlite():
    """Apart from those that one of them does in a single statement, or alone."""
    assert set(SQLITE_STATEMENTS) - set(STATEMENTS) == {
        *("choose", "has_many", "choose_one", "count_starts", "claimed"),
        *(
            "choose_free",
            "choose_free_among_many",
            "choose_limited",
            "choose_suspect",
            "still_free",
            "limit_keys",
        ),
        *("keep_limits", "limits_kept", "forget_limits", "fill_heads", "note_filled"),
        *("next_heads", "move_heads", "reopen_heads", "forget_heads", "drop_heads"),
        *("archive", "limited_wait", "any_needs", "next_due", "entries_due", "move_entries"),
        *("outdated", "forget_workers", "forget_starts"),
        *("count_attempts", "count_new", "drop_new"),
    }
    assert set(STATEMENTS) - set(SQLITE_STATEMENTS) == {
        *("claim_after", "claim_beside_limits", "claim_limited", "claim_ids"),
        *("choose_among_queues", "claim_chosen"),
        *("share_limits", "lock_limits", "wait_for_limits", "wait_for_limits_of"),
        *("move_limit_heads", "notify"),
        *("lock_entries", "take_entries", "add_labelled"),
        *("lock_runs", "size_of_runs", "lock_with_dependants", "prune"),
        *(
            "lock_stats",
            "lock_changes",
            "place_changes",
            "follow_changes",
            "discard_changes",
            "note_changes",
            "transactions",
        ),
        *("pin", "unpin", "has_table", "applied_migrations", "remember_migration"),
        *("indexes_there", "indexes_in_progress", "hold_building"),
        *("user_of_store", "rights_of_user"),
    }


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("promote", "rotulus_jobs_promoted"),
        ("claim", "rotulus_jobs_queued "),
        ("claim_after", "rotulus_jobs_queued "),
        ("claim", "rotulus_limit_heads_opening"),
        ("claim_beside_limits", "rotulus_limit_heads_opening"),
        ("choose_among_queues", "rotulus_jobs_queued "),
        ("claim_chosen", "rotulus_jobs_pkey"),
        ("lock_limits", "rotulus_limit_heads_open"),
        ("lock_limits", "rotulus_limit_heads_opening"),
        ("lock_limits", "rotulus_jobs_queued_suspect"),
        ("move_limit_heads", "rotulus_limit_heads_key"),
        ("move_limit_heads", "rotulus_jobs_queued_limited"),
        ("move_limit_heads", "rotulus_jobs_running_limited"),
        ("claim_limited", "rotulus_jobs_queued_limited"),
        ("claim_limited", "rotulus_jobs_queued_suspect"),
        ("claim_limited", "rotulus_jobs_running_limited"),
        ("claim_limited", "rotulus_limit_terms_pkey"),
        ("claim_ids", "rotulus_limit_terms_pkey"),
        ("claimable", "rotulus_limit_terms_pkey"),
        ("move_limit_heads", "rotulus_limit_terms_pkey"),
        ("holders_of_limit", "rotulus_jobs_running_limited"),
        ("waiters_of_limit", "rotulus_jobs_queued_limited"),
        ("rate_window", "rotulus_jobs_queued_limited"),
        ("rate_window", "rotulus_jobs_running_limited"),
        ("rate_window", "rotulus_jobs_queued_suspect"),
        ("rate_window", "rotulus_jobs_promoted"),
        ("rate_window", "rotulus_jobs_blocked"),
        ("claim", "rotulus_jobs_pkey"),
        ("succeed", "rotulus_jobs_pkey"),
        ("settle", "rotulus_jobs_pkey"),
        ("extend", "rotulus_jobs_pkey"),
        ("running", "rotulus_jobs_pkey"),
        ("rescue", "rotulus_jobs_pkey"),
        ("cancel", "rotulus_jobs_pkey"),
        ("records", "rotulus_jobs_pkey"),
        ("alike", "rotulus_jobs_pkey"),
        ("state_of", "rotulus_jobs_pkey"),
        ("find", "rotulus_jobs_pkey"),
        ("find_by_prefix", "rotulus_jobs_pkey"),
        ("expired", "rotulus_jobs_running"),
        ("held_by", "rotulus_jobs_running"),
        ("claimable", "rotulus_jobs_queued "),
        ("claimable", "rotulus_jobs_delayed"),
        ("prune", "rotulus_jobs_ended"),
        ("release_keys", "rotulus_jobs_held_key"),
        ("holders", "rotulus_jobs_held_key"),
        ("find_by_index", "rotulus_jobs_key"),
        ("find_by_index", "rotulus_jobs_schedule"),
        ("find_by_index", "rotulus_jobs_ended"),
        ("find_by_index", "rotulus_jobs_run"),
        ("find_by_index", "rotulus_jobs_step"),
        ("find_by_index", "rotulus_needs_of"),
        ("count_by_step", "rotulus_jobs_step"),
        ("group_head", "rotulus_jobs_pkey"),
        ("group_head", "rotulus_jobs_step"),
        ("group_head", "rotulus_needs_pkey"),
        ("stop_waiting_for_itself", "rotulus_needs_"),
        ("close_group", "rotulus_jobs_pkey"),
        ("lock_with_dependants", "rotulus_needs_pkey"),
        ("settle", "rotulus_needs_pkey"),
        ("unblock", "rotulus_needs_pkey"),
        ("unblock", "rotulus_jobs_pkey"),
        ("lock_with_dependants", "rotulus_jobs_pkey"),
        ("miscounted", "rotulus_jobs_blocked"),
        ("miscounted", "rotulus_needs_of"),
        ("recount", "rotulus_jobs_pkey"),
        ("find_by_index", "rotulus_jobs_blocked"),
        ("open", "rotulus_jobs_pkey"),
        ("lock_runs", "rotulus_jobs_run"),
        ("lock_runs", "rotulus_jobs_pkey"),
        ("size_of_runs", "rotulus_jobs_run"),
        ("search_newest", "rotulus_jobs_pkey"),
        *(("search_few", f"rotulus_jobs_{name}") for name in SEARCHED),
        ("search_few", "rotulus_labels_pkey"),
        ("search_heads", "rotulus_jobs_run_id"),
        ("search_heads", "rotulus_jobs_pkey"),
        ("last_runs", "rotulus_jobs_run_id"),
        ("last_runs", "rotulus_jobs_pkey"),
        ("steps", "rotulus_jobs_step"),
        ("needs_of", "rotulus_needs_of"),
        ("needs_of", "rotulus_jobs_pkey"),
        ("edit", "rotulus_jobs_pkey"),
        ("reprioritise", "rotulus_jobs_pkey"),
        ("with_parts", "rotulus_jobs_run"),
        ("retryable", "rotulus_jobs_pkey"),
        ("dependants", "rotulus_needs_pkey"),
        ("to_rebuild", "rotulus_needs_"),
        ("parts_of", "rotulus_jobs_run"),
        ("skippable", "rotulus_jobs_pkey"),
        ("skippable", "rotulus_jobs_run"),
        ("skip", "rotulus_jobs_pkey"),
        ("reset_opened", "rotulus_jobs_pkey"),
        ("deletable", "rotulus_jobs_pkey"),
        ("delete_attempts", "rotulus_attempts_pkey"),
        ("delete_needs", "rotulus_needs_pkey"),
        ("delete_needs", "rotulus_needs_of"),
        ("delete_entries", "rotulus_outbox_pkey"),
        ("delete_labels", "rotulus_labels_pkey"),
        ("delete_labels", "rotulus_jobs_pkey"),
        ("delete_jobs", "rotulus_jobs_pkey"),
        ("add_labels", "rotulus_jobs_pkey"),
        ("archive_ended", "rotulus_jobs_pkey"),
        ("histories", "rotulus_attempts_pkey"),
        ("retry", "rotulus_jobs_pkey"),
        ("count_needs", "rotulus_needs_of"),
        ("pause_runs", "rotulus_jobs_run"),
        ("resume_runs", "rotulus_jobs_run"),
        ("prune", "rotulus_jobs_run"),
        ("prune", "rotulus_needs_pkey"),
        ("prune", "rotulus_outbox_pkey"),
        ("claim_ids", "rotulus_jobs_pkey"),
        ("claim_ids", "rotulus_jobs_running_limited"),
        ("in_claim_order", "rotulus_jobs_pkey"),
        ("carry", "rotulus_jobs_pkey"),
        ("carry_again", "rotulus_outbox_pkey"),
        ("lock_entries", "rotulus_outbox_due"),
        ("take_entries", "rotulus_outbox_pkey"),
        ("take_entries", "rotulus_jobs_pkey"),
        ("published", "rotulus_outbox_pkey"),
        ("entry", "rotulus_outbox_pkey"),
        ("failure_parts", "rotulus_jobs_failures"),
        ("failure_counts", "rotulus_jobs_failures"),
        ("failure_members", "rotulus_jobs_failures"),
    ],
)
def test_a_hot_statement_finds_its_rows_by_an_index(filled, name, index):
    """Never by walking the whole table, whatever the statistics say."""
    lines = plan(filled, name)

    assert any(index.strip() in line for line in lines), lines
    assert [] == [line for line in lines if re.search("Seq Scan on rotulus_(jobs|limit)", line)]


@pytest.mark.parametrize(
    "name",
    [
        *("succeed", "settle", "unblock", "extend", "promote"),
        *("claim", "claim_beside_limits", "claim_chosen", "claim_after", "claim_ids"),
    ],
)
def test_a_row_is_updated_by_its_id_alone(filled, name):
    """Not by walking all running jobs for each: right on an empty table, and slow on a busy one."""
    lines = plan(filled, name)
    update = lines[next(n for n, line in enumerate(lines) if "Update on rotulus_jobs" in line) :]
    scans = [line for line in update if re.search(r"Scan using rotulus_jobs\w* on", line)]

    assert scans
    assert "rotulus_jobs_pkey" in scans[0], lines


@pytest.mark.parametrize("name", ["failure_parts", "failure_counts"])
def test_failure_groups_are_found_without_reading_all_jobs_of_a_group(filled, name):
    """Nothing is sorted or collected first, however few the planner takes them to be."""
    lines = plan(filled, name)

    assert sum("using rotulus_jobs_failures" in line for line in lines) >= 2, lines
    assert [] == [line for line in lines if re.search(r"\b(Sort|Bitmap)\b", line)]
