"""Those who watch over a service learn how it is: health, metrics, and what it runs on."""

import logging
import sqlite3

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.service import Auth, ServiceInfo, protect
from rotulus.service.health import make_health_router
from rotulus.service.metrics import make_metrics_router
from rotulus.service.state import ServiceState
from rotulus.service.system import make_system_router
from rotulus.testing import drain


@pytest.fixture
def app(url):
    """An app there."""
    made = App(url, registry=TaskRegistry())
    yield made
    made.close()


def service_of(app, **options):
    """An application with these routes."""
    made = FastAPI(**options)
    made.state.rotulus = ServiceState(app, ServiceInfo(display_name="Mine", summary="does"))
    for router in (make_health_router(), make_system_router(), make_metrics_router()):
        made.include_router(router)
    return made


@pytest.mark.requirement("C-39")
def test_a_service_that_can_work_is_healthy(app):
    """Its store can be reached, with the right tables."""
    client = TestClient(service_of(app))
    for path in ("/health", "/health/ready"):
        answer = client.get(path)
        assert (200, "no-store") == (answer.status_code, answer.headers["cache-control"])
        assert {"status": "healthy", "checks": {"store": "healthy"}} == answer.json()
    assert {"status": "healthy"} == client.get("/health/live").json()


def test_a_service_without_its_store_is_alive_and_not_ready(app, tmp_path, caplog):
    """Whoever asks is told that, and the log says why."""
    app.close()
    client = TestClient(service_of(app))
    with caplog.at_level(logging.WARNING, "rotulus.service"):
        answer = client.get("/health/ready")

    assert (503, "unhealthy") == (answer.status_code, answer.json()["status"])
    assert {"store": "unhealthy"} == answer.json()["checks"]
    assert "closed" in caplog.text
    assert "closed" not in answer.text
    assert 200 == client.get("/health/live").status_code


def test_a_store_with_newer_tables_is_not_ready(tmp_path):
    """Those of a later version, after a deployment went back."""
    place = tmp_path / "jobs.db"
    app = App(f"sqlite:///{place}", registry=TaskRegistry())
    client = TestClient(service_of(app))
    assert 200 == client.get("/health/ready").status_code
    with sqlite3.connect(place) as connection:
        copied = "SELECT 9999, 'later', checksum, applied_at FROM rotulus_migrations LIMIT 1"
        connection.execute(f"INSERT INTO rotulus_migrations {copied}")
    connection.close()

    assert 503 == client.get("/health/ready").status_code
    app.close()


def test_without_a_builder_the_open_app_is_asked(tmp_path):
    """In an application of one's own; without one it says so."""
    made = FastAPI()
    made.include_router(make_health_router())
    made.include_router(make_system_router())
    client = TestClient(made)

    assert (503, "no_app") == (
        (answer := client.get("/health")).status_code,
        answer.json()["code"],
    )
    with App(f"sqlite:///{tmp_path}/jobs.db"):
        assert 200 == client.get("/health").status_code
    assert "FastAPI" == client.get("/api/v1/info").json()["display_name"]


@pytest.mark.requirement("C-39")
def test_a_service_tells_what_it_is_and_what_it_runs_on(app):
    """As it was introduced; and neither its settings nor its environment."""
    client = TestClient(service_of(app))
    info, system = client.get("/api/v1/info").json(), client.get("/api/v1/system").json()

    assert ("Mine", "does", "1.0.0") == (info["display_name"], info["summary"], info["version"])
    assert system.keys() == {
        "current_time",
        "timezone",
        "python_version",
        "platform",
        "hostname",
        "rotulus_version",
    }


def samples_of(text):
    """What Prometheus's own parser reads: the values, by name and labels."""
    families = text_string_to_metric_families(text)
    found = [sample for family in families for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in found}


def test_metrics_tell_jobs_by_queue_and_state(app):
    """With what is paused, who works, and since when; as Prometheus reads it."""
    add = task(name="add", registry=app.registry)(lambda a=1: a)
    add.enqueue_many([(), ()])
    drain(app)
    add.using(queue="mail").enqueue()
    add.using(queue="mail", delay=60).enqueue()
    app.queues.pause("mail", "empty")
    answer = TestClient(service_of(app)).get("/metrics")
    found = samples_of(answer.text)

    def of(name, **labels):
        return found.get((name, frozenset(labels.items())))

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 0 == of("rotulus_jobs", queue="default", state="queued")
    assert 1 == of("rotulus_jobs", queue="mail", state="queued")
    assert 1 == of("rotulus_jobs", queue="mail", state="delayed")
    assert 1 == of("rotulus_queue_paused", queue="empty")
    assert 0 == of("rotulus_queue_paused", queue="default")
    assert 0 == of("rotulus_workers", state="busy") == of("rotulus_slots", state="free")
    assert 2 == of("rotulus_attempts_total", task="add", queue="default", outcome="succeeded")
    assert 1.7e9 < of("process_start_time_seconds") < 1e11


def test_metrics_and_system_are_guarded_and_health_is_not(app):
    """A probe has no token."""
    made = service_of(app)
    protect(made, Auth("t0ken"))
    client = TestClient(made)
    paths = (
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/api/v1/system",
        "/api/v1/info",
    )

    assert [200, 200, 200, 401, 401, 401] == [client.get(path).status_code for path in paths]
    headers = {"Authorization": "Bearer t0ken"}
    assert {200} == {client.get(path, headers=headers).status_code for path in paths}
