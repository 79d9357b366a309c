"""Labels: each leads to its jobs, the newest first, as long as the jobs are there."""

import re
import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg
import pytest

from rotulus._jobs.outcome import opened
from rotulus._jobs.states import State

TWO = '{"customer":"7","région":"eu=west"}'


@contextmanager
def connected(bench):
    """A connection to the tables of a store."""
    if bench.store.url.startswith("sqlite"):
        with bench.store._connections.reading() as connection:
            yield connection
    else:
        with psycopg.connect(bench.store.url.split("?")[0], autocommit=True) as connection:
            yield connection


def of_a_caller(bench):
    """A connection with a transaction of its own."""
    if bench.store.url.startswith("sqlite"):
        return sqlite3.connect(bench.store.url.removeprefix("sqlite:///"))
    return psycopg.connect(bench.store.url.split("?")[0])


def labelled(bench):
    """The labels that lead to jobs, each with the ids of these, the newest first."""
    key = "seq" if bench.store.url.startswith("sqlite") else "id"
    with connected(bench) as connection:
        rows = connection.execute(
            f"SELECT label.label, job.id, job.{key} FROM rotulus_labels AS label "
            f"LEFT JOIN rotulus_jobs AS job ON job.{key} = label.job ORDER BY label.job DESC"
        ).fetchall()
    found = {}
    for label, job, _ in rows:
        found.setdefault(label, []).append(job and str(job))
    return found


def test_each_label_leads_to_its_jobs(bench):
    """The newest first, however the jobs are added; jobs with other labels share a statement."""
    jobs = bench.store.add(
        [
            bench.new(labels='{"customer":"7"}', headers='{"traceparent":"00-1"}'),
            bench.new(),
            bench.new(labels=TWO, limit_key="l", limit_to=1),
            bench.new(labels='{"customer":"8"}', key="k"),
        ]
    )

    assert ['{"customer":"7"}', None, TWO, '{"customer":"8"}'] == [job.labels for job in jobs]
    assert ['{"traceparent":"00-1"}', None, None, None] == [job.headers for job in jobs]
    assert {
        "customer=7": [jobs[2].id, jobs[0].id],
        "région=eu=west": [jobs[2].id],
        "customer=8": [jobs[3].id],
    } == labelled(bench)


def test_what_is_not_added_leads_nowhere(bench):
    """Neither where another job holds the key, nor where the job is there already."""
    first, *_ = given = [bench.new(labels='{"a":"1"}', key="k"), bench.new(labels='{"b":"1"}')]
    bench.store.add(given)
    bench.store.add(given)
    held = bench.add(labels='{"c":"1"}', key="k")

    assert (first.id, '{"a":"1"}') == (held.id, held.labels)
    assert {"a=1": [first.id], "b=1": [given[1].id]} == labelled(bench)


def test_the_parts_of_a_run_have_theirs(bench):
    """Those that are added with it, and those that are opened later."""
    run = bench.add_run({"a": [], "b": ["a"]}, of={"labels": '{"x":"1"}'}, labels='{"x":"1"}')
    found = labelled(bench)
    assert ["x=1"] == list(found)
    assert sorted(run.values()) == sorted(found["x=1"])

    head = bench.running()
    part = bench.new(step="c", workflow="w", labels='{"y":"1"}')
    bench.store.settle([opened(head.id, head.attempt, [part])])
    assert [part.id] == labelled(bench)["y=1"]


def test_they_go_with_their_jobs(bench):
    """By a deletion, or when old jobs are deleted; other jobs keep theirs."""
    first, second = (bench.ended(labels=TWO) for _ in range(2))
    kept = bench.add(labels='{"customer":"7"}', delay=3600.0)
    run = bench.add_run({"a": []}, of={"labels": '{"x":"1"}'})
    bench.work()
    bench.work()
    bench.store.delete([first.id, run[""]])
    assert {"customer=7": [kept.id, second.id], "région=eu=west": [second.id]} == labelled(bench)

    ended = [state for state in State if state.ended]
    assert 1 == bench.store.prune(bench.clock.now() + timedelta(days=1), ended, 100)
    assert {"customer=7": [kept.id]} == labelled(bench)


LINE = """
INSERT INTO rotulus_logs (job, attempt, line, at, level, logger, text)
SELECT {key}, 1, 1, 1, 20, '', 'secret' FROM rotulus_jobs
"""


def test_they_go_with_a_job_that_a_worker_of_the_version_before_deletes(shared):
    """And so do its lines, though it knows of neither: on SQLite the next job may get its number."""
    is_local = shared.store.url.startswith("sqlite")
    kept, job = shared.add(labels=TWO), shared.add(labels=TWO)
    with closing(of_a_caller(shared)) as connection:
        connection.execute(LINE.format(key="seq" if is_local else "id"))
        connection.execute(f"DELETE FROM rotulus_jobs WHERE id = '{job.id}'")
        assert (1,) == connection.execute("SELECT count(*) FROM rotulus_logs").fetchone()
        connection.commit()

    shared.add()
    assert {"customer=7": [kept.id], "région=eu=west": [kept.id]} == labelled(shared)


@pytest.mark.anywhere
def test_labels_of_deleted_jobs_are_found_by_their_whole_keys(migrated):
    """By a part, all labels would be read for each job."""
    function = "SELECT prosrc, proconfig FROM pg_proc WHERE proname = 'rotulus_forget_deleted'"
    with psycopg.connect(migrated("postgres")) as connection:
        [[body, settings]] = connection.execute(function).fetchall()
        for setting in settings:
            name, value = setting.split("=", 1)
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        connection.execute("CREATE TEMP TABLE gone AS SELECT id, labels FROM rotulus_jobs")
        [statement] = re.findall(r"WITH known.*?;", body, re.DOTALL)
        plan = connection.execute(f"EXPLAIN {statement}").fetchall()
        connection.rollback()

    assert "Index Cond: ((label = known.label) AND (job = known.id))" in str(plan)


def test_they_come_with_the_transaction_of_the_caller(shared):
    """Or not at all."""
    bench = shared
    with closing(of_a_caller(bench)) as connection:
        bench.store.add([bench.new(labels='{"a":"1"}')], connection)
        connection.rollback()
        assert {} == labelled(bench)

        [job] = bench.store.add([bench.new(labels='{"a":"1"}')], connection)
        connection.commit()
        assert {"a=1": [job.id]} == labelled(bench)


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_job_that_goes_back_keeps_them(bench, how):
    """They are what it was enqueued with."""
    job = bench.ended(how, labels=TWO, headers='{"a":"b"}')
    [back] = bench.store.retry([job.id])

    assert (TWO, '{"a":"b"}') == (back.labels, back.headers)
    assert [job.id] == labelled(bench)["customer=7"]
