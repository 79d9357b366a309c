"""Claims of jobs with a limit and changes of its terms take turns on PostgreSQL, in each schema."""

import contextlib

import psycopg
import pytest

from rotulus.errors import StoreBusyError
from rotulus.store import ClaimFilter, NewJob, Terms
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.postgres.session import statements_in

pytestmark = pytest.mark.anywhere

JOB = NewJob("00000000-0000-7000-8000-000000000001", "{}", Terms("t", limit_to=1), limit_key="k")


@contextlib.contextmanager
def locked(url, schema):
    """Somebody claims jobs with a limit from a schema, and takes long."""
    with psycopg.connect(url) as connection:
        connection.execute(statements_in(schema)["wait_for_limits"], {"keys": "{k}"})
        yield


@pytest.fixture
def claim(database):
    """Claims the one job of a schema, within a second."""
    opened = []
    for schema in ("one", "other"):
        url = f"{database}?schema={schema}"
        migrating = PostgresStore(read_address(url))
        migrating.migrate()
        migrating.add([JOB])
        migrating.close()
        opened.append(PostgresStore(read_address(f"{url}&deadline=1")))
    stores = dict(zip(("one", "other"), opened, strict=True))
    yield lambda schema: stores[schema].claim(ClaimFilter("w"), 1, 30.0)
    for store in opened:
        store.close()


@pytest.fixture
def terms(database):
    """The terms that are set in the schema one; a change is given up after a second."""
    store = PostgresStore(read_address(f"{database}?schema=one&deadline=1"))
    store.migrate()
    yield store.limit_terms
    store.close()


def test_a_claim_waits_for_one_of_the_same_schema(database, claim):
    """What it counts is true when it counts."""
    with locked(database, "one"), pytest.raises(StoreBusyError):
        claim("one")

    assert len(claim("one")) == 1


def test_a_claim_does_not_wait_for_one_of_another_schema(database, claim):
    """Their limits have nothing to do with each other."""
    with locked(database, "one"):
        assert len(claim("other")) == 1


def test_terms_change_while_nobody_claims_by_them(database, terms):
    """A claim of the key is waited for; keys of others are not."""
    with locked(database, "one"):
        with pytest.raises(StoreBusyError):
            terms.set("k", 2)
        with pytest.raises(StoreBusyError):
            terms.unset("k")
        terms.set("other", 2)

    assert ["other"] == [one.key for one in terms.list()]
