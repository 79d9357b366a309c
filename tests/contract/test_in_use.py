"""A row that a transaction has in hand holds up nobody who can do without it."""

import threading

import psycopg
import pytest

from contract.workbench import OUTCOMES, claims
from rotulus.store import Claim, ClaimFilter, Renewal
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.postgres.connection import MOST

pytestmark = pytest.mark.anywhere


@pytest.fixture
def bench(make_bench):
    """A store on a server."""
    return make_bench("postgres")


@pytest.fixture
def transaction(migrated):
    """A connection of an application."""
    with psycopg.connect(migrated("postgres")) as connection:
        yield connection
        connection.rollback()


def test_a_job_that_ends_in_an_open_transaction_costs_its_neighbours_no_lease(bench, transaction):
    """They are renewed, and it counts as held."""
    bench.add_many(3)
    jobs = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](jobs[1])], transaction)
    bench.clock.advance(20)
    assert ([], [], [Claim(jobs[1].id, 1)], False) == bench.store.extend(claims(jobs), 30.0)
    bench.clock.advance(20)
    assert [] == bench.store.rescue()
    transaction.commit()

    assert [jobs[1].id] == [claim.id for claim in bench.store.extend(claims(jobs), 30.0).lost]


def test_a_job_whose_transaction_is_undone_is_renewed_again(bench, transaction):
    """As if nothing had been."""
    job = bench.running()
    bench.store.settle([OUTCOMES["succeeded"](job)], transaction)
    late = [Renewal(job.id, 1, '[2,8,""]')]
    assert ([], [], [Claim(job.id, 1)], False) == bench.store.extend(late, 30.0)
    transaction.rollback()
    assert bench.store.get(job.id).progress is None
    bench.clock.advance(29)
    assert ([], [], [], False) == bench.store.extend(claims([job]), 30.0)
    bench.clock.advance(29)

    assert [] == bench.store.rescue()


def test_what_was_taken_is_given_though_the_next_claim_fails(bench, migrated):
    """A claim may be several: none of them is forgotten."""
    url = migrated("postgres")
    store = PostgresStore(read_address(f"{url}?deadline=1"))
    bench.add_many(120)
    assert 60 == len(store.claim(ClaimFilter("w1"), 60, 30.0))
    with psycopg.connect(url) as connection:
        bench.add(delay=1.0, limit_key="k", limit_to=1)
        bench.clock.advance(2)
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('rotulus limits'), "
            "'rotulus_jobs'::regclass::oid::integer)"
        )
        taken = store.claim(ClaimFilter("w1"), 100, 30.0)
    store.close()

    assert 60 == len(taken)


def test_a_lease_is_renewed_while_every_connection_waits_for_a_lock(bench, migrated):
    """There is one more for that."""
    url = migrated("postgres")
    store = PostgresStore(read_address(f"{url}?deadline=20"))
    held, wanted = bench.running(), bench.add()
    calls = [threading.Thread(target=store.cancel, args=([wanted.id],)) for _ in range(MOST)]
    with psycopg.connect(url) as connection, psycopg.connect(url, autocommit=True) as other:
        connection.execute("SELECT FROM rotulus_jobs WHERE id = %s FOR UPDATE", [wanted.id])
        [call.start() for call in calls]
        while other.execute(WAITING).fetchone() != (MOST,):
            assert all(call.is_alive() for call in calls)
        bench.clock.advance(20)
        assert ([], [], [], False) == store.extend(claims([held]), 30.0, bench.worker())
        assert all(call.is_alive() for call in calls)
    [call.join(20) for call in calls]
    store.close()
    bench.clock.advance(20)

    assert [] == bench.store.rescue()
    assert "cancelled" == bench.state(wanted)


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
"""How many wait for a lock."""
