"""The columns of a job: one list for SQL and Python, and nothing that somebody forgot to add."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest

from contract.postgres_tables import make_tables
from rotulus._jobs.record import READ_APART, JobRecord, micros
from rotulus.store import NewJob, Terms
from rotulus.stores._columns import KeyedRow, PlainRow, RunRow, TermsRow
from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres.session import STATEMENTS
from rotulus.stores.sqlite.session import STATEMENTS as SQLITE_STATEMENTS

OF_THE_STORE = {"seq", "held_key", "hold_until", "lease_until"}
"""Columns that no record shows."""

GIVEN = {*NewJob._fields, *Terms._fields} & {*JobRecord._fields}
"""What a producer says of a job, and the store keeps as it is."""


def columns_of_the_file():
    """What the steps make of the table in SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in known_migrations("sqlite"):
            connection.executescript(step.sql)
        return {row[1] for row in connection.execute("PRAGMA table_info(rotulus_jobs)")}


def columns_on_the_server(url):
    """What the steps make of it in PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as connection:
        make_tables(connection)
        cursor = connection.execute("SELECT * FROM rotulus_jobs LIMIT 0")
        return {column.name for column in cursor.description}


def test_a_record_shows_every_column_of_the_file():
    """A step that adds a column needs a field, and a field needs a step."""
    assert columns_of_the_file() - OF_THE_STORE - {"boot"} == {*JobRecord._fields} - READ_APART


@pytest.mark.anywhere
def test_a_record_shows_every_column_on_the_server(database):
    """In both databases."""
    found = columns_on_the_server(database)

    assert found - OF_THE_STORE == {*JobRecord._fields} - READ_APART


def test_what_a_producer_gives_has_a_place_in_a_row():
    """A field of a new job, or of its terms, that has a column is written into it."""
    assert GIVEN == {*RunRow._fields, *TermsRow._fields} - {"run", "waits_for", "opened"}
    assert ("run", "waits_for", "opened") == tuple(
        name for name in RunRow._fields if name not in GIVEN
    )


def test_a_record_begins_with_what_a_job_has_of_its_own():
    """So the records of new jobs can be put together from their rows."""
    assert KeyedRow._fields == JobRecord._fields[: len(KeyedRow._fields)]
    assert PlainRow._fields == JobRecord._fields[: len(PlainRow._fields)]
    assert KeyedRow._fields == RunRow._fields[: len(KeyedRow._fields)]


@pytest.mark.parametrize("statements", [STATEMENTS, SQLITE_STATEMENTS])
def test_no_statement_has_a_list_of_its_own(statements):
    """Whatever reads whole jobs reads the columns of a record."""
    whole = [text for text in statements.values() if "job.failures, job.losses" in text]

    assert len(whole) > 5
    assert [] == [name for name, text in statements.items() if "rotulus_records" in text]
    assert [] == [text for text in whole if "job.paused, NULL, NULL" not in text]


def test_what_a_producer_gives_comes_back(bench):
    """Every field, as a number, a text, a moment or a length of time."""
    now = bench.clock.now() + timedelta(seconds=1)
    given = {"key": "k", "limit_key": "l", "instant": now, "queue": "q", "priority": 3}
    given |= {"limit_to": 2, "rate_to": 5, "rate_per": 7.0, "schedule": "s"}
    given |= {"labels": '{"customer":"7"}', "headers": '{"traceparent":"00-1"}'}
    stored = given | {"instant": micros(now), "rate_per": 7_000_000, "task": "t"}
    assert set(stored) == GIVEN - {"id", "arguments", "step", "workflow"}
    added = bench.add("t", **given)

    assert stored == {name: getattr(added, name) for name in stored}
    assert [added] == bench.store.find()


def test_the_record_of_a_new_job_is_what_the_store_would_give(bench):
    """Plain, due later, or about to expire."""
    added = [bench.add(), bench.add(delay=5.0), bench.add(expires=9.0, arguments='{"n": 1}')]

    assert added == bench.store.find()[::-1]
