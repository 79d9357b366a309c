"""How many transactions work takes on PostgreSQL: each of them waits for the disk."""

import psycopg
import pytest

import rotulus.workflow as wf
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.workflow import DefaultRunner

pytestmark = pytest.mark.anywhere

NOTE_TRANSACTIONS = """
CREATE TABLE seen (id xid8);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO seen VALUES (pg_current_xact_id()); RETURN NULL; END $$;
CREATE TRIGGER see AFTER INSERT OR UPDATE ON rotulus_jobs FOR EACH ROW EXECUTE FUNCTION see();
"""


@pytest.fixture
def observed(database):
    """The URL of a database, and what counts the transactions that have changed jobs since."""
    store = PostgresStore(read_address(database))
    store.migrate()
    store.close()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(NOTE_TRANSACTIONS)

        def count():
            [[found]] = connection.execute("SELECT count(DISTINCT id) FROM seen").fetchall()
            connection.execute("TRUNCATE seen")
            return found

        yield database, count


def test_a_chain_of_five_takes_seven(observed, registry):
    """One adds the run and claims its first step; each step's settles it and claims the next; one
    ends the run. One more, where the worker happens not to wait when the run is added."""
    url, count = observed
    with wf.WorkflowBuilder("chain", registry=registry):
        for link in range(5):
            needs = [f"link{link - 1}"] if link else []
            wf.task(id=f"link{link}", dependencies=needs)(lambda context: None)

    taken = []
    with DefaultRunner(url, registry=registry) as runner:
        for _ in range(10):
            assert runner.execute("chain").status == "Completed"
            taken.append(count())

    assert {7} <= {*taken} <= {7, 8}
