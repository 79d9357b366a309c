"""What statements touch on large PostgreSQL tables: rows that were read, and never wall time."""

import json
import re

import psycopg
import pytest

from contract.postgres_tables import make_tables
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.session import STATEMENTS, statements_in

pytestmark = pytest.mark.anywhere

PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

ENDED = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, ended_at, arguments)
SELECT md5('ended' || i)::uuid, 't', 'q', 0, 'succeeded', 1, 1, 1000000 + i, '{}'
FROM generate_series(1, 20000) AS i
"""
RUNS = """
INSERT INTO rotulus_jobs (
  id, run, step, opened, task, queue, priority, state, created_at, run_at, ended_at, arguments)
SELECT md5(run || '/' || i)::uuid, md5(run || '/0')::uuid, CASE i WHEN 0 THEN '' ELSE 's' || i END,
  i = 0, 't', 'q', 0, CASE WHEN i % 4 = 0 THEN 'failed' ELSE 'succeeded' END, 1, 1, run, '{}'
FROM generate_series(1, 20) AS run, generate_series(0, 500) AS i
"""
NEEDS = """
INSERT INTO rotulus_needs (need, job, part)
SELECT id, run, true FROM rotulus_jobs WHERE run IS NOT NULL AND step <> ''
"""
FAILED = "SELECT id::text FROM rotulus_jobs WHERE run = md5('7/0')::uuid AND state = 'failed'"
UNENDED = "UPDATE rotulus_jobs SET state = 'blocked', ended_at = NULL WHERE id = ANY (%s::uuid[])"


@pytest.fixture(scope="module")
def ended(postgres):
    """A connection to tables where all has ended, so that statistics know of nothing else."""
    with (
        postgres.database() as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection,
    ):
        make_tables(connection)
        connection.execute("ALTER TABLE rotulus_jobs SET (autovacuum_enabled = off)")
        for statement in (ENDED, RUNS, NEEDS, "ANALYZE"):
            connection.execute(statement)
        connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
        yield connection


@pytest.fixture
def failed(ended):
    """The failed jobs of one run."""
    return [job for (job,) in ended.execute(FAILED)]


def touched(connection, name, **parameters):
    """How many rows all steps of a statement gave, taken together; what it does is undone."""
    names = list(dict.fromkeys(PARAMETER.findall(STATEMENTS[name])))
    text = PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", STATEMENTS[name])
    values = ", ".join("NULL" if parameters.get(n) is None else f"'{parameters[n]}'" for n in names)
    with connection.transaction(force_rollback=True):
        connection.execute("DEALLOCATE ALL")
        connection.execute(f"PREPARE statement AS {text}")
        how = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)"
        [[told]] = connection.execute(f"{how} EXECUTE statement({values})")
    return _rows(told[0]["Plan"] if isinstance(told, list) else json.loads(told)[0]["Plan"])


def _rows(node):
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return own * node["Actual Loops"] + sum(map(_rows, node.get("Plans", ())))


def test_a_run_is_locked_once_however_many_of_its_jobs_are_named(ended, failed):
    """Not once for each of them."""
    assert 126 == len(failed)
    assert touched(ended, "lock_runs", ids=rows.array(failed)) < 20 * 501
    assert touched(ended, "size_of_runs", ids=rows.array(failed)) < 5 * 501


def test_needs_are_counted_without_a_look_at_all_jobs(ended, failed):
    """Though the statistics say that there is no job that has not ended."""
    with ended.transaction(force_rollback=True):
        ended.execute(UNENDED, [failed])
        assert touched(ended, "count_needs", jobs=rows.array(failed)) < 10 * 501


def test_a_batch_of_pruned_runs_looks_at_no_more_than_it_deletes(ended):
    """However many more could be."""
    how = {"before": "9000000000", "states": "{failed}", "limit": "600"}
    assert touched(ended, "prune", **how) < 20 * 1002
    assert touched(ended, "prune", **how) > 1002
