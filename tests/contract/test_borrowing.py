"""A connection of an application does the same for us whatever it is set to, and never commits."""

import sqlite3
import sys
from contextlib import closing, contextmanager

import django
import psycopg
import pytest
import sqlalchemy
from django.conf import settings as django_settings
from django.db import connections, transaction
from psycopg import rows
from sqlalchemy.orm import Session

from contract.workbench import OUTCOMES
from rotulus._jobs.outcome import opened
from rotulus.errors import OptionError


class Pair:
    """What a factory of an application may make of a row."""

    def __init__(self, *_, **__):
        self.hidden = None


def as_dict(cursor, row):
    """A row as a dict, as the documentation of sqlite3 has it."""
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


class Odd(sqlite3.Connection):
    """A connection whose cursors give nothing but None."""

    def cursor(self, *_):
        made = super().cursor(sqlite3.Cursor)
        made.row_factory = lambda *_: None
        return made


PSYCOPG = {
    "tuples": {},
    "dicts": {"row_factory": rows.dict_row},
    "named tuples": {"row_factory": rows.namedtuple_row},
    "objects": {"row_factory": rows.class_row(Pair)},
    "keywords": {"row_factory": rows.kwargs_row(Pair)},
    "scalars": {"row_factory": rows.scalar_row},
    "client cursors": {"cursor_factory": psycopg.ClientCursor, "row_factory": rows.dict_row},
    "raw cursors": {"cursor_factory": psycopg.RawCursor},
}

SQLITE = {
    "tuples": {},
    "rows": {"row_factory": sqlite3.Row},
    "dicts": {"row_factory": as_dict},
    "bytes": {"text_factory": bytes},
    "upper case": {"text_factory": lambda raw: raw.decode().upper()},
}


@contextmanager
def by_psycopg(server, settings):
    """A connection of psycopg."""
    with closing(psycopg.connect(server, **settings)) as connection:
        yield connection, connection.commit, connection.rollback


@contextmanager
def by_sqlite(path, settings):
    """A connection of sqlite3."""
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        for name, value in settings.items():
            setattr(connection, name, value)
        yield connection, connection.commit, connection.rollback
        for name, value in settings.items():
            assert value is getattr(connection, name)


@contextmanager
def by_an_odd_class(path, _):
    """A connection of a class of the application's own."""
    with closing(sqlite3.connect(path, timeout=5, factory=Odd)) as connection:
        yield connection, connection.commit, connection.rollback


@contextmanager
def by_converting(path, _):
    """A connection that converts what columns declare."""
    sqlite3.register_converter("TEXT", lambda raw: None)
    sqlite3.register_converter("INTEGER", lambda raw: None)
    try:
        how = sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES
        with closing(sqlite3.connect(path, timeout=5, detect_types=how)) as connection:
            yield connection, connection.commit, connection.rollback
    finally:
        sqlite3.converters.clear()


@contextmanager
def by_session(url, settings):
    """A session of SQLAlchemy."""
    engine = sqlalchemy.create_engine(url, **settings)
    with Session(engine) as session:
        yield session, session.commit, session.rollback
    engine.dispose()


@contextmanager
def by_core(url, settings):
    """A connection of SQLAlchemy."""
    engine = sqlalchemy.create_engine(url, **settings)
    with engine.connect() as connection:
        yield connection, connection.commit, connection.rollback
    engine.dispose()


@contextmanager
def by_django(database, _):
    """A connection of Django, in a transaction."""
    with django_connection(database) as connection, transaction.atomic(using="borrowed"):
        yield connection, connection.connection.commit, connection.connection.rollback


@contextmanager
def django_connection(database):
    """A connection of Django."""
    if not django_settings.configured:
        django_settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.dummy"}})
        django.setup()
    own = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "OPTIONS": {}}
    connections.databases["borrowed"] = {**connections.databases["default"], **own, **database}
    yield connections["borrowed"]
    connections["borrowed"].close()
    del connections["borrowed"]


def for_django(server):
    """The address of a server as Django has it."""
    parts = sqlalchemy.make_url(server)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.database,
        "HOST": parts.host,
        "PORT": parts.port,
        "USER": parts.username,
    }


STREAMING = {"execution_options": {"stream_results": True}}

ON_A_SERVER = {
    **{f"psycopg, {name}": (by_psycopg, str, how) for name, how in PSYCOPG.items()},
    "a session": (by_session, lambda url: url.replace(":", "+psycopg:", 1), {}),
    "core, streaming": (by_core, lambda url: url.replace(":", "+psycopg:", 1), STREAMING),
    "Django": (by_django, for_django, {}),
}

ON_A_FILE = {
    **{f"sqlite3, {name}": (by_sqlite, str, how) for name, how in SQLITE.items()},
    "a class of its own": (by_an_odd_class, str, {}),
    "converters": (by_converting, str, {}),
    "a session on a file": (by_session, lambda path: f"sqlite:///{path}", {}),
    "core on a file": (by_core, lambda path: f"sqlite:///{path}", {}),
    "Django on a file": (
        by_django,
        lambda path: {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)},
        {},
    ),
}


class Borrowing:
    """A store, and connections of an application to the same place."""

    def __init__(self, bench, way, place, settings):
        self.bench = bench
        self._open = lambda: way(place, settings)

    @contextmanager
    def open(self):
        """A connection; `commit` and `rollback` end its transaction."""
        with self._open() as (connection, commit, rollback):
            self.commit, self.rollback = commit, rollback
            yield connection


