"""A service of an app with a cipher shows jobs as ever: in plain, and secrets masked."""

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus._app.roles import Role
from rotulus.service import protection, service_of
from rotulus.service.principal import Principal
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"
CANARY = "Zqx7Vkw9Jpt"


@pytest.fixture
def app():
    """An app with a cipher."""
    made = App("sqlite://", registry=TaskRegistry(), cipher=Fernet(Fernet.generate_key()))

    @task("pay", registry=made.registry)
    def pay(user: str, api_key: str) -> dict[str, str]:
        return {"user": user, "access_token": api_key}

    yield made
    made.close()


@pytest.fixture
def ask(app, monkeypatch):
    """Sends a request as somebody with a role."""
    with TestClient(service_of(app)) as client:

        def send(role, method, path, **options):
            async def let_in(*_):
                return Principal("somebody", Role(role))

            monkeypatch.setattr(protection, "authorised", let_in)
            return client.request(method, path, **options)

        yield send


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
