"""Django's connections in a worker: old and broken ones are closed around each job."""

import asyncio
import tempfile
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connections, transaction

import django_examples as tasks
from django_project import database as django_database
from django_project import postgres_settings
from rotulus._concurrency.starting import start_thread
from rotulus.django import app_of, worker_app
from rotulus.django.old_connections import close_old
from servers.postgres import QUICK, PostgresServer, usual

pytestmark = pytest.mark.anywhere

BOTH = pytest.mark.parametrize("task", [tasks.server_process, tasks.server_process_later])


@pytest.fixture
def server():
    """A server of the test's own, that it may restart."""
    own = PostgresServer(usual(), tempfile.mkdtemp(prefix="rotulus-"), QUICK)
    own.start()
    yield own
    own.remove()


@contextmanager
def one_slot(given):
    """What gives the result of a task that a worker runs, all in one thread of it."""
    with django_database("jobs", given):
        worker = worker_app("jobs")
        worker.store.migrate()
        running = threading.Thread(target=worker.run_worker, kwargs={"slots": 1})
        running.start()

        def result_of(task):
            enqueued = task.enqueue("jobs")
            connections["jobs"].close()
            return worker.get(enqueued.id).result(timeout=60)

        try:
            yield result_of
        finally:
            worker.stop()
            running.join()
            worker.close()
            app_of("jobs").close()


@BOTH
def test_a_connection_is_used_by_one_job_unless_settings_say_more(database, task):
    """Without `CONN_MAX_AGE` it is closed when the job has ended."""
    with one_slot(postgres_settings(database)) as result_of:
        assert result_of(task) != result_of(task)


@BOTH
def test_a_connection_is_kept_for_the_next_job_as_long_as_settings_say(database, task):
    """With `CONN_MAX_AGE` there is one for all jobs of a thread."""
    kept = postgres_settings(database) | {"CONN_MAX_AGE": 600}
    with one_slot(kept) as result_of:
        assert result_of(task) == result_of(task)


@BOTH
@pytest.mark.parametrize("checked", [False, True])
def test_the_first_job_after_a_restart_of_the_server_has_a_connection_that_works(
    server, task, checked
):
    """Also one that is kept for ever, and whether or not Django checks its health."""
    given = postgres_settings(server.url()) | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": checked}
    with one_slot(given) as result_of:
        before = result_of(task)
        server.stop()
        server.start()

        assert result_of(task) not in (None, before)


def sessions(given):
    """How many connections lead to the database of a test, besides the one that asks."""
    with psycopg.connect(
        host=given["HOST"], port=given["PORT"], user=given["USER"], dbname=given["NAME"]
    ) as connection:
        asked = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        return connection.execute(asked).fetchone()[0]


def until(holds):
    """Wait until something holds."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def test_what_renews_a_lease_leaves_no_connection_behind(database):
    """It has one while a body runs that takes longer than a moment."""
    given = postgres_settings(database) | {"CONN_MAX_AGE": 600}
    with django_database("jobs", given):
        app = app_of("jobs")
        app.store.migrate()
        running = tasks.until.enqueue()
        connections["jobs"].close()
        thread = start_thread(lambda: app.jobs.run(running.id), "rotulus-test")
        until(lambda: sessions(given) == 2)
        tasks.GO_ON.set()
        thread.join()
        until(lambda: sessions(given) == 0)
        app.close()


@pytest.mark.parametrize("age", [0, 600])
def test_calls_of_coroutines_have_connections_that_are_as_old_as_settings_say(database, age):
    """Those of the threads that make the calls."""
    given, alias = postgres_settings(database) | {"CONN_MAX_AGE": age}, f"calls{age}"
    with django_database(alias, given):  # the threads know no other database by that name
        app = app_of(alias)
        app.store.migrate()
        connections[alias].close()
        asyncio.run(app.jobs.afind())
        until(lambda: sessions(given) == (1 if age else 0))
        app.close()


def test_a_thread_of_ours_that_ends_closes_its_connections(database):
    """Those of every database, however long they may be kept."""
    given = postgres_settings(database) | {"CONN_MAX_AGE": None}
    with django_database("jobs", given):
        seen = []

        def work():
            connections["jobs"].ensure_connection()
            seen.append(sessions(given))

        start_thread(work, "rotulus-test").join()
        assert [1] == seen
        until(lambda: sessions(given) == 0)


def test_an_open_transaction_keeps_its_connection(database):
    """As in the tests of an application, which run jobs in theirs."""
    with django_database("jobs", postgres_settings(database)), transaction.atomic(using="jobs"):
        within = connections["jobs"].connection
        close_old()
        assert within is connections["jobs"].connection is not None
