"""Databases that were not made as they should be: they work, or are refused in words."""

import pytest

from rotulus.errors import StoreError
from rotulus.store import ClaimFilter, NewJob, Terms
from rotulus.stores.postgres import PostgresStore, read_address

pytestmark = pytest.mark.anywhere

JOB = NewJob("00000000-0000-7000-8000-000000000001", '{"name":"Zo\u00eb \u20ac"}', Terms("t"))


@pytest.fixture
def store_in(postgres):
    """Makes a store in a new database."""
    made = []

    def make(name, how):
        postgres.sql(f"CREATE DATABASE {name} {how}")
        made.append(PostgresStore(read_address(postgres.url(name))))
        return made[-1]

    yield make
    for store in made:
        store.close()


def test_a_database_without_an_encoding_gives_back_what_it_was_given(store_in, monkeypatch):
    """Whatever the environment says of the client."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    store = store_in("plain_ascii", "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    store.migrate()
    store.add([JOB])

    assert [JOB.arguments] == [job.arguments for job in store.claim(ClaimFilter("w"), 1, 30.0)]


def test_a_database_that_cannot_hold_every_text_is_refused(store_in):
    """With what to do about it."""
    store = store_in("western", "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")

    with pytest.raises(StoreError, match="in LATIN1.*ENCODING 'UTF8'"):
        store.migrate()


def test_a_database_whose_transactions_are_serializable_is_used_as_any_other(store_in, postgres):
    """A transition sees what the last one did."""
    store = store_in("strict", "")
    postgres.sql("ALTER DATABASE strict SET default_transaction_isolation = 'serializable'")
    store.migrate()
    levels = store._connections.run(
        lambda session: session._execute(b"SHOW transaction_isolation", {}).fetchall(), atomic=True
    )

    assert [("read committed",)] == levels
