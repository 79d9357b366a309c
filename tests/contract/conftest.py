"""A store of each kind, made anew for each test, with a clock that the test moves."""

import pytest

from contract.workbench import Workbench
from rotulus.stores.sqlite import SqliteStore

KINDS = ("memory", "file")


@pytest.fixture(params=KINDS)
def bench(request, tmp_path, clock):
    """A store of each kind."""
    path = ":memory:" if request.param == "memory" else str(tmp_path / "jobs.db")
    opened = []

    def open_one():
        store = SqliteStore(path, clock=clock)
        store.migrate()
        opened.append(store)
        return store

    yield Workbench(open_one(), clock, open_one)
    for store in opened:
        store.close()


@pytest.fixture
def shared(tmp_path, clock):
    """A store that a second client can open."""
    opened = []

    def open_one():
        store = SqliteStore(str(tmp_path / "jobs.db"), clock=clock)
        store.migrate()
        opened.append(store)
        return store

    yield Workbench(open_one(), clock, open_one)
    for store in opened:
        store.close()
