"""Tokens: who may use a service, by the hashes of their secrets, as long as they are valid."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from contract.postgres_tables import make_tables
from contract.test_postgres_sql import plan
from contract.test_races import race
from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres.session import statements_in
from rotulus.stores.sqlite.session import STATEMENTS as SQLITE

MINUTE = 60.0


def test_a_token_is_found_by_its_hash(bench):
    """As it was given; other hashes find nothing."""
    now = bench.store.stats.moment()
    added = bench.store.tokens.add("ci", "a1", "operator", None)
    found = bench.store.tokens.find("a1")

    assert ("ci", "a1", "operator", None, None) == (
        *(found.name, found.hash, found.role, found.expires_at, found.last_used_at),
    )
    assert added == found
    assert 0 <= found.created_at - now < 60_000_000
    assert None is bench.store.tokens.find("a2")
    assert None is bench.store.tokens.find("ci")
    assert None is bench.store.tokens.find("a%")


def test_a_name_is_given_once(bench):
    """Until its token is removed."""
    assert bench.store.tokens.add("ci", "a1", "operator", None)
    assert None is bench.store.tokens.add("ci", "a2", "admin", None)
    assert bench.store.tokens.add("b", "a3", "viewer", None)
    assert [("b", "a3"), ("ci", "a1")] == [(t.name, t.hash) for t in bench.store.tokens.list()]

    assert ["ci"] == bench.store.tokens.remove(["ci", "other"])
    assert None is bench.store.tokens.find("a1")
    assert [] == bench.store.tokens.remove([])
    assert bench.store.tokens.add("ci", "a2", "admin", None)


def test_a_token_is_valid_until_it_expires(bench):
    """By the clock of the store; it stays in the list."""
    token = bench.store.tokens.add("ci", "a1", "viewer", 10 * MINUTE)
    assert 600_000_000 == token.expires_at - token.created_at
    bench.clock.advance(9 * MINUTE)
    assert token == bench.store.tokens.find("a1")
    bench.clock.advance(MINUTE)

    assert None is bench.store.tokens.find("a1")
    assert [token] == bench.store.tokens.list()


def test_its_use_is_noted_once_in_a_minute(bench):
    """So that reading costs no writes."""
    bench.store.tokens.add("ci", "a1", "viewer", None)
    bench.store.tokens.note_use("a1")
    first = bench.store.tokens.find("a1").last_used_at
    bench.clock.advance(MINUTE / 2)
    bench.store.tokens.note_use("a1")
    assert first == bench.store.tokens.find("a1").last_used_at
    bench.clock.advance(MINUTE)
    bench.store.tokens.note_use("a1")
    bench.store.tokens.note_use("unknown")

    assert bench.store.tokens.find("a1").last_used_at - first >= 60_000_000


@pytest.mark.anywhere
def test_of_many_that_add_a_name_one_does(shared):
    """The others are told that it is taken."""
    told = race(shared, lambda number, store: store.tokens.add("ci", f"a{number}", "viewer", None))

    assert 1 == sum(one is not None for one in told)
    assert 1 == len(shared.store.tokens.list())


NAMES = ("find_token", "note_use_of_token", "remove_tokens")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_looks_tokens_up(name):
    """However many there are."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in known_migrations("sqlite"):
            connection.executescript(step.sql)
        given = {"now": 1, "apart": 1, "digest": "x", "names": "[]"}
        lines = connection.execute(f"EXPLAIN QUERY PLAN {SQLITE[name]}", given).fetchall()

    assert [] == [line for line in lines if line[3].startswith("SCAN rotulus")]


@pytest.mark.anywhere
@pytest.mark.parametrize("name", NAMES)
def test_a_server_looks_tokens_up(database, name):
    """Likewise."""
    with psycopg.connect(database, autocommit=True) as connection:
        make_tables(connection)
        connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
        lines = plan(connection, name)

    assert [] == [line for line in lines if "Seq Scan on rotulus_tokens" in line]
