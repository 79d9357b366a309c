"""A service of an app with a cipher shows jobs as ever: in plain, and secrets masked."""

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

import rotulus.workflow as wf
from rotulus import App, TaskRegistry, task
from rotulus._app.roles import Role
from rotulus.service import protection, service_of
from rotulus.service.principal import Principal
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"
CANARY = "Zqx7Vkw9Jpt"


def add_tasks(registry):
    """A task with a secret, and a workflow in whose context there is one."""

    @task("pay", registry=registry)
    def pay(user: str, api_key: str) -> dict[str, str]:
        return {"user": user, "access_token": api_key}

    with wf.WorkflowBuilder("flow", registry=registry):

        @wf.task(id="first")
        def first(context):
            context["password"] = context["password"] + "!"
            context["seen"] = "plain"


@pytest.fixture
def app():
    """An app with a cipher."""
    made = App("sqlite://", registry=TaskRegistry(), cipher=Fernet(Fernet.generate_key()))

    add_tasks(made.registry)
    yield made
    made.close()


def test_jobs_are_shown_in_plain_and_masked(app, ask):
    """An operator sees what is no secret, and an admin everything."""
    job = app.enqueue("pay", user="ada", api_key=CANARY)
    drain(app)
    seen = ask("operator", "GET", f"{API}/{job.id}")

    assert {"user": "ada", "api_key": "***"} == seen.json()["arguments"]
    assert {"user": "ada", "access_token": "***"} == seen.json()["result"]
    assert CANARY not in seen.text and "$cipher" not in seen.text
    whole = ask("admin", "GET", f"{API}/{job.id}").json()
    assert (CANARY, CANARY) == (whole["arguments"]["api_key"], whole["result"]["access_token"])


def test_an_edit_keeps_the_secret_that_was_masked(app, ask):
    """What comes back as `***` stays, and is encrypted anew."""
    job = app.enqueue("pay", user="ada", api_key=CANARY)
    body = {"arguments": {"user": "eva", "api_key": "***"}}

    assert 200 == ask("operator", "PATCH", f"{API}/{job.id}", json=body).status_code
    assert {"user": "eva", "api_key": CANARY} == app.get(job.id).arguments


def test_a_filter_that_looks_into_arguments_is_a_mistake_of_the_caller(app, ask):
    """With words that say what to do."""
    app.enqueue("pay", user="ada", api_key=CANARY)
    answer = ask("admin", "GET", f"{API}?args.user=ada")

    assert 422 == answer.status_code
    assert "arguments are encrypted" in answer.json()["detail"]


def test_the_contexts_of_a_run_are_shown_in_plain_and_masked(app, ask):
    """What it began with, what its step was given, and what it handed on."""
    run = app.enqueue("flow", password=CANARY, who="ada")
    drain(app)
    [step] = app.jobs(run=run.id, step="first")
    whole = ask("viewer", "GET", f"/api/v1/runs/{run.id}").text
    shown = ask("viewer", "GET", f"{API}/{run.id}").json()
    inner = ask("viewer", "GET", f"{API}/{step.id}").json()

    assert {"**": {"password": "***", "who": "ada"}} == shown["arguments"]
    assert {"password": "***", "who": "ada", "seen": "plain"} == shown["result"]
    assert {"password": "***", "who": "ada"} == inner["arguments"]["context"]
    assert all(CANARY not in text and "$cipher" not in text for text in (whole, str(inner)))


def test_the_arguments_of_a_schedule_are_shown_in_plain_and_masked(app, ask):
    """And a change keeps the secret."""
    arguments = {"user": "ada", "api_key": CANARY}
    app.schedules.add("s", task="pay", cron="0 0 * * *", arguments=arguments)

    shown = ask("operator", "GET", "/api/v1/schedules/s").json()
    assert {"user": "ada", "api_key": "***"} == shown["arguments"]
    body = {"arguments": {"user": "eva", "api_key": "***"}}
    assert 200 == ask("operator", "PATCH", "/api/v1/schedules/s", json=body).status_code
    assert {"user": "eva", "api_key": CANARY} == dict(app.schedules.get("s").schedule.arguments)


def test_a_request_that_is_made_again_is_known_by_what_it_says(app, ask):
    """No two encrypted texts are equal, and the payloads are."""
    headers, path = {"Idempotency-Key": '"one"'}, "/api/v1/tasks/pay/$enqueue"
    first, again, other = (
        ask("operator", "POST", path, json={"params": params}, headers=headers)
        for params in (
            {"user": "ada", "api_key": CANARY},
            {"api_key": CANARY, "user": "ada"},
            {"user": "eva", "api_key": CANARY},
        )
    )

    assert first.json()["id"] == again.json()["id"]
    assert 422 == other.status_code
    assert 1 == app.jobs.count()


@pytest.fixture
def strange(monkeypatch, tmp_path):
    """A service without the key, on the file of an app that has it; and that app."""
    place = f"sqlite:///{tmp_path}/jobs.db"
    owner = App(place, registry=TaskRegistry(), cipher=Fernet(Fernet.generate_key()))
    add_tasks(owner.registry)
    stranger = App(place, registry=TaskRegistry())
    add_tasks(stranger.registry)

    async def let_in(*_):
        return Principal("somebody", Role.OPERATOR)

    monkeypatch.setattr(protection, "authorised", let_in)
    with TestClient(service_of(stranger), raise_server_exceptions=False) as client:
        yield client, owner
    owner.close()
    stranger.close()


def test_a_service_without_the_key_shows_what_is_stored_and_changes_no_arguments(strange):
    """It says what is missing; what need not be read is done."""
    client, owner = strange
    job = owner.enqueue("pay", user="ada", api_key=CANARY)
    assert ["$cipher"] == list(client.get(f"{API}/{job.id}").json()["arguments"])

    body = {"arguments": {"user": "eva", "api_key": "***"}}
    refused = client.patch(f"{API}/{job.id}", json=body)
    assert (409, "encrypted") == (refused.status_code, refused.json()["code"])
    assert "App(cipher=...)" in client.get(refused.json()["type"].lstrip("./")).text
    assert 200 == client.patch(f"{API}/{job.id}", json={"priority": 3}).status_code
    seen = owner.get(job.id)
    assert ({"user": "ada", "api_key": CANARY}, 3) == (seen.arguments, seen.record.priority)
