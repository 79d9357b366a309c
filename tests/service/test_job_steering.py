"""Jobs over HTTP are steered: one by one, many by ids, and many by filters."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.service import service_of
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"
NOBODY = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def app():
    """An app with two tasks."""
    made = App("sqlite://", registry=TaskRegistry())
    made.store.migrate()

    @task(registry=made.registry)
    def add(a: int, b: int = 1) -> int:
        return a + b

    @task(registry=made.registry)
    def fails():
        raise ValueError("no such file")

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a whole service of it."""
    with TestClient(service_of(app)) as made:
        yield made


def bulk(client, verb, query="", **body):
    """What a verb for many jobs answers."""
    answer = client.post(f"{API}/${verb}?{query}", json=body)
    assert 200 == answer.status_code, answer.text
    return answer.json()


def test_many_jobs_are_steered_by_filters(app, client):
    """First as a dry run, which changes nothing and says the same."""
    jobs = [app.enqueue("add", n).id for n in range(3)]
    kept = app.using(queue="mail").enqueue("add", 9)
    tried = bulk(client, "cancel", "queue=default", dry_run=True)
    assert (3, True, True, None) == tuple(tried[n] for n in ("count", "exact", "dry_run", "next"))
    assert {"queued"} == {job.state for job in app.jobs()}

    done = bulk(client, "cancel", "queue=default")
    assert (3, "cancel", False) == (done["count"], done["verb"], done["dry_run"])
    assert jobs[::-1] == [job["id"] for job in done["items"]]
    assert {"cancelled"} == {job["state"] for job in done["items"]}
    assert "queued" == kept.refresh().state

    assert 3 == bulk(client, "retry", "queue=default&state=cancelled")["count"]
    drain(app)
    assert 4 == bulk(client, "delete", "task=add")["count"]
    assert [] == app.jobs()


def test_many_jobs_are_steered_by_ids(app, client):
    """Those that are not there, or cannot be changed, are left out."""
    jobs = [app.enqueue("add", n).id for n in range(3)]
    assert 2 == bulk(client, "reprioritise", ids=[*jobs[:2], NOBODY], priority=5)["count"]
    assert [0, 5, 5] == [job.priority for job in app.jobs()]
    assert 1 == bulk(client, "cancel", ids=jobs[:1])["count"]
    assert 0 == bulk(client, "delete", ids=jobs[1:])["count"]
    assert 1 == bulk(client, "delete", ids=jobs, dry_run=True)["count"]


def test_a_verb_stops_at_its_limit_and_goes_on(app, client):
    """With the `next` of the answer before."""
    for number in range(5):
        app.enqueue("add", number)
    first = bulk(client, "reprioritise", "queue=default", priority=3, limit=2)
    assert (2, False) == (first["count"], first["exact"]) and first["next"]
    rest = bulk(client, "reprioritise", "queue=default", priority=3, after=first["next"])
    assert (3, True) == (rest["count"], rest["exact"])
    assert {3} == {job.priority for job in app.jobs()}


@pytest.mark.parametrize("verb", ["cancel", "retry", "delete"])
@pytest.mark.parametrize(
    ("query", "body", "where"),
    [
        ("", {}, "neither ids nor filters"),
        ("queue=default", {"ids": [NOBODY]}, "not both"),
        ("", {"ids": []}, "ids"),
        ("queue=default", {"limit": 0}, "limit"),
        ("queue=default", {"limit": "5"}, "limit"),
        ("queue=default", {"dry_run": "yes"}, "dry_run"),
        ("queue=default", {"dryrun": True}, "dryrun"),
        ("queue=default", {"after": "x"}, "after"),
        ("queue=default&quee=mail", {}, "quee"),
        ("queue=default", [], "object"),
    ],
)
def test_what_is_not_meant_clearly_changes_nothing(app, client, verb, query, body, where):
    """A wrong word in a verb would change jobs that nobody meant."""
    job = app.enqueue("add", 1)
    answer = client.post(f"{API}/${verb}?{query}", json=body)

    assert 422 == answer.status_code
    assert where in answer.text
    assert "queued" == job.refresh().state


def test_a_body_is_read_as_strictly_as_any_other(app, client):
    """A key that comes twice, NaN, another media type, and too much of it."""
    job = app.enqueue("add", 1)
    path, headers = f"{API}/$cancel?queue=default", {"content-type": "application/json"}

    def told(content, **more):
        answer = client.post(path, content=content, headers=headers | more)
        return answer.status_code, answer.json()["code"]

    assert (400, "invalid_json") == told('{"dry_run": true, "dry_run": false}')
    assert (400, "invalid_json") == told('{"limit": NaN}')
    assert (400, "invalid_json") == told("{")
    assert (400, "body_too_deep") == told("[" * 70 + "]" * 70)
    assert (415, "unsupported_media_type") == told("{}", **{"content-type": "text/plain"})
    assert (413, "body_too_large") == told(" " * (1024 * 1024 + 1))
    assert "queued" == job.refresh().state
    assert 200 == client.post(path).status_code  # without any
    assert "cancelled" == job.refresh().state


def test_a_job_gets_another_priority(app, client):
    """One that waits; any other is left as it is."""
    job = app.enqueue("add", 1)
    path = f"{API}/{job.id}/$reprioritise"
    assert 7 == client.post(path, json={"priority": 7}).json()["priority"]
    for wrong in ({}, {"priority": "7"}, {"priority": 10_000_000}, {"priority": 1, "x": 1}):
        assert 422 == client.post(path, json=wrong).status_code
    drain(app)
    answer = client.post(path, json={"priority": 8})
    assert (409, "job_not_waiting") == (answer.status_code, answer.json()["code"])
    assert 7 == job.refresh().priority
