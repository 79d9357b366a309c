"""recount: what waits for nothing is found, and mended."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from contract.workbench import job_id
from rotulus.store import Filter

SHAPE = {"a": [], "b": ["a"]}


@pytest.fixture
def damage(shared, tmp_path, request):
    """Changes rows as no store does."""

    def change(sql):
        if "postgres" in request.node.callspec.id:
            url = request.getfixturevalue("migrated")("postgres")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(sql)
        else:
            with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection, connection:
                connection.execute(sql)

    return change


def test_where_all_is_well_nothing_is_mended(shared):
    """What waits, waits for something; or it is paused."""
    shared.add_run(SHAPE)
    paused = shared.add()
    shared.store.pause([], paused=True, runs=[paused.id])

    assert ([], None) == shared.store.recount()


def test_what_waits_for_what_has_ended_is_due(shared, damage):
    """Though its counter says something else, or nothing."""
    ids = shared.add_run(SHAPE)
    assert ["a"] == shared.work()
    damage(f"UPDATE rotulus_jobs SET state = 'blocked', waits_for = 1 WHERE id = '{ids['b']}'")
    assert [] == shared.claim()
    mended = shared.store.recount().jobs

    assert [("b", "queued", 0)] == [(job.step, job.state, job.waits_for) for job in mended]
    assert [["b"], [""]] == [shared.work(), shared.work()]


def test_what_waits_for_fewer_waits_for_those(shared, damage):
    """A wrong counter is put right before it does harm."""
    ids = shared.add_run({"a": [], "b": [], "c": ["a", "b"]})
    damage(f"UPDATE rotulus_jobs SET waits_for = 5 WHERE id = '{ids['c']}'")
    mended = shared.store.recount().jobs

    assert [("c", "blocked", 2)] == [(job.step, job.state, job.waits_for) for job in mended]


def test_so_many_are_looked_at_and_then_the_next(shared, damage):
    """It goes on where it was, until none is left."""
    runs = [shared.add_run(SHAPE) for _ in range(3)]
    damage("UPDATE rotulus_jobs SET waits_for = 7 WHERE step = 'b'")
    found, after, calls = [], None, 0
    while calls == 0 or after is not None:
        mended, after = shared.store.recount(2, after)
        found += [job.id for job in mended]
        calls += 1

    assert [run["b"] for run in runs] == sorted(found)
    assert 4 == calls
    assert all(shared.waits(run[""])["b"] == 1 for run in runs)
    assert ([], None) == shared.store.recount(after=job_id(999))
    assert 6 == len(shared.store.find(Filter(states=["blocked"])))
