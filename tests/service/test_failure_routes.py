"""Failures over HTTP: in groups of one cause, which are sent back or deleted as a whole."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus._app.roles import Role
from rotulus.service import ServiceBuilder, ServiceInfo, protection
from rotulus.service.principal import Principal
from rotulus.testing import drain
from service.senders import always

pytestmark = pytest.mark.anywhere

API = "/api/v1/failures"


@pytest.fixture
def app(url):
    """An app with two tasks that fail of different causes."""
    made = App(url, registry=TaskRegistry())

    @task(name="mail.send", registry=made.registry)
    def send(to: str):
        raise ConnectionError(f"no answer for {to}")

    @task(name="count", registry=made.registry)
    def count():
        raise ValueError("no number")

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a service with the resources of the app."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).with_resources().build()) as made:
        yield made


@pytest.fixture
def failed(app):
    """Jobs that have failed: three of one cause, and then one of another."""
    jobs = [app.enqueue("mail.send", to=name) for name in ("ada", "bob", "eve")]
    drain(app)
    jobs.append(app.enqueue("count"))
    drain(app)
    return jobs


def test_failures_are_listed_by_their_cause(app, client, failed):
    """The cause that was seen last first, each with its last job as an example."""
    found = client.get(API).json()["items"]

    assert [("ValueError", 1), ("ConnectionError", 3)] == [
        (one["error"]["type"].rpartition(".")[2], one["count"]) for one in found
    ]
    assert [["count"], ["mail.send"]] == [one["tasks"] for one in found]
    assert [True, True] == [one["exact"] for one in found]
    assert failed[2].id == found[1]["example"]
    assert found[1]["error"]["message"].endswith("eve")
    assert all(one[seen].endswith("Z") for one in found for seen in ("first_seen", "last_seen"))
    assert found[1] == client.get(f"{API}/{found[1]['fingerprint']}").json()
    jobs = client.get("/api/v1/jobs", params={"fingerprint": found[1]["fingerprint"]}).json()
    assert 3 == len(jobs["items"])


def test_failures_of_a_task_or_a_time(client, failed):
    """As many groups as are asked for."""

    def tasks(query):
        return [one["tasks"][0] for one in client.get(f"{API}?{query}").json()["items"]]

    assert ["mail.send"] == tasks("task=mail.*")
    assert ["count", "mail.send"] == tasks("since=1h")
    assert [] == tasks("since=2100-01-01T00:00Z")
    assert ["count"] == tasks("limit=1")


@pytest.mark.parametrize("verb", ["retry", "delete"])
def test_a_group_is_steered_as_a_whole(app, client, failed, verb):
    """First as a dry run, which changes nothing and counts the same."""
    group = client.get(f"{API}?task=mail.*").json()["items"][0]["fingerprint"]
    path = f"{API}/{group}/${verb}"
    tried = client.post(path, json={"dry_run": True}).json()
    assert {"verb": verb, "dry_run": True, "count": 3} == tried
    assert 4 == len(app.jobs(state="failed"))

    assert {"verb": verb, "dry_run": False, "count": 3} == client.post(path).json()
    assert 1 == len(app.jobs(state="failed"))
    assert (3 if verb == "retry" else 0) == len(app.jobs(state="queued"))
    gone = client.get(f"{API}/{group}")
    assert (404, "failure_not_found") == (gone.status_code, gone.json()["code"])
    assert 0 == client.post(path).json()["count"]


def test_who_steers_failures_stands_in_the_audit(app, client, failed):
    """Once, with the number of jobs."""
    group = client.get(f"{API}?task=mail.*").json()["items"][0]["fingerprint"]
    client.post(f"{API}/{group}/$retry", json={"dry_run": True})
    client.post(f"{API}/{group}/$retry")

    [entry] = app.audit.find()
    assert ("failures.retry", group, 3) == (entry.verb, entry.target, entry.count)


@pytest.mark.parametrize(
    "wrong",
    ["?limit=0", "?limit=10001", "?since=later", "?task=a%20b", "?tsk=x", "/xyz", "/ABCDEF012345"],
)
def test_what_is_mistyped_is_a_problem(client, failed, wrong):
    """And not another group."""
    answer = client.get(f"{API}{wrong}")
    assert 422 == answer.status_code
    assert answer.json()["code"] in ("invalid_request", "invalid_option")


def test_a_body_that_is_mistyped_changes_nothing(app, client, failed):
    """It might mean a dry run."""
    group = client.get(API).json()["items"][0]["fingerprint"]
    for body in ({"dryrun": True}, {"dry_run": "yes"}, {"dry_run": None}, []):
        assert 422 == client.post(f"{API}/{group}/$delete", json=body).status_code
    assert 4 == len(app.jobs(state="failed"))


def test_viewers_look_and_operators_steer(client, failed, monkeypatch):
    """As everywhere."""
    sender = Principal("somebody", Role.VIEWER)
    monkeypatch.setattr(protection, "authorised", always(sender))
    group = client.get(API).json()["items"][0]["fingerprint"]
    assert 403 == client.post(f"{API}/{group}/$retry", json={"dry_run": True}).status_code


def muted(client, query="muted=true"):
    """The mutes of the groups that are listed, by task."""
    return {one["tasks"][0]: one["mute"] for one in client.get(f"{API}?{query}").json()["items"]}


def test_a_group_is_muted_and_unmuted(app, client, failed):
    """Until a moment, for a length of time, or for good; what is muted is listed by itself."""
    name = failed[0].refresh().error.fingerprint
    until = "2100-01-01T09:00:00+01:00"
    made = client.post(f"{API}/{name}/$mute", json={"until": until, "note": "#7"}).json()
    assert ("2100-01-01T08:00:00Z", "#7") == (made["until"], made["note"])
    assert {"mail.send": made} == muted(client)
    assert {"count": None} == muted(client, "muted=false")
    assert {"mail.send": made, "count": None} == muted(client, "")
    assert made == client.get(f"{API}/{name}").json()["mute"]

    soon = client.post(f"{API}/{name}/$mute", json={"seconds": 60}).json()
    assert "2100" > soon["until"] > soon["muted_at"]
    assert None is soon["note"]
    assert None is client.post(f"{API}/{name}/$mute").json()["until"]
    assert [{"muted": True}, {"muted": False}] == [
        client.post(f"{API}/{name}/$unmute").json() for _ in range(2)
    ]
    assert {} == muted(client)


@pytest.mark.parametrize(
    "body",
    [
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2100-01-01T00:00:00"},
        {"until": "2100-01-01T00:00:00Z", "seconds": 1},
        *({"seconds": wrong} for wrong in (0, -1, 1e300, "60", True)),
        *({"note": wrong} for wrong in ("", "x" * 501, 7, "a\0b")),
        {"untill": None},
    ],
)
def test_a_mute_that_cannot_be_is_refused(client, body):
    """And nothing is muted."""
    answer = client.post(f"{API}/{'0' * 12}/$mute", json=body)
    assert 422 == answer.status_code
    assert answer.json()["code"] in ("invalid_request", "invalid_option")
    assert {} == muted(client)


def test_a_viewer_mutes_nothing(app, client, monkeypatch):
    """But sees what is muted."""
    monkeypatch.setattr(protection, "authorised", always(Principal("eve", Role.VIEWER)))
    for verb in ("mute", "unmute"):
        assert 403 == client.post(f"{API}/{'0' * 12}/${verb}").status_code
    assert 200 == client.get(f"{API}?muted=true").status_code
    assert [] == app.store.failures.mutes()
