"""`/api/v1/limits`: who holds the keys of limits, and terms that are set."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.store import ClaimFilter

pytestmark = pytest.mark.anywhere


@pytest.fixture
def app():
    """An app with a task in a queue of its own."""
    made = App("sqlite://", registry=TaskRegistry())
    task(name="mail.send", queue="mail", registry=made.registry)(lambda: None)
    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a service with the resources of the app."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).with_resources().build()) as made:
        yield made


@pytest.fixture
def jobs(app):
    """Jobs with two keys, one of which runs."""
    for number in (1, 2, 2):
        app.using(limit=1, limit_key=f"k:{number}").enqueue("mail.send")
    return app.store.claim(ClaimFilter("w"), 1, 30.0)


def test_limits_tell_who_holds_them(client, jobs):
    """The key with the most jobs waiting first."""
    first, second = client.get("/api/v1/limits").json()["items"]

    assert ("k:2", 0, 2, []) == (
        *(first["key"], first["running"], first["waiting"], first["holders"]),
    )
    assert {
        "key": "k:1",
        "queues": ["mail"],
        "tasks": ["mail.send"],
        "limit": 1,
        "rate": None,
        "per": None,
        "holders": [jobs[0].id],
        "running": 1,
        "waiting": 0,
        "code_limit": 1,
        "code_rate": None,
        "code_per": None,
        "set_at": None,
        "set_by": None,
    } == second
    assert second == client.get("/api/v1/limits/k:1").json()


def test_terms_are_set_and_unset(app, client, jobs):
    """What is not given is as the code says; each answer is the key after that."""
    told = client.put("/api/v1/limits/k:2", json={"rate": 100, "per": 60}).json()
    assert (1, 100, 60.0, 2) == (told["limit"], told["rate"], told["per"], told["waiting"])
    told = client.put("/api/v1/limits/k:2", json={"limit": 0}).json()
    assert (0, None, 1) == (told["limit"], told["rate"], told["code_limit"])
    assert told["set_at"] is not None
    assert [] == app.store.claim(ClaimFilter("w"), 9, 30.0)

    told = client.delete("/api/v1/limits/k:2").json()
    assert (1, None) == (told["limit"], told["set_at"])
    assert 1 == len(app.store.claim(ClaimFilter("w"), 9, 30.0))


def test_a_key_may_have_slashes_and_need_no_job(client):
    """It is what stands behind the noun."""
    told = client.put("/api/v1/limits/tenant%2F7/eu", json={"limit": 3})

    assert (200, "tenant/7/eu", 3) == (told.status_code, told.json()["key"], told.json()["limit"])
    assert ["tenant/7/eu"] == [one["key"] for one in client.get("/api/v1/limits").json()["items"]]


@pytest.mark.parametrize(
    "body", [{}, {"limit": -1}, {"limit": 1, "per": 9}, {"rate": 0}, {"limit": "5"}, {"most": 5}]
)
def test_terms_that_are_none_are_refused(client, body):
    """And nothing is set."""
    answer = client.put("/api/v1/limits/k", json=body)

    assert 422 == answer.status_code
    assert [] == client.get("/api/v1/limits").json()["items"]
