"""What is steered over HTTP stands in the audit, with who has sent the request."""

import asyncio

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.service import Auth, ServiceInfo, protect
from rotulus.service.resources.jobs import make_jobs_router
from rotulus.service.state import ServiceState

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def app(url):
    """An app with a task."""
    made = App(url, registry=TaskRegistry())
    made.store.migrate()
    task(name="send", registry=made.registry)(lambda: None)
    yield made
    made.close()


def service(app):
    """An application with the routes of jobs, and with routes of its user's that steer."""
    made = FastAPI()
    made.state.rotulus = ServiceState(app, ServiceInfo(display_name="test"))
    made.include_router(make_jobs_router())

    @made.post("/pause")
    async def pause() -> None:
        await app.queues.apause("mail")

    @made.post("/resume")
    def resume() -> None:
        app.queues.resume("mail")

    return made


def done(app):
    """The actors and verbs of the audit."""
    return [(e.actor, e.door, e.role, e.verb, e.count) for e in app.audit.find()][::-1]


def test_a_request_acts_as_its_sender(app):
    """At the routes of resources, whoever has included them; a request that only reads does not."""
    with TestClient(service(app)) as client:
        job = app.enqueue("send")
        assert 200 == client.get(f"/api/v1/jobs/{job.id}").status_code
        assert 200 == client.post(f"/api/v1/jobs/{job.id}/$cancel").status_code
        assert 200 == client.post("/pause").status_code

    assert [("local", "http", "admin", "jobs.cancel", 1)] == done(app)


def test_in_a_protected_application_it_does_at_each_route(app):
    """Also at those of the user, plain functions and coroutines."""
    made = service(app)
    protect(made, Auth(token=TOKEN))
    with TestClient(made, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        client.post("/pause")
        client.post("/resume")

    one = ("settings", "http", "admin")
    assert [(*one, "queues.pause", 1), (*one, "queues.resume", 1)] == done(app)


def test_no_request_leaves_its_actor_behind(app):
    """Where an application is called from a program that acts for nobody."""

    async def ask():
        transport = ASGITransport(app=service(app), client=("127.0.0.1", 1))
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            job = app.enqueue("send")
            answer = await client.post(f"/api/v1/jobs/{job.id}/$cancel")
            assert 200 == answer.status_code
        app.queues.pause("mail")

    asyncio.run(ask())
    assert ["jobs.cancel"] == [verb for _, _, _, verb, _ in done(app)]