@pytest.fixture(
    params=[*ON_A_FILE, *(pytest.param(name, marks=pytest.mark.anywhere) for name in ON_A_SERVER)]
)
def borrowing(request, make_bench, migrated, tmp_path):
    """Each driver, with each of its settings."""
    if request.param in ON_A_FILE:
        way, place, settings = ON_A_FILE[request.param]
        return Borrowing(make_bench("file"), way, place(tmp_path / "jobs.db"), settings)
    way, place, settings = ON_A_SERVER[request.param]
    return Borrowing(make_bench("postgres"), way, place(migrated("postgres")), settings)


def test_what_is_added_is_what_is_told(borrowing):
    """With a key or without, with parts or without: the record that the store gives later."""
    bench = borrowing.bench
    held = bench.add(key="held")
    jobs = [
        bench.new(key="k", arguments='{"text":"ü"}'),
        bench.new(key="held"),
        bench.new(delay=60.0),
    ]
    run = bench.new("run", parts=bench.parts({"a": [], "b": ["a"]}))
    with borrowing.open() as connection:
        told = bench.store.add(jobs, connection) + bench.store.add([run], connection)
        assert [held] == bench.store.find()
        borrowing.commit()

    there = [bench.store.get(job.id)._replace(history=None) for job in told]
    assert there == told
    assert held == told[1]
    assert {"": "blocked", "a": "queued", "b": "blocked"} == bench.steps(run.id)


def test_what_is_rolled_back_has_not_happened(borrowing):
    """Though nothing else was done in that transaction, and nobody had begun one."""
    bench = borrowing.bench
    job = bench.running()
    with borrowing.open() as connection:
        bench.store.add([bench.new(), bench.new(key="k")], connection)
        assert [] == bench.store.settle([OUTCOMES["succeeded"](job)], connection)
        borrowing.rollback()

    assert [job.id] == [one.id for one in bench.store.find()]
    assert "running" == bench.state(job)


def test_what_is_settled_is_settled_by_the_commit(borrowing):
    """Parts that are opened there, too."""
    bench = borrowing.bench
    job, whole = bench.running(), bench.running()
    with borrowing.open() as connection:
        outcomes = [
            OUTCOMES["succeeded"](job),
            opened(whole.id, whole.attempt, bench.parts({"x": []})),
        ]
        assert [] == bench.store.settle(outcomes, connection)
        assert "running" == bench.state(job)
        borrowing.commit()

    assert "succeeded" == bench.state(job)
    assert {"": "blocked", "x": "queued"} == bench.steps(whole.id)


def test_a_lost_attempt_is_refused(borrowing):
    """Whatever the connection makes of rows: the fence stands."""
    bench = borrowing.bench
    lost = bench.running()
    bench.store.settle([OUTCOMES["retried now"](lost)])
    [again] = bench.claim()
    with borrowing.open() as connection:
        refused = bench.store.settle([OUTCOMES["succeeded"](lost)], connection)
        assert [(lost.id, lost.attempt)] == refused
        assert [] == bench.store.settle([OUTCOMES["succeeded"](again)], connection)
        borrowing.commit()

    assert "succeeded" == bench.state(again)


def assert_refused(bench, job, connection, instead):
    """Nothing is done with a connection, and what would do is said."""
    with pytest.raises(OptionError, match=rf"commits each statement by itself.*{instead}"):
        bench.store.add([bench.new()], connection)
    with pytest.raises(OptionError, match="Begin"):
        bench.store.settle([OUTCOMES["succeeded"](job)], connection)
    assert [job.id] == [one.id for one in bench.store.find()]
    assert "running" == bench.state(job)


def test_a_connection_to_a_file_that_commits_by_itself_is_refused(make_bench, tmp_path):
    """Unless a transaction has been begun."""
    bench, path = make_bench("file"), tmp_path / "jobs.db"
    settings = [{"isolation_level": None}]
    if sys.version_info >= (3, 12):
        settings.append({"autocommit": True})
    job = bench.running()
    for how in settings:
        with closing(sqlite3.connect(path, **how)) as connection:
            assert_refused(bench, job, connection, "BEGIN")
            connection.execute("BEGIN")
            bench.store.add([bench.new()], connection)
            connection.execute("ROLLBACK")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    with (
        django_connection(database) as given,
        pytest.raises(OptionError, match=r"transaction\.atomic"),
    ):
        bench.store.add([bench.new()], given)


@pytest.mark.anywhere
def test_a_connection_to_a_server_that_commits_by_itself_is_refused(make_bench, migrated):
    """Unless a transaction has been begun."""
    bench, server = make_bench("postgres"), migrated("postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        assert_refused(bench, bench.running(), connection, r"connection\.transaction")
        with connection.transaction(force_rollback=True):
            bench.store.add([bench.new()], connection)
    engine = sqlalchemy.create_engine(
        server.replace(":", "+psycopg:", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection, pytest.raises(OptionError, match="AUTOCOMMIT"):
        bench.store.add([bench.new()], connection)
    engine.dispose()
    with (
        django_connection(for_django(server)) as given,
        pytest.raises(OptionError, match=r"transaction\.atomic"),
    ):
        bench.store.add([bench.new()], given)

    assert 1 == len(bench.store.find())
