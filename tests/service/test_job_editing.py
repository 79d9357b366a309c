"""A job that waits is edited over HTTP, as its sender has seen it."""

import threading

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus._app.roles import Role
from rotulus.service import protection, service_of
from rotulus.service.principal import Principal
from rotulus.testing import drain
from service.senders import always

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"
CANARY = "Zqx7Vkw9Jpt"


@pytest.fixture
def app():
    """An app with a task that has a secret among its arguments."""
    made = App("sqlite://", registry=TaskRegistry())
    made.store.migrate()

    @task(registry=made.registry)
    def pay(user: str, api_key: str = "", amount: int = 1) -> str:
        return f"{user} {api_key} {amount}"

    yield made
    made.close()


@pytest.fixture
def ask(app, monkeypatch):
    """Sends a request as somebody with a role."""
    with TestClient(service_of(app)) as client:

        def send(role, method, path, **options):
            sender = Principal("somebody", Role(role))
            monkeypatch.setattr(protection, "authorised", always(sender))
            return client.request(method, path, **options)

        yield send


@pytest.fixture
def job(app):
    """A job that waits."""
    return app.enqueue("pay", user="ada", api_key=CANARY)


@pytest.fixture
def edit(ask, job):
    """Edits the job; the answer."""

    def send(body, *, role="operator", match=None):
        headers = {} if match is None else {"If-Match": match}
        return ask(role, "PATCH", f"{API}/{job.id}", json=body, headers=headers)

    return send


def told(answer):
    """The status and the code of a problem."""
    return answer.status_code, answer.json()["code"]


def test_what_is_given_is_changed_and_the_rest_stays(app, edit, job):
    """The answer is the job after that."""
    shown = edit({"priority": 7}).json()
    assert (7, "queued", job.id) == (shown["priority"], shown["state"], shown["id"])
    assert job.arguments == job.refresh().arguments
    assert "delayed" == edit({"delay": 60}).json()["state"]
    shown = edit({"at": "2100-01-01T00:00:00Z"}).json()
    assert ("2100-01-01T00:00:00Z", 7) == (shown["run_at"], shown["priority"])
    assert "queued" == edit({"arguments": {"user": "eve"}, "delay": 0}).json()["state"]
    drain(app)
    assert "eve  1" == job.refresh().result(0)


def test_a_secret_that_was_hidden_stays(app, edit, job):
    """It was shown as `***`; another value takes its place, and an operator sees neither."""
    answer = edit({"arguments": {"user": "eve", "api_key": "***"}})
    assert {"user": "eve", "api_key": "***"} == answer.json()["arguments"]
    assert {"user": "eve", "api_key": CANARY} == job.refresh().arguments
    assert (
        "***"
        == edit({"arguments": {"user": "eve", "api_key": "new"}}).json()["arguments"]["api_key"]
    )
    assert "new" == job.refresh().arguments["api_key"]
    edit({"arguments": {"user": "eve", "api_key": "***"}}, role="admin")  # who sees what is stored
    assert "***" == job.refresh().arguments["api_key"]


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_a_job_is_edited_as_it_was_read(ask, edit, job, role):
    """With the `ETag` that it had; another editor's change is not lost."""
    read = ask(role, "GET", f"{API}/{job.id}")
    tag = read.headers["etag"]
    first = edit({"priority": 3}, role=role, match=tag)
    assert (200, True) == (first.status_code, first.headers["etag"] != tag)

    assert (412, "changed_meanwhile") == told(edit({"priority": 4}, role=role, match=tag))
    assert 3 == job.refresh().priority
    again = f'W/"weak", "other", {first.headers["etag"]}'
    assert 200 == edit({"priority": 5}, role=role, match=again).status_code
    assert 200 == edit({"priority": 6}, role=role, match="*").status_code
    now = ask(role, "GET", f"{API}/{job.id}").headers["etag"]
    assert (412, "changed_meanwhile") == told(edit({"priority": 7}, role=role, match=f"W/{now}"))
    assert 6 == job.refresh().priority


