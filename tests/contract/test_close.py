"""close and migrate: the beginning and the end."""

import threading

import pytest

from rotulus.errors import SchemaError, StoreClosedError


def test_a_closed_store_refuses(bench):
    """Every method says so in the same words."""
    bench.store.close()

    for call in (
        lambda: bench.add(),
        lambda: bench.claim(),
        lambda: bench.store.settle([]),
        lambda: bench.store.find(),
        lambda: bench.store.fleet(),
        lambda: bench.store.rescue(1),
    ):
        with pytest.raises(StoreClosedError, match="is closed"):
            call()


def test_closing_twice_is_fine(bench):
    """Whoever cleans up need not remember."""
    bench.store.close()
    bench.store.close()


def test_migrating_twice_does_nothing_the_second_time(shared):
    """It tells what it applied."""
    assert [] == shared.store.migrate()
    assert [] == shared.open_another().migrate()


def test_many_may_migrate_a_new_file_at_once(tmp_path, clock):
    """One of them does it; nobody fails."""
    from rotulus.stores.sqlite import SqliteStore

    stores = [SqliteStore(str(tmp_path / "new.db"), clock=clock) for _ in range(8)]
    start = threading.Barrier(len(stores))
    applied = []

    def migrate(store):
        start.wait()
        applied.append(store.migrate())

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    [store.close() for store in stores]

    assert [["0001 jobs", "0002 outbox", "0003 operations", "0004 access", "0005 steering"]] == [
        names for names in applied if names
    ]
    assert len(stores) == len(applied)


def test_a_store_that_was_never_migrated_says_what_to_do(tmp_path, clock):
    """Not 'no such table'."""
    from rotulus.stores.sqlite import SqliteStore

    store = SqliteStore(str(tmp_path / "empty.db"), clock=clock)
    with pytest.raises(SchemaError, match="run 'rotulus migrate'"):
        store.find()
    store.close()
