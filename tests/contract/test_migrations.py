"""From the tables of the first version to these: with jobs in them, and while they are used."""

import sqlite3
import threading
from contextlib import closing, contextmanager

import psycopg
import pytest

from contract.workbench import OUTCOMES, Workbench
from rotulus.stores import _migrations
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore
from rotulus.testing import SettableClock


@pytest.fixture
def first_only(monkeypatch):
    """For the length of a block, this version knows only the first step."""
    known = _migrations.known_migrations

    @contextmanager
    def block():
        with monkeypatch.context() as patch:
            for module in ("sqlite", "postgres"):
                patch.setattr(f"rotulus.stores.{module}.migrate.known_migrations", _first(known))
            patch.setattr(_migrations, "known_migrations", _first(known))
            yield

    return block


def _first(known):
    return lambda store: known(store)[:1]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.anywhere)])
def old(request, tmp_path, first_only):
    """A store with the tables of the first version; and what opens another client of it."""
    if request.param == "file":
        clock = SettableClock()

        def open_one():
            return SqliteStore(str(tmp_path / "jobs.db"), clock=clock)

    else:
        address = read_address(request.getfixturevalue("database"))
        clock = SettableClock()

        def open_one():
            return PostgresStore(address)

    opened = []

    def open_another():
        opened.append(open_one())
        return opened[-1]

    store = open_another()
    with first_only():
        assert ["0001 jobs"] == store.migrate()
    yield Workbench(store, clock, open_another)
    [one.close() for one in opened]


def test_what_is_there_stays(old):
    """Jobs, their attempts and their runs; and what is carried can be added afterwards."""
    before = [old.ended("retried").id, old.add(delay=60.0).id, *old.add_run({"a": []}).values()]
    held = old.running()
    records = {job: old.store.get(job) for job in before}
    assert ["0002 outbox"] == old.store.migrate(apply=False)
    assert ["0002 outbox"] == old.store.migrate()
    assert [] == old.store.migrate()

    assert records == {job: old.store.get(job) for job in before}
    assert [] == old.store.settle([OUTCOMES["succeeded"](held)])
    new = old.add(queue="_out", carried=True)
    assert [new.id] == [job.id for job in old.store.outbox.take("_out", 10, 30.0, 60.0)]


def test_workers_go_on_meanwhile(old):
    """What a client of the version before does needs nothing of the new table."""
    total, done, stop = 60, [], threading.Event()
    old.add_many(total)

    def work():
        store = old.open_another()
        while not stop.is_set() or len(done) < total:
            for job in Workbench(store, old.clock, None).claim(2, worker="w"):
                done.extend([job.id] if not store.settle([OUTCOMES["succeeded"](job)]) else [])

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ["0002 outbox"] == old.store.migrate()
    stop.set()
    thread.join(60)

    assert total == len(done) == len(set(done))


@pytest.mark.anywhere
def test_roles_keep_their_rights(database, first_only):
    """Whoever deletes old jobs deletes what is to be published of them; who looks may look."""
    store = PostgresStore(read_address(database))
    with first_only():
        store.migrate()
    with psycopg.connect(database, autocommit=True) as connection:
        for role in ("keeps", "looks"):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_jobs TO keeps")
        connection.execute("GRANT SELECT ON rotulus_jobs TO looks, PUBLIC")
    store.migrate()
    with psycopg.connect(database, autocommit=True) as connection:

        def may(role):
            asked = "SELECT has_table_privilege(%s, 'rotulus_outbox', %s)"
            rights = ("SELECT", "INSERT", "UPDATE", "DELETE")
            return [connection.execute(asked, (role, right)).fetchone()[0] for right in rights]

        assert ([True] * 4, [True, False, False, False]) == (may("keeps"), may("looks"))
        for role in ("keeps", "looks"):
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
    store.close()


def test_the_script_for_other_tools_makes_the_same_tables(tmp_path):
    """With both steps in it, and their checksums."""
    store = SqliteStore(str(tmp_path / "jobs.db"))
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.executescript(store.tables_sql)

    assert [] == store.migrate()
    store.close()


@pytest.mark.anywhere
def test_so_it_does_on_a_server(database):
    """In one transaction, with what the steps do beside making tables."""
    store = PostgresStore(read_address(database))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(store.tables_sql)

    assert [] == store.migrate()
    store.close()


def test_the_first_step_is_what_it_was():
    """Who has applied it must never hear that another build made the tables."""
    sums = {store: _migrations.known_migrations(store)[0].checksum[:12] for store in FIRST}

    assert sums == FIRST


FIRST = {"sqlite": "d32df3e0be68", "postgres": "15ddcd016e60"}
