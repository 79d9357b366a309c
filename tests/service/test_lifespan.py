"""An app in a web process: booted with it, with a worker beside it, and drained when it ends."""

import asyncio
import threading

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.errors import InjectionError, RegistryFrozenError, StoreUnavailableError
from rotulus.service.health import make_health_router
from rotulus.service.state import ServiceInfo, ServiceState


@pytest.fixture
def app(any_url):
    """An app on each kind of store, with its tables."""
    made = App(any_url, registry=TaskRegistry())
    made.store.migrate()
    yield made
    made.close()


def service_of(app, **options):
    """An application of the user's own that serves an app."""
    made = FastAPI(lifespan=app.lifespan(**options))
    made.state.rotulus = ServiceState(app, ServiceInfo(display_name="mine"))
    made.include_router(make_health_router())
    return made


def test_an_app_is_booted_with_its_application(app):
    """Its registry is frozen meanwhile; and the application may begin again, as tests have it."""
    service = service_of(app)
    for name in ("a", "b"):
        task(name=name, registry=app.registry)(lambda: None)
        with TestClient(service) as client:
            assert {"store": "healthy"} == client.get("/health").json()["checks"]
            with pytest.raises(RegistryFrozenError):
                task(name=name + name, registry=app.registry)(lambda: None)


def test_what_does_not_fit_stops_the_start(app):
    """As it stops a worker."""

    @task(name="odd", registry=app.registry)
    def odd(a: threading.Thread): ...

    with pytest.raises(InjectionError):
        TestClient(service_of(app)).__enter__()


def test_a_store_that_cannot_be_used_stops_the_start(tmp_path):
    """Before a request comes."""
    app = App(f"sqlite:///{tmp_path}/none/jobs.db", registry=TaskRegistry())
    with pytest.raises(StoreUnavailableError):
        TestClient(service_of(app, worker=True)).__enter__()
    app.close()


def test_a_worker_runs_beside_the_application(app):
    """With the options it is given; health tells of it."""

    @task(name="add", registry=app.registry, queue="own")
    def add(a: int) -> str:
        return f"{a} in {threading.current_thread() is threading.main_thread()}"

    with TestClient(service_of(app, worker={"queues": ["own"], "slots": 3})) as client:
        assert "1 in False" == add.enqueue(1).result(timeout=30)
        [info] = app.workers.list()
        assert (("own",), 3) == (info.queues, info.slots)
        assert {"store": "healthy", "worker": "healthy"} == client.get("/health").json()["checks"]
    assert [] == app.workers.list()


def test_the_worker_finishes_what_it_runs_when_the_application_ends(app):
    """The job is not lost, nor given back."""
    begun, go_on = threading.Event(), threading.Event()

    @task(name="slow", registry=app.registry)
    def slow() -> int:
        begun.set()
        go_on.wait(30)
        return 7

    with TestClient(service_of(app, worker=True)):
        job = slow.enqueue()
        assert begun.wait(30)
        threading.Timer(0.3, go_on.set).start()

    assert ("succeeded", 1) == (job.refresh().state, job.refresh().attempt)


def test_what_does_not_finish_in_time_is_given_back(app):
    """The application ends all the same."""
    begun = threading.Event()

    @task(name="endless", registry=app.registry)
    async def endless():
        begun.set()
        await asyncio.Event().wait()

    with TestClient(service_of(app, worker={"drain": 0.2})):
        job = endless.enqueue()
        assert begun.wait(30)

    assert "queued" == job.refresh().state
    assert "shutdown" == job.refresh().attempts[-1].reason


def test_a_worker_that_has_ended_is_told_of(app, caplog):
    """The log says why, and the process is not ready any more."""
    with TestClient(service_of(app, worker={"slots": -1})) as client:
        answer = client.get("/health/ready")
        while answer.status_code == 200:
            answer = client.get("/health/ready")
        assert {"store": "healthy", "worker": "unhealthy"} == answer.json()["checks"]
        assert 200 == client.get("/health/live").status_code
    assert "slots" in caplog.text


def test_a_worker_that_has_stopped_by_itself_is_told_of(app):
    """Such as one that was to retire after a job."""
    with TestClient(service_of(app, worker={"burst": True})) as client:
        while client.get("/health/ready").status_code == 200:
            pass
        assert "it has stopped" == app.readiness()["worker"]
