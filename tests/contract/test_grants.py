"""Least privilege: what the scripts grant is enough for each role, and no more."""

import psycopg
import pytest
from click.testing import CliRunner

from contract.workbench import OUTCOMES, Workbench, claims
from rotulus import App, task
from rotulus.cli.main import main
from rotulus.errors import StoreError, StoreReadOnlyError
from rotulus.store import Debounce, Filter, ScheduleEntry
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.testing import drain


@pytest.fixture(params=["public", "jobs"])
def owner(request, database):
    """The store as its owner sees it, in either kind of schema."""
    url = database if request.param == "public" else f"{database}?schema=jobs"
    store = PostgresStore(read_address(url))
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def become(owner, database, request):
    """Gives the store as a role sees it that has just the rights of a script."""
    opened = []
    schema = "?schema=jobs" if "jobs" in owner.url.partition("?")[2] else ""

    def become(what):
        role = f"{what}_{schema[-4:] or 'public'}"
        script = CliRunner().invoke(
            main, ["migrate", "--url", owner.url, "--grants", what, "--role", role]
        )
        assert 0 == script.exit_code, script.output
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}") if _exists(connection, role) else None
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"CREATE ROLE {role} LOGIN")
            connection.execute(script.output)
        opened.append(psycopg.connect(database, autocommit=True))
        opened[-1].execute(f"SET SESSION AUTHORIZATION {role}")
        url = database.replace("//rotulus@", f"//{role}@") + schema
        store = PostgresStore(read_address(url))
        opened.append(store)
        return store

    yield become
    for one in opened:
        one.close()


def _exists(connection, role):
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    return found is not None


def refused(act):
    """Whether a right was missing."""
    try:
        act()
    except StoreReadOnlyError as error:
        return "lacks a right" in str(error)
    return False


@pytest.mark.parametrize("what", ["producer", "viewer", "worker"])
def test_a_role_is_told_what_it_may_do(owner, become, what):
    """It has what its own script gives, and is told what it lacks for others."""
    rights = become(what).rights()
    assert (True, False) == (rights.user.startswith(what), rights.owner)
    assert {"producer", "viewer", "worker"} == set(rights.missing)
    assert [] == rights.missing[what]
    place = '"jobs".' if "schema=jobs" in owner.url else ""
    if what != "worker":
        assert f"DELETE ON {place}rotulus_jobs" in rights.missing["worker"]
    if what == "viewer":
        assert f"UPDATE (held_key) ON {place}rotulus_jobs" in rights.missing["producer"]


def test_an_owner_lacks_nothing(owner):
    """And is told so."""
    rights = owner.rights()
    assert rights.owner
    assert {"producer": [], "viewer": [], "worker": []} == rights.missing
    said = CliRunner().invoke(main, ["store", "--url", owner.url])
    assert f"{rights.user}, who owns the tables" in said.output


def test_where_no_table_is_nobody_has_rights(database):
    """And it can be asked all the same."""
    store = PostgresStore(read_address(f"{database}?schema=nothing_here"))
    assert not store.rights().owner
    assert 'SELECT ON "nothing_here".rotulus_jobs' in store.rights().missing["viewer"]
    store.close()


def test_a_producer_enqueues_and_looks(owner, become, clock):
    """It runs nothing, and changes nothing that is there."""
    store = become("producer")
    bench = Workbench(store, clock, None)
    job = bench.add(key="k")
    bench.add_many(3, limit_key="l", limit_to=1)
    bench.add(key="k")
    for number in "12":
        told = f'{{"n":"{number}"}}'
        bench.add("u", key="d", delay=9.0, debounce=Debounce(9.0), labels=told, carried=True)
    run = bench.add_run({"a": [], "b": ["a"]})
    assert 1 == len(store.find(Filter(needed_by=[run["b"]])))
    head = store.groups.open(bench.new("report", key="group:g"))
    assert store.groups.add(head.id, [bench.new("v", labels='{"n":"3"}')])
    assert store.groups.close(head.id)

    assert job.id == store.get(job.id).id
    assert 4 == len(store.find(Filter(queue="default", task="t"))) - 2
    assert store.wait(job.id, 0.01) is False
    assert [] == store.migrate(apply=False)
    assert store.count()
    assert store.fleet()
    assert refused(lambda: bench.claim())
    assert refused(lambda: store.cancel([job.id]))
    assert refused(lambda: store.pause(["default"], paused=True))


def test_a_worker_does_all_that_workers_do(owner, become, clock):
    """From the first claim to the last prune."""
    store = become("worker")
    bench = Workbench(store, clock, None)
    owner.add([bench.new(), bench.new(limit_key="l", rate_to=5, rate_per=1.0), bench.new(key="k")])
    jobs = bench.claim()
    assert 3 == len(jobs)
    assert [] == store.extend(claims(jobs), 30.0, bench.worker()).lost
    assert [] == store.settle([OUTCOMES["retried now"](jobs[0]), OUTCOMES["succeeded"](jobs[1])])
    store.rescue(worker="w1")
    store.rescue(10)
    run = bench.add_run({"a": [], "b": ["a"]})
    inner = bench.open(next(job for job in bench.claim() if job.step == "a"), {"a/0": []})
    assert 1 == len(store.find(Filter(needed_by=[run["a"]])))
    assert inner
    store.schedules.declare([ScheduleEntry("tidy", "* * * * *", "UTC")])
    store.prune(clock.now().replace(year=2100), ["succeeded"], 10)

    assert 6 == len(store.find())
    assert refused(lambda: store.pause(["default"], paused=True))
    with pytest.raises(StoreError):
        store._run(lambda session: session.run_script("DROP TABLE rotulus_jobs"))


def test_a_worker_of_an_app_runs(owner, become, registry):
    """With its duties, as a user would start it."""
    store = become("worker")
    url = f"{store.url}"
    app = App(url, registry=registry)
    job = task(name="seven", registry=registry)(lambda: 7).enqueue()
    drain(app)

    assert 7 == job.result(0)
    app.close()


def test_a_viewer_only_looks(owner, become, clock):
    """At everything."""
    bench = Workbench(owner, clock, None)
    job = bench.ended("failed")
    store = become("viewer")

    assert "failed" == store.get(job.id).state
    assert 1 == len(store.find())
    assert [] == store.find(Filter(needed_by=[job.id]))
    assert store.count("task")
    assert store.fleet()
    assert refused(lambda: store.add([bench.new()]))
    assert refused(lambda: store.retry([job.id]))


def test_a_file_has_no_roles():
    """And the command says so."""
    told = CliRunner().invoke(main, ["migrate", "--url", "sqlite:///x.db", "--grants", "viewer"])

    assert 2 == told.exit_code
    assert "grants are for PostgreSQL" in told.output
