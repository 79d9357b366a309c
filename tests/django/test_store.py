"""The store on Django's own connections keeps the contract of every store."""

import inspect
from importlib import import_module

import pytest
from django.db import connections

from contract.workbench import Workbench
from django_project import database, postgres_settings, sqlite_settings
from rotulus._jobs.outcome import succeeded
from rotulus.django.store import open_django
from rotulus.store import ClaimFilter, Filter
from rotulus.stores.sqlite import SqliteStore
from server_clock import ServerClock

_PARTS = (
    "add cancel claim delete extend parts pause prune rate reading recount replay rescue retry "
    "schedules settle settle_and_claim"
)

globals().update(
    (f"{name}__test_{part}", test)
    for part in _PARTS.split()
    for name, test in vars(import_module(f"contract.test_{part}")).items()
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


@pytest.mark.anywhere
@pytest.mark.parametrize("bench", ["postgres"], indirect=True)
def test_no_statement_of_an_attempt_is_planned_anew(bench):
    """The setting for that is of the transaction: the connection keeps its own."""
    for _ in range(6):
        wanted = ClaimFilter("w1", None, None, None, [bench.add().id])
        [job] = bench.store.claim(wanted, 1, 30.0)
        assert [] == bench.store.settle([succeeded(job.id, job.attempt, "1")])
        assert ["succeeded"] == [one.state for one in bench.store.find(Filter(prefix=job.id))]
    with connections["jobs"].cursor() as cursor:
        cursor.execute(
            "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements"
            " WHERE statement !~ '^SELECT set_config|^-- New jobs'"
        )
        assert (18, 0) == cursor.fetchone()
        cursor.execute("SHOW plan_cache_mode")
        assert ("auto",) == cursor.fetchone()
