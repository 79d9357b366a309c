"""A body that ends its job in a transaction of its own: both happen, or neither does."""

import sqlite3
from contextlib import closing, contextmanager

import psycopg
import pytest

from rotulus import App, Job, State, task
from rotulus.errors import JobNotRunningError, OptionError
from rotulus.events import OutcomeRefused
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.testing import drain


class Place:
    """A database with jobs and a table of the application's own."""

    def __init__(self, url, connect):
        self.url = url
        self.connect = connect
        with self.transaction() as connection:
            connection.execute("CREATE TABLE effects (what text)")

    @contextmanager
    def transaction(self):
        """A transaction on it."""
        with closing(self.connect()) as connection, connection:
            yield connection

    def effects(self):
        """What tasks have done."""
        with self.transaction() as connection:
            return [what for (what,) in connection.execute("SELECT what FROM effects")]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """A database of each kind."""
    if request.param == "sqlite":
        return Place("sqlite:///jobs.db", lambda: sqlite3.connect("jobs.db", timeout=5))
    url = request.getfixturevalue("database")
    store = PostgresStore(read_address(url))
    store.migrate()
    store.close()
    return Place(url, lambda: psycopg.connect(url))


@pytest.fixture
def app(place, registry):
    """An app there."""
    made = App(place.url, registry=registry)
    yield made
    made.close()


def test_the_progress_that_was_reported_last_is_stored_with_the_end(app, place):
    """Though no lease was renewed since then, and the body ends its job itself."""

    @task(registry=app.registry)
    def work(job: Job) -> None:
        job.progress(7, 7, "all")
        with place.transaction() as connection:
            job.complete(connection, None)

    job = work.enqueue()
    drain(app)

    assert (7, 7, "all") == job.refresh().reached


def test_the_effects_and_the_end_of_the_job_are_one(app, place):
    """And the result is what was given, not what is returned later."""

    @task(registry=app.registry)
    def pay(amount: int, job: Job) -> int:
        with place.transaction() as connection:
            connection.execute(f"INSERT INTO effects VALUES ('{amount}')")
            job.complete(connection, amount)
        return -1

    refused = []
    app.events.subscribe(refused.append, OutcomeRefused)
    job = pay.enqueue(7)
    drain(app)

    assert (State.SUCCEEDED, 7, ["7"]) == (job.refresh().state, job.result(), place.effects())
    assert [] == refused


def test_a_transaction_that_is_rolled_back_leaves_the_job_running(app, place):
    """Then it ends as its body does."""

    @task(registry=app.registry)
    def pay(job: Job):
        with place.transaction() as connection:
            connection.execute("INSERT INTO effects VALUES ('once')")
            job.complete(connection)
            raise ValueError("no")

    job = pay.enqueue()
    drain(app)

    assert (State.FAILED, []) == (job.refresh().state, place.effects())


def test_an_attempt_that_was_lost_does_nothing(app, place):
    """A zombie learns that it is one, and its transaction is rolled back."""
    told = []

    @task(registry=app.registry)
    def pay(job: Job):
        app.store.rescue(worker=job.worker)
        with place.transaction() as connection:
            connection.execute("INSERT INTO effects VALUES ('twice')")
            try:
                job.complete(connection)
            except JobNotRunningError as error:
                told.append(str(error))
                raise

    job = pay.enqueue()
    app.run_worker(burst=True, slots=1)

    assert [] == place.effects()
    assert State.DELAYED == job.refresh().state
    assert "Attempt 1" in told[0]
    assert "Roll back" in told[0]


def test_only_a_running_job_can_be_completed(app, place):
    """And only on the database that holds it."""

    @task(registry=app.registry)
    def pay(job: Job):
        with closing(sqlite3.connect(":memory:")) as connection:
            job.complete(connection)

    job = pay.enqueue()
    not_here = pytest.raises(JobNotRunningError, match="is not being run here")
    with place.transaction() as connection, not_here:
        job.complete(connection)
    drain(app)

    assert OptionError.__name__ == job.refresh().error.type
