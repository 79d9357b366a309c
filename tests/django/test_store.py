"""The store on Django's own connections keeps the contract of every store."""

import inspect

import pytest

from contract import (
    test_add,
    test_cancel,
    test_claim,
    test_delete,
    test_extend,
    test_parts,
    test_pause,
    test_prune,
    test_rate,
    test_reading,
    test_recount,
    test_replay,
    test_rescue,
    test_retry,
    test_schedules,
    test_settle,
    test_turn,
)
from contract.workbench import Workbench
from django_project import database, postgres_settings, sqlite_settings
from rotulus.django.store import open_django
from rotulus.stores.sqlite import SqliteStore
from server_clock import ServerClock

_PARTS = [
    test_add,
    test_cancel,
    test_claim,
    test_delete,
    test_extend,
    test_parts,
    test_pause,
    test_prune,
    test_rate,
    test_reading,
    test_recount,
    test_replay,
    test_rescue,
    test_retry,
    test_schedules,
    test_settle,
    test_turn,
]

globals().update(
    (f"{name}__{part.__name__.rpartition('.')[2]}", test)
    for part in _PARTS
    for name, test in vars(part).items()
    if name.startswith("test_") and set(inspect.signature(test).parameters) == {"bench"}
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def bench(request, clock, tmp_path, migrated):
    """A store on Django's connection to a database of each kind."""
    if request.param == "sqlite":
        SqliteStore(str(tmp_path / "jobs.db"), clock=clock).migrate()
        hand, given = clock, sqlite_settings(tmp_path / "jobs.db")
    else:
        hand, given = ServerClock(migrated("postgres")), postgres_settings(migrated("postgres"))
    with database("jobs", given):
        store = open_django("jobs", clock)
        yield Workbench(store, hand, lambda: store)
        store.close()
