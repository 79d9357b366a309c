"""`$enqueue`: a job is stored, once however often it is asked for, and may be waited for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from rotulus import TaskRegistry, task
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.service.idempotency import WINDOW
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

PATH = "/api/v1/tasks/double/$enqueue"


@pytest.fixture
def client(app):
    """A client of a service of one task, with a worker inside."""

    @task(registry=app.registry)
    def double(x: int) -> int:
        return 2 * x

    info = ServiceInfo(display_name="T")
    with TestClient(ServiceBuilder(info=info, app=app).with_tasks().with_jobs().build()) as made:
        yield made


def test_a_job_is_stored_and_the_answer_says_where_it_is(client, app):
    """The status is 202, and the job runs later."""
    answer = client.post(PATH, json={"params": {"x": 4}})

    assert 202 == answer.status_code
    assert f"/api/v1/jobs/{answer.json()['id']}" == answer.headers["location"]
    assert "queued" == client.get(answer.headers["location"]).json()["state"]
    drain(app)
    assert 8 == client.get(answer.headers["location"]).json()["result"]


def test_options_say_how_it_is_delivered(client, app):
    """As `using` does."""
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    options = {"queue": "mail", "priority": 5, "at": at, "key": "k", "labels": {"customer": "7"}}
    job = client.post(PATH, json={"params": {"x": 4}, "options": options}).json()
    assert {"customer": "7"} == job["labels"] == app.get(job["id"]).labels

    assert ("mail", 5, "k", "delayed") == tuple(
        job[name] for name in ("queue", "priority", "key", "state")
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"params": {"x": "four"}}, "/params/x"),
        ({"params": {}}, "/params/x"),
        ({"params": {"x": 1}, "options": {"quue": "a"}}, "/options/quue"),
        ({"params": {"x": 1}, "options": {"delay": "soon"}}, "/options/delay"),
        ({"params": {"x": 1}, "options": {"labels": {"a": 7}}}, "/options/labels/a"),
        ({"params": {"x": 1}, "options": {"at": "2026-01-01T00:00:00"}}, "/options/at"),
        ({"params": {"x": 1}, "options": {"at": "5"}}, "/options/at"),
        ({"params": {"x": 1}, "options": {"at": 0.001}}, "/options/at"),
        ({"params": {"x": 1}, "options": {"delay": "5"}}, "/options/delay"),
        ({"params": {"x": 1}, "options": {"priority": "5"}}, "/options/priority"),
        ({"params": {"x": 1}, "options": {"priority": True}}, "/options/priority"),
        ({"params": {"x": 1}, "options": 5}, "/options"),
        ({"params": {"x": 1}, "option": {}}, "/option"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_its_place(client, body, pointer):
    """And nothing is stored."""
    answer = client.post(PATH, json=body)

    assert 422 == answer.status_code
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]
    assert [] == client.get("/api/v1/jobs").json()["items"]


def test_a_value_that_no_option_may_have_is_refused(client):
    """In the words of `using`."""
    answer = client.post(PATH, json={"params": {"x": 1}, "options": {"queue": "a b"}})

    assert (422, "invalid_option") == (answer.status_code, answer.json()["code"])


def test_a_request_that_waits_gets_the_result(app):
    """As soon as the job has ended; else it is told that it waits."""

    @task(registry=app.registry)
    def double(x: int) -> int:
        return 2 * x

    builder = ServiceBuilder(info=ServiceInfo(display_name="T"), app=app).with_tasks()
    with TestClient(builder.with_worker().build()) as client:
        answer = client.post(PATH, json={"params": {"x": 4}}, headers={"Prefer": "wait=20"})

    assert (200, 8) == (answer.status_code, answer.json()["result"])
    assert "wait=20" == answer.headers["preference-applied"]


def test_the_same_request_with_the_same_key_gives_the_same_job(client):
    """With another payload it is refused."""
    headers = {"Idempotency-Key": '"one"'}
    first = client.post(PATH, json={"params": {"x": 4}}, headers=headers)
    again = client.post(PATH, json={"params": {"x": 4}}, headers=headers)
    other = client.post(PATH, json={"params": {"x": 5}}, headers=headers)

    assert [202, 200, 422] == [first.status_code, again.status_code, other.status_code]
    assert first.json()["id"] == again.json()["id"]
    assert "true" == again.headers["idempotency-replayed"]


def test_the_document_says_how_long_a_key_is_remembered(client):
    """As the draft asks for: clients have to know until when a request may be sent again."""
    operation = client.get("/openapi.json").json()["paths"][PATH]["post"]
    [key] = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]

    assert 24 * 3600 == WINDOW == key["x-rotulus-window"]
    assert "24 hours" in key["description"]
    assert "Idempotency-Replayed" in operation["responses"]["200"]["headers"]


@pytest.mark.parametrize("content", ["null", "[]", '"x"'])
def test_a_body_that_is_no_object_is_refused(client, content):
    """Only no body at all is an empty one; an option may be null."""
    headers = {"Content-Type": "application/json"}
    answer = client.post(PATH, content=content, headers=headers)

    assert (422, "") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    told = {"params": {"x": 1}, "options": {"key": None, "delay": None}}
    assert 202 == client.post(PATH, json=told).status_code


def test_an_unknown_task_is_not_found_whatever_the_body_is(client):
    """The status is 404."""
    assert 404 == client.post("/api/v1/tasks/nobody/$enqueue", json=[]).status_code


def test_a_hundred_requests_at_once_store_a_hundred_jobs(client, app):
    """None is lost."""

    async def all_of_them():
        loop = asyncio.get_running_loop()
        posts = [
            loop.run_in_executor(None, lambda x=x: client.post(PATH, json={"params": {"x": x}}))
            for x in range(100)
        ]
        return await asyncio.gather(*posts)

    answers = asyncio.run(all_of_them())
    assert {202} == {answer.status_code for answer in answers}
    assert 100 == app.jobs.count(task="double")


def test_a_service_has_the_tasks_of_its_app(app):
    """And not those of the global registry."""
    other = TaskRegistry()
    task(registry=other, name="theirs")(lambda: None)
    task(registry=app.registry, name="ours")(lambda: None)
    builder = ServiceBuilder(info=ServiceInfo(display_name="T"), app=app).with_tasks()

    with TestClient(builder.build()) as client:
        assert ["ours"] == [one["name"] for one in client.get("/api/v1/tasks").json()]
