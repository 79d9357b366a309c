"""The details of tasks over HTTP: what a form is made of, and how their jobs are run."""

import pytest
from fastapi.testclient import TestClient

import rotulus.service.protection as protecting
from rotulus import App, Retry, TaskRegistry, scheduled, task
from rotulus._app.roles import Role
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.service.principal import Principal
from rotulus.workflow import WorkflowBuilder
from rotulus.workflow import task as step

pytestmark = pytest.mark.anywhere


class Unknown:
    """A type of which nobody has a value."""


@pytest.fixture
def app():
    """An app with a task of each kind."""
    registry = TaskRegistry()
    policy = Retry(attempts=4, backoff="fixed", delay=5, jitter=False, not_on=ValueError)

    @task(name="send", registry=registry, queue="mail", retry=policy, timeout=30, rate=10, per=60)
    def send(to: str, size: int = 3) -> dict[str, int]:
        """Send one mail."""
        return {to: size}

    @scheduled(cron="30 2 * * *", name="nightly", timezone="Europe/Paris", registry=registry)
    def nightly() -> None:
        """Load the day before."""

    @task(name="needy", registry=registry)
    def needy(unknown: Unknown) -> None:
        """Take what nobody has."""

    with WorkflowBuilder("etl", registry=registry):

        @step(id="fetch")
        def fetch(context):
            return context

        step(id="left", dependencies=["fetch"])(fetch)
        step(id="right", dependencies=["fetch"])(fetch)

    made = App("sqlite://", registry=registry, retry=Retry(attempts=2, delay=0, jitter=False))
    yield made
    made.close()


@pytest.fixture
def ask(app):
    """Asks for the details of a task."""
    client = TestClient(
        ServiceBuilder(info=ServiceInfo(display_name="d"), app=app)
        .with_tasks()
        .with_resources()
        .build()
    )
    return lambda name: client.get(f"/api/v1/tasks/{name}/$details")


def test_a_task_says_what_it_takes_and_how_it_is_run(ask):
    """As JSON Schemas with the defaults of the function, and in English."""
    told = ask("send").json()

    assert ["to"] == told["arguments"]["required"]
    assert 3 == told["arguments"]["properties"]["size"]["default"]
    assert "integer" == told["result"]["additionalProperties"]["type"]
    assert "4 attempts, each 5 s after a failure; never for ValueError" == told["retry"]
    assert ("mail", 30.0, 10, 60.0) == tuple(told[n] for n in ("queue", "timeout", "rate", "per"))
    assert ("task", None, None) == tuple(told[n] for n in ("kind", "schedule", "problem"))


def test_a_task_without_a_policy_has_that_of_the_app(ask):
    """And one that code schedules says when."""
    told = ask("nightly").json()

    assert "2 attempts, each at once" == told["retry"]
    assert "Europe/Paris" == told["schedule"]["timezone"]
    assert "02:30" in told["schedule"]["words"]


def test_a_workflow_is_told_from_a_task(ask):
    """It takes arguments of any name."""
    told = ask("etl").json()

    assert "workflow" == told["kind"]
    assert "**" in told["arguments"]["properties"]


def test_a_workflow_tells_its_shape_and_its_version(app, ask):
    """As it is declared now: how many steps each level has; a task has neither."""
    told = ask("etl").json()["workflow"]

    version = app.registry.get("etl").workflow.version
    assert {"version": version, "steps": 3, "levels": [1, 2]} == told
    assert ask("send").json()["workflow"] is None


def test_a_task_that_cannot_be_called_says_why(ask):
    """In place of its schemas."""
    answer = ask("needy")

    assert 200 == answer.status_code
    assert answer.json()["arguments"] is None
    assert "Unknown" in answer.json()["problem"]


def test_a_task_that_is_not_there_is_not_found(ask):
    """As a problem document."""
    assert (404, "task_not_found") == (ask("none").status_code, ask("none").json()["code"])


@pytest.mark.parametrize("role", Role)
def test_the_text_of_the_code_is_for_admins(ask, monkeypatch, role):
    """Without the indentation that it has in its file; a workflow has none."""

    async def authorised(*_):
        return Principal("somebody", role)

    monkeypatch.setattr(protecting, "authorised", authorised)
    source = ask("send").json()["source"]

    if role is Role.ADMIN:
        assert source.startswith('@task(name="send", ')
        assert source.endswith("\n    return {to: size}")
    else:
        assert source is None
    assert ask("etl").json()["source"] is None


@pytest.mark.parametrize(("role", "shown"), [(Role.VIEWER, False), (Role.OPERATOR, True)])
def test_the_place_of_the_code_is_for_operators(ask, monkeypatch, role, shown):
    """As tracebacks are."""

    async def authorised(*_):
        return Principal("somebody", role)

    monkeypatch.setattr(protecting, "authorised", authorised)

    assert shown == (ask("send").json()["site"] is not None)
