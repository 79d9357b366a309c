"""How much room a store takes: its bytes, the rows of its tables, and its migrations."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from rotulus.stores._migrations import known_migrations
from rotulus.stores.sqlite.migrate import script


def rows(size):
    """The rows of each table by its name."""
    return {table.name: (table.rows, table.exact) for table in size.tables}


def test_a_store_tells_its_bytes_tables_and_migrations(bench):
    """Every table of ours is there, by name, and the migrations in order."""
    size = bench.store.size()
    names = [table.name for table in size.tables]

    assert sorted(names) == names
    assert {"rotulus_jobs", "rotulus_attempts", "rotulus_audit", "rotulus_webhooks"} <= set(names)
    assert 0 < size.size
    assert [one.name for one in known_migrations("sqlite")] == size.migrations


def test_rows_are_counted_to_a_limit(local):
    """In a file: exactly up to it, and no further."""
    local.add_many(3)

    assert (3, True) == rows(local.store.size(3))["rotulus_jobs"]
    assert (2, False) == rows(local.store.size(2))["rotulus_jobs"]
    assert (0, True) == rows(local.store.size(2))["rotulus_webhooks"]
    assert {None} == {table.size for table in local.store.size().tables}


def test_every_table_of_a_file_is_counted(local):
    """None is forgotten when a migration adds it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script())
        found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    own = {name for (name,) in found if name.startswith("rotulus_")}

    assert own - {"rotulus_migrations"} == set(rows(local.store.size()))


def test_more_jobs_take_more_room(local):
    """The bytes of a file are those that stand in it."""
    before = local.store.size().size
    local.add_many(500, arguments='{"a": "' + "x" * 1000 + '"}')

    assert before + 500_000 < local.store.size().size


@pytest.mark.anywhere
@pytest.mark.parametrize("kind", ["postgres"])
def test_postgres_estimates_rows_and_knows_bytes(make_bench, migrated, kind):
    """Of each table with its indexes; the sum is that of the store."""
    bench = make_bench(kind)
    bench.add_many(500)
    with psycopg.connect(migrated(kind), autocommit=True) as connection:
        connection.execute("ANALYZE rotulus_jobs")
    size = bench.store.size()

    assert (500, False) == rows(size)["rotulus_jobs"]
    assert sum(table.size for table in size.tables) == size.size
    jobs = next(table for table in size.tables if table.name == "rotulus_jobs")
    assert 8192 < jobs.size
