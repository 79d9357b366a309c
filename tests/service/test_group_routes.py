"""Groups over HTTP: opened, added to, closed; the callback runs when all jobs have ended."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, JobOutcome, TaskRegistry, task
from rotulus._app.roles import Role
from rotulus.service import ServiceBuilder, ServiceInfo, protection
from rotulus.service.principal import Principal
from rotulus.testing import drain
from service.senders import always

pytestmark = pytest.mark.anywhere

API = "/api/v1/groups"


@pytest.fixture
def app(url):
    """An app with a task, and a callback."""
    made = App(url, registry=TaskRegistry())

    @task(name="parse", registry=made.registry)
    def parse(line: str) -> int:
        return len(line)

    @task(name="report", registry=made.registry)
    def report(outcomes: list[JobOutcome]) -> int:
        return sum(outcome.result for outcome in outcomes)

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a service with the resources of the app."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).with_resources().build()) as made:
        yield made


@pytest.fixture
def group(client):
    """A group that is open, and its path."""
    answer = client.post(API, json={"name": "import-7", "then": "report"})
    assert 200 == answer.status_code, answer.text
    return answer.json(), f"{API}/import-7"


def lines(*texts, **more):
    """A body that adds a job for each text."""
    return {"task": "parse", "params": [{"line": text} for text in texts], **more}


def test_the_callback_runs_when_all_jobs_have_ended(app, client, group):
    """Once the group is closed."""
    opened, path = group
    assert ("import-7", True, {}) == (opened["name"], opened["open"], opened["jobs"])
    added = client.post(f"{path}/$add", json=lines("a", "bb", options={"priority": 5}))
    assert 202 == added.status_code, added.text
    jobs = added.json()["items"]
    assert [("parse", 5, opened["job"]["id"])] * 2 == [
        (job["task"], job["priority"], job["run"]) for job in jobs
    ]
    drain(app)
    client.post(f"{path}/$add", json=lines("ccc"))
    stands = client.get(path).json()
    assert (True, {"succeeded": 2, "queued": 1}) == (stands["open"], stands["jobs"])
    assert ("blocked", "import-7") == (stands["job"]["state"], stands["job"]["group"])

    closed = client.post(f"{path}/$close").json()
    assert (False, 1) == (closed["open"], closed["jobs"]["queued"])
    drain(app)
    assert 6 == app.get(opened["job"]["id"]).result(0)
    ended = client.get(path).json()
    assert ("succeeded", {"succeeded": 3}) == (ended["job"]["state"], ended["jobs"])
    assert [ended["job"]] == client.get("/api/v1/runs?group=import-7").json()["items"]


def test_to_open_a_group_twice_goes_on_with_it(client, group):
    """And so does every process that knows its name."""
    opened, _ = group
    again = client.post(API, json={"name": "import-7", "then": "report"}).json()
    assert opened["job"]["id"] == again["job"]["id"]
    other = client.post(API, json={"name": "import-7", "then": "parse"})
    assert 422 == other.status_code  # it does not take outcomes


def test_a_closed_group_takes_no_more(app, client, group):
    """Until it has ended: then the name makes another one."""
    opened, path = group
    client.post(f"{path}/$add", json=lines("a"))
    assert client.post(f"{path}/$close").json() == client.post(f"{path}/$close").json()
    for answer in (
        client.post(f"{path}/$add", json=lines("b")),
        client.post(API, json={"name": "import-7", "then": "report"}),
    ):
        assert (409, "group_conflict") == (answer.status_code, answer.json()["code"])
    drain(app)
    new = client.post(API, json={"name": "import-7", "then": "report"}).json()
    assert (True, False) == (new["open"], new["job"]["id"] == opened["job"]["id"])


def test_all_jobs_are_added_or_none(app, client, group):
    """Where one of them does not fit its task."""
    _, path = group
    body = lines("a", "b")
    body["params"][1] = {"lin": "b"}
    answer = client.post(f"{path}/$add", json=body)
    assert (422, "invalid_arguments") == (answer.status_code, answer.json()["code"])
    assert {} == client.get(path).json()["jobs"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": "x"}, 422),
        ({"name": "", "then": "report"}, 422),
        ({"name": "x", "then": "nobody"}, 404),
        ({"name": "x", "then": "report", "than": 1}, 422),
        ({"name": 7, "then": "report"}, 422),
    ],
)
def test_what_cannot_be_a_group_is_a_problem(app, client, body, status):
    """And nothing is opened."""
    answer = client.post(API, json=body)
    assert status == answer.status_code, answer.text
    assert [] == app.jobs()


@pytest.mark.parametrize(
    "body",
    [
        {"task": "parse", "params": []},
        {"task": "parse", "params": [{"line": "a"}] * 501},
        {"task": "parse", "params": [["a"]]},
        {"task": "parse", "params": [{"line": "a"}], "options": {"key": "k"}},
        {"task": "parse", "params": [{"line": "a"}], "options": {"delay": -1}},
    ],
)
def test_what_cannot_be_added_is_a_problem(app, client, group, body):
    """And nothing is added."""
    _, path = group
    assert 422 == client.post(f"{path}/$add", json=body).status_code
    assert 404 == client.post(f"{path}/$add", json=lines("a") | {"task": "prase"}).status_code
    assert {} == client.get(path).json()["jobs"]


def test_a_group_that_is_not_there_is_not_found(client):
    """The problem says so without the place of the store."""
    for answer in (
        client.get(f"{API}/none"),
        client.post(f"{API}/none/$close"),
        client.post(f"{API}/none/$add", json=lines("a")),
    ):
        assert (404, "group_not_found") == (answer.status_code, answer.json()["code"])
        assert "jobs.db" not in answer.text and "postgres" not in answer.text


def test_viewers_look_and_operators_steer(client, group, monkeypatch):
    """As everywhere."""
    sender = Principal("somebody", Role.VIEWER)
    monkeypatch.setattr(protection, "authorised", always(sender))
    _, path = group
    assert 200 == client.get(path).status_code
    assert 403 == client.post(f"{path}/$close").status_code
    assert 403 == client.post(API, json={"name": "x", "then": "report"}).status_code
