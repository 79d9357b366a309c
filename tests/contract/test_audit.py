"""The audit: verbs, their actors and counts, written before a verb and completed after it."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from contract.postgres_tables import make_tables
from contract.test_postgres_sql import plan
from rotulus.store import AuditEntry, AuditFilter
from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres.session import statements_in
from rotulus.stores.sqlite.session import STATEMENTS as SQLITE

MINUTE = 60.0


def entry(actor="ada", verb="jobs.cancel", **fields):
    """Something that ada is about to do."""
    told = {"door": "cli", "role": None, "target": "j1", "detail": "{}"} | fields
    return AuditEntry(actor=actor, verb=verb, **told)


def begin(bench, **fields):
    """The number of an entry that has begun."""
    return bench.store.audit.begin(entry(**fields))


def numbers(bench, limit=100, before=None, **wanted):
    """The numbers of the entries that are found."""
    return [row.id for row in bench.store.audit.read(AuditFilter(**wanted), limit, before)]


def test_what_has_begun_stands_there_without_an_end(bench):
    """As it was given, with the moment at which it began."""
    told = entry(role="operator", detail='{"queue":"mail"}')
    number = bench.store.audit.begin(told)

    [row] = bench.store.audit.read(AuditFilter(), 10)
    assert number == row.id
    assert told == AuditEntry(*(getattr(row, name) for name in AuditEntry._fields))
    assert (None, None, None) == (row.count, row.error, row.ended_at)
    assert abs(bench.store.stats.moment() - row.at) < 60_000_000


def test_what_has_ended_tells_to_how_many_it_was_done(bench):
    """Or how it went wrong; a second end changes nothing, and one of nothing neither."""
    good, bad = begin(bench), begin(bench)
    bench.store.audit.end(good, 7, None)
    bench.store.audit.end(bad, None, "StoreBusyError: locked")
    bench.store.audit.end(good, 8, "no")
    bench.store.audit.end(999_999, 1, None)

    [second, first] = bench.store.audit.read(AuditFilter(), 10)
    assert (7, None) == (first.count, first.error)
    assert (None, "StoreBusyError: locked") == (second.count, second.error)
    assert first.at <= first.ended_at
    assert second.ended_at is not None


def test_entries_are_read_in_pages_the_last_one_first(bench):
    """Each page goes on before the last number of the one before it."""
    all_of_them = [begin(bench) for _ in range(7)]

    assert all_of_them[:-4:-1] == numbers(bench, 3)
    assert all_of_them[3::-1] == numbers(bench, 9, before=all_of_them[4])
    assert [] == numbers(bench, 0)


def test_entries_are_found_by_actor_and_verb(bench):
    """By both, and by all verbs of a noun."""
    cancel = begin(bench)
    pause = begin(bench, verb="queues.pause")
    other = begin(bench, actor="bob", verb="jobs.retry")

    assert [pause, cancel] == numbers(bench, actor="ada")
    assert [other] == numbers(bench, verb="jobs.retry")
    assert [other, cancel] == numbers(bench, verb="jobs.")
    assert [cancel] == numbers(bench, actor="ada", verb="jobs.")
    assert [pause] == numbers(bench, actor="ada", verb="queues.pause")
    assert [] == numbers(bench, actor="bob", verb="jobs.cancel")
    assert [] == numbers(bench, actor="b%", verb="job_.")


def test_entries_are_found_since_a_moment(bench):
    """That moment counts, also where there are more entries than a margin before it."""
    for _ in range(1100):
        begin(bench)
    bench.clock.advance(MINUTE)
    since = bench.store.stats.moment()
    later = [begin(bench), begin(bench, actor="bob")]

    assert later[::-1] == numbers(bench, since=since)
    assert later[:1] == numbers(bench, since=since, actor="ada")
    assert later[1:] == numbers(bench, since=since, verb="jobs.cancel", before=2**40, limit=1)
    assert [] == numbers(bench, since=since + 60_000_000)


def test_what_is_old_is_deleted_some_at_a_time(bench):
    """The first ones first; numbers are not given again."""
    old = [begin(bench) for _ in range(5)]
    bench.clock.advance(MINUTE)
    new = begin(bench)

    assert 0 == bench.store.audit.prune(10 * MINUTE, 100)
    assert 3 == bench.store.audit.prune(MINUTE / 2, 3)
    assert [new, *old[:2:-1]] == numbers(bench)
    assert 2 == bench.store.audit.prune(MINUTE / 2, 3)
    bench.clock.advance(MINUTE)
    assert 1 == bench.store.audit.prune(MINUTE / 2, 3)
    assert begin(bench) > new


PLANS = {
    "audit": ("INTEGER PRIMARY KEY", "rotulus_audit_pkey"),
    "audit_of_verb": ("rotulus_audit_verb (verb=? AND id", "rotulus_audit_verb"),
    "audit_of_actor": ("rotulus_audit_actor (actor=? AND id", "rotulus_audit_actor"),
    "audit_before": ("rotulus_audit_at", "rotulus_audit_at"),
    "prune_audit": ("rotulus_audit_at", "rotulus_audit_at"),
    "end_audit": ("INTEGER PRIMARY KEY", "rotulus_audit_pkey"),
}
"""The index by which each statement finds its rows, in a file and on a server."""

FILL = """
INSERT INTO rotulus_audit (at, actor, door, verb)
SELECT i * 1000000::bigint, 'a' || (i % 50), 'cli', 'jobs.v' || (i % 7) FROM generate_series(1, 20000) AS i;
ANALYZE rotulus_audit;
"""


@pytest.mark.parametrize("name", PLANS)
def test_a_file_finds_entries_by_an_index(name):
    """And sorts nothing."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in known_migrations("sqlite"):
            connection.executescript(step.sql)
        given = dict.fromkeys(("now", "limit", "kept", "number", "before", "first", "since"), 1)
        given |= dict.fromkeys(("actor", "verb", "noun", "error", "count"), "x")
        lines = connection.execute(f"EXPLAIN QUERY PLAN {SQLITE[name]}", given).fetchall()

    shown = [line[3].replace("rowid", "id") for line in lines]
    assert any(PLANS[name][0] in line for line in shown), shown
    assert [] == [line for line in shown if line.startswith("SCAN") or "TEMP" in line]


@pytest.mark.anywhere
@pytest.mark.parametrize("name", PLANS)
def test_a_server_finds_entries_by_an_index(database, name):
    """Also with a plan that is made before the parameters are known."""
    with psycopg.connect(database, autocommit=True) as connection:
        make_tables(connection)
        connection.execute(FILL)
        connection.execute(statements_in(None)["pin"], {"local": "false", "timeout": "9000"})
        lines = plan(connection, name)

    assert any(PLANS[name][1] in line for line in lines), lines
    assert [] == [line for line in lines if "Seq Scan on rotulus_audit" in line]
