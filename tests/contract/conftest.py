"""A store of each kind, made anew for each test, with a clock that the test moves."""

from functools import partial

import pytest
from cryptography.fernet import Fernet

from contract import previous_version
from contract.workbench import Workbench
from rotulus._app.encrypting import encrypting
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore
from server_clock import ServerClock

file = pytest.param("file", marks=pytest.mark.anywhere)
encrypted = pytest.param("encrypted", marks=pytest.mark.anywhere)
postgres = pytest.param("postgres", marks=pytest.mark.anywhere)
newest = pytest.param("newest", marks=(pytest.mark.anywhere, pytest.mark.long))


def open_encrypted(path, clock, key):
    """A file in which arguments and results are encrypted."""
    return encrypting(SqliteStore(str(path), clock=clock), Fernet(key))


@pytest.fixture
def make_bench(tmp_path, clock, migrated):
    """Makes a workbench with a store of a kind, each client of which is another one's neighbour."""
    opened = []

    def make(kind):
        if kind in ("memory", "file"):
            path = ":memory:" if kind == "memory" else str(tmp_path / "jobs.db")
            hand, make_store = clock, lambda: SqliteStore(path, clock=clock)
        elif kind == "encrypted":
            key = Fernet.generate_key()
            hand, make_store = clock, partial(open_encrypted, tmp_path / "jobs.db", clock, key)
        else:
            url = migrated(kind)
            hand, make_store = ServerClock(url), lambda: PostgresStore(read_address(url))

        def open_one():
            store = make_store()
            if store.self_migrating:
                store.migrate()
            opened.append(store)
            return store

        return Workbench(open_one(), hand, open_one)

    yield make
    for store in opened:
        store.close()


@pytest.fixture(params=["memory", file, encrypted, postgres, newest])
def bench(request, make_bench):
    """A store of each kind."""
    return make_bench(request.param)


@pytest.fixture(params=["memory", file, postgres, newest])
def readable(request, make_bench):
    """A store of each kind whose database can read arguments."""
    return make_bench(request.param)


@pytest.fixture(params=["memory", file])
def local(request, make_bench):
    """A store of one machine."""
    return make_bench(request.param)


@pytest.fixture
def file(make_bench):
    """A store in a file."""
    return make_bench("file")


@pytest.fixture(params=["file", postgres])
def shared(request, make_bench):
    """A store that a second client can open."""
    return make_bench(request.param)


@pytest.fixture(scope="session")
def older(tmp_path_factory):
    """Runs a program on the version before; gives its process, whose output is JSON."""
    folder = tmp_path_factory.mktemp("older")
    previous_version.unpack(folder)
    return partial(previous_version.start, folder)