def test_a_tag_does_not_tell_a_secret(app, ask):
    """It is the same whatever is hidden, or else somebody could try values."""
    tags = set()
    for secret in ("one", "two"):
        job = app.using(key="same").enqueue("pay", user="ada", api_key=secret)
        job = app.jobs.edit(job.id, arguments={"user": "ada", "api_key": secret})
        tags.add(ask("viewer", "GET", f"{API}/{job.id}").headers["etag"])
    assert 1 == len(tags)


def test_a_header_that_names_no_version_edits_nothing(edit, job):
    """Rather than a job that nobody has looked at."""
    for match in ("a", '"a', "W/a", '"a", b', ""):
        assert (412, "changed_meanwhile") == told(edit({"priority": 4}, match=match)), match
    assert 0 == job.refresh().priority


def test_a_job_that_has_begun_or_ended_is_left(app, ask, edit, job):
    """The problem says what else there is to do."""
    drain(app)
    assert (409, "job_conflict") == told(edit({"priority": 4}))
    assert "only a job that waits is edited" in edit({"priority": 4}).json()["detail"]
    assert (404, "job_not_found") == told(
        ask(
            "operator", "PATCH", f"{API}/01234567-89ab-cdef-0123-456789abcdef", json={"priority": 1}
        )
    )


WRONG = [
    ({}, "invalid_option", "Nothing to change"),
    ({"priority": None}, "invalid_option", "Nothing to change"),
    ({"priority": "high"}, "invalid_request", "/priority"),
    ({"priority": 10_000_000}, "invalid_request", "/priority"),
    ({"queue": "mail"}, "invalid_request", "/queue"),
    ({"delay": -1}, "invalid_option", "delay=-1"),
    ({"delay": 1, "at": "2100-01-01T00:00:00Z"}, "invalid_option", "not both"),
    ({"at": "2100-01-01T00:00:00"}, "invalid_request", "/at"),
    ({"at": 5}, "invalid_request", "/at"),
    ({"arguments": [1]}, "invalid_request", "/arguments"),
    ({"arguments": {"user": 1}}, "invalid_arguments", '"/arguments/user"'),
    ({"arguments": {}}, "invalid_arguments", "'user'"),
    ({"arguments": {"user": "eve", "amont": 1}}, "invalid_arguments", "did you mean 'amount'"),
]


def test_what_is_wrong_changes_nothing(edit, job):
    """The problem points at it."""
    for body, code, where in WRONG:
        answer = edit(body)
        assert (422, code) == told(answer), body
        assert where in answer.text, body
    assert (job.version, job.state) == (job.refresh().version, job.refresh().state)


def test_editors_at_the_same_time_all_change_it(ask, edit, job):
    """A secret is not lost when somebody else gives it meanwhile."""
    begin, answers = threading.Barrier(3), []

    def send(body):
        begin.wait()
        answers.extend(edit(body).status_code for _ in range(5))

    hidden = {"arguments": {"user": "eve", "api_key": "***"}}
    threads = [
        threading.Thread(target=send, args=[b]) for b in (hidden, {"priority": 7}, {"delay": 600})
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    now = job.refresh()
    assert [200] * 15 == answers
    assert ({"user": "eve", "api_key": CANARY}, 7, "delayed") == (
        now.arguments,
        now.priority,
        now.state,
    )


def test_an_edit_stands_in_the_audit_and_needs_an_operator(app, ask, edit, job):
    """With the names of its arguments, and not their values."""
    assert (403, "role_needed") == told(edit({"priority": 4}, role="viewer"))
    edit({"arguments": {"user": "eve", "api_key": CANARY}, "priority": 4})
    [entry] = app.audit.find(verb="jobs.edit")

    assert ("somebody", "http", job.id, 1) == (entry.actor, entry.door, entry.target, entry.count)
    assert CANARY not in str(entry) and "api_key" in str(entry)


def test_the_task_of_other_workers_is_edited_on_demand(app, ask):
    """Its arguments cannot be checked here."""
    job = app.using(unchecked=True).enqueue("elsewhere", a=1)
    path, body = f"{API}/{job.id}", {"arguments": {"a": 2}}

    assert (404, "task_not_found") == told(ask("operator", "PATCH", path, json=body))
    answer = ask("operator", "PATCH", path, json={**body, "unchecked": True})
    assert {"a": 2} == answer.json()["arguments"]
