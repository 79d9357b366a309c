"""Secrets of jobs are masked at the server for everybody below an admin, and are no filters."""

import pytest
from pydantic import BaseModel, SecretStr, field_serializer

from rotulus import App, TaskRegistry, task
from rotulus.errors import OptionError
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"
CANARY = "Zqx7Vkw9Jpt"


class Card(BaseModel):
    """Something with a secret type, that its user writes as it is."""

    number: SecretStr

    @field_serializer("number")
    def plain(self, number: SecretStr) -> str:
        """The number."""
        return number.get_secret_value()


@pytest.fixture
def app():
    """An app with a task that has secrets in its arguments and its result."""
    made = App("sqlite://", registry=TaskRegistry())
    made.store.migrate()

    @task(registry=made.registry)
    def pay(user: str, api_key: str, card: Card, iban: str = "") -> dict[str, str]:
        return {"user": user, "access_token": api_key}

    yield made
    made.close()


@pytest.fixture
def job(app):
    """A job with a secret in every place that may hold one."""
    labels = {"customer": "7", "secret": CANARY}
    made = app.using(labels=labels, key="k").enqueue(
        "pay", user="ada", api_key=CANARY, card={"number": CANARY}
    )
    drain(app)
    return app.get(made.id)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_nobody_below_an_admin_sees_a_secret(app, ask, job, role):
    """In no answer about a job: alone, in a list, as a result, as a stream."""
    paths = [API, f"{API}/{job.id}", f"{API}/{job.id}/$result", f"{API}/{job.id}/$stream"]
    for path in paths:
        answer = ask(role, "GET", path)
        assert 200 == answer.status_code
        assert CANARY not in answer.text, path
    shown = ask(role, "GET", paths[1]).json()
    assert {"user": "ada", "api_key": "***", "card": {"number": "***"}} == shown["arguments"]
    assert {"user": "ada", "access_token": "***"} == shown["result"]
    assert {"customer": "7", "secret": "***"} == shown["labels"]


def test_no_verb_tells_a_secret(ask, job):
    """Whether it is for one job or for many."""
    for path in (f"{API}/$delete?key=k&state=succeeded", f"{API}/$cancel?key=k"):
        answer = ask("operator", "POST", path, json={"dry_run": True})
        assert 200 == answer.status_code and CANARY not in answer.text
    assert CANARY not in ask("operator", "POST", f"{API}/{job.id}/$cancel").text


def test_an_admin_sees_all(ask, job):
    """As it is stored."""
    shown = ask("admin", "GET", f"{API}/{job.id}").json()

    assert job.arguments == shown["arguments"] and CANARY == shown["labels"]["secret"]
    assert CANARY == shown["result"]["access_token"]
    assert 1 == len(ask("admin", "GET", f"{API}?args.api_key={CANARY}").json()["items"])


@pytest.mark.parametrize(
    "query",
    [
        f"args.api_key={CANARY}",
        "args=card.number=1",
        "args.card.number=1&task=pay",
        "label.secret=1",
    ],
)
@pytest.mark.parametrize("path", ["", "/$count"])
def test_a_filter_is_no_oracle(ask, job, path, query):
    """By a secret only an admin finds jobs, or changes them; the problem does not repeat it."""
    answers = [ask("operator", "GET", f"{API}{path}?{query}")]
    answers.append(ask("operator", "POST", f"{API}/$delete?{query}", json={"dry_run": True}))
    for answer in answers:
        assert (403, "secret_filter") == (answer.status_code, answer.json()["code"])
        assert CANARY not in answer.text
    assert 200 == ask("operator", "GET", f"{API}{path}?args.user=ada&label.customer=7").status_code


def test_a_result_that_was_waited_for_is_masked(app, ask):
    """As everywhere; a call that is executed at once gets what its task returned."""
    body = {"params": {"user": "a", "api_key": CANARY, "card": {"number": "1"}}}
    key = {"Idempotency-Key": "k-1"}
    path = "/api/v1/tasks/pay/$enqueue"
    assert 202 == ask("operator", "POST", path, json=body, headers=key).status_code
    drain(app)
    again = ask("operator", "POST", path, json=body, headers={**key, "Prefer": "wait=1"})
    assert {"user": "a", "access_token": "***"} == again.json()["result"]
    executed = ask("operator", "POST", "/api/v1/tasks/pay/$execute", json=body)
    assert CANARY == executed.json()["result"]["access_token"]


def test_an_app_says_which_names_are_secret(monkeypatch):
    """By an argument or by a setting; in place of the usual ones."""
    app = App("sqlite://", registry=TaskRegistry(), mask=["iban"])
    assert {"iban": "***", "token": "x"} == app.masking.data({"iban": "y", "token": "x"})
    app.close()
    monkeypatch.setenv("ROTULUS_MASK", "iban, phone")
    app = App("sqlite://", registry=TaskRegistry())
    assert {"phone": "***", "iban": "***"} == app.masking.data({"phone": "y", "iban": "x"})
    app.close()
    with pytest.raises(OptionError, match="mask"):
        App("sqlite://", registry=TaskRegistry(), mask=["!"])
