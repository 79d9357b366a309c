"""Jobs over HTTP are found and counted by every filter, and what is no filter is refused."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from rotulus import INJECTED, App, Job, JobOutcome, TaskRegistry, task
from rotulus.filters import JOB_FILTERS
from rotulus.service import service_of
from rotulus.store import NewJob, Terms
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

API = "/api/v1/jobs"


@pytest.fixture
def app():
    """An app with tasks."""
    made = App("sqlite://", registry=TaskRegistry())
    made.store.migrate()

    @task(registry=made.registry)
    def add(a: int, b: int = 1) -> int:
        return a + b

    @task(registry=made.registry, name="mail.send")
    def send(order: dict[str, int], job: Job = INJECTED):
        job.log("sending")
        raise ValueError("no such file")

    @task(registry=made.registry)
    def report(outcomes: list[JobOutcome]) -> int:
        return len(outcomes)

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a whole service of it."""
    with TestClient(service_of(app)) as made:
        yield made


@pytest.fixture
def failed(app):
    """A job that has failed, with a word for each filter, beside others."""
    job = app.using(queue="mail", key="k7", labels={"customer": "7", "kind": "a=b"}).enqueue(
        "mail.send", order={"id": 42}
    )
    drain(app)
    for number in range(3):
        app.using(labels={"customer": "8"}).enqueue("add", number)
    return app.get(job.id)


def found(client, query, path=""):
    """The ids of the jobs of a list."""
    answer = client.get(f"{API}{path}?{query}")
    assert 200 == answer.status_code, answer.text
    return [job["id"] for job in answer.json()["items"]]


def test_each_filter_finds_its_jobs(client, failed):
    """In the list and in the count alike, alone and with others."""
    words = {
        "state": "failed",
        "task": "mail.*",
        "queue": "mail",
        "key": "k7",
        "worker": failed.worker,
        "fingerprint": failed.error.fingerprint,
        "error": "SUCH FILE",
        "until": (failed.created_at + timedelta(microseconds=1)).isoformat(),
        "label": "customer=7",
        "args": "order.id=42",
    }
    for name, word in words.items():
        listed = client.get(API, params={name: word}).json()["items"]
        assert [failed.id] == [job["id"] for job in listed], name
        count = client.get(f"{API}/$count", params={name: word}).json()
        assert {"count": 1, "exact": True} == count
    assert 4 == client.get(f"{API}/$count", params={"since": "1h"}).json()["count"]
    for name in ("schedule", "run", "step"):
        assert 0 == client.get(f"{API}/$count", params={name: "x"}).json()["count"]
    assert {info.name for info in JOB_FILTERS} == {*words, "since", "schedule", "run", "step"}
    assert 1 == client.get(f"{API}/$count", params=words).json()["count"]


def test_labels_and_values_may_stand_in_the_names_of_parameters(client, failed):
    """As `label.customer=7` and `args.order.id=42`, with any text."""
    assert [failed.id] == found(client, "label.customer=7&args.order.id=42&label.kind=a%3Db")
    assert [failed.id] == found(client, "label=customer%3D7&label=kind%3Da%3Db")
    assert [] == found(client, "label.customer=7&args.order.id=43")
    assert 3 == len(found(client, "label.customer=8"))


@pytest.mark.parametrize(
    ("query", "code", "parameter", "detail"),
    [
        ("quee=mail", "invalid_request", "quee", "did you mean 'queue'"),
        ("status=failed", "invalid_request", "status", "no such parameter"),
        ("task=a&task=b", "invalid_option", "task", "given 2 times"),
        ("since=yesterday", "invalid_option", "since", "is no time"),
        ("label=customer", "invalid_option", "label", "is no label"),
        ("label.a=1&label.a=2", "invalid_option", "label", "given twice"),
        ("args==1", "invalid_option", "args", "PATH=VALUE"),
        ("state=lost", "invalid_request", "state", "'queued'"),
    ],
)
@pytest.mark.parametrize("path", ["", "/$count"])
def test_what_is_no_filter_is_refused(client, failed, path, query, code, parameter, detail):
    """It would be left out otherwise, and every job be meant."""
    answer = client.get(f"{API}{path}?{query}")

    assert (422, code) == (answer.status_code, answer.json()["code"])
    [error] = answer.json()["errors"]
    assert parameter in error["parameter"] and detail in error["detail"]
    assert answer.json()["status"] == 422


def test_a_page_says_how_the_list_goes_on(client, app, failed):
    """By `next` and by `Link`, with the same filters; a cursor of others is refused."""
    first = client.get(f"{API}?limit=2&label.customer=8")
    after = client.get(f"{API}{first.headers['link'].split('>')[0][1:]}")

    assert 2 == len(first.json()["items"]) and 1 == len(after.json()["items"])
    assert None is after.json()["next"] and "link" not in after.headers
    assert None is first.json()["looked_to"]
    answer = client.get(f"{API}?limit=2&label.customer=7&after={first.json()['next']}")
    assert (422, "invalid_cursor") == (answer.status_code, answer.json()["code"])


def test_a_job_is_found_by_the_beginning_of_its_id(client, failed, app):
    """If no other id begins so, in any case of letters."""
    for wrong in ("0", "zz", failed.id + "0"):
        assert 404 == client.get(f"{API}/{wrong}").status_code
    assert failed.id == client.get(f"{API}/{failed.id[:-1].upper()}").json()["id"]


def test_a_result_is_read_by_itself(client, app):
    """With 202 until there is one, and 409 if there never is."""
    job = app.enqueue("add", 1)
    waiting = client.get(f"{API}/{job.id}/$result")
    assert (202, "queued", "1") == (
        waiting.status_code,
        waiting.json()["state"],
        waiting.headers["retry-after"],
    )
    waited = client.get(f"{API}/{job.id}/$result", headers={"Prefer": "wait=0"})
    assert (202, "wait=0") == (waited.status_code, waited.headers["preference-applied"])
    drain(app)
    assert {"id": job.id, "state": "succeeded", "result": 2} == client.get(
        f"{API}/{job.id}/$result"
    ).json()
    failing = app.enqueue("mail.send", order={})
    drain(app)
    answer = client.get(f"{API}/{failing.id}/$result")
    assert (409, "job_failed", "failed") == (
        answer.status_code,
        answer.json()["code"],
        answer.json()["state"],
    )
    assert "no such file" in answer.json()["detail"]


def test_a_run_says_how_many_of_its_parts_are_in_each_state(client, app):
    """And a job without parts says nothing."""
    add = app.registry.get("add")
    with app.group("orders", then=app.registry.get("report")) as group:
        for number in range(3):
            add.using(group=group).enqueue(number)
    job = app.enqueue("add", 1)
    drain(app)
    [run] = [one for one in client.get(API).json()["items"] if one["group"] == "orders"]

    assert {"succeeded": 3} == client.get(f"{API}/{run['id']}").json()["parts"]
    assert None is client.get(f"{API}/{job.id}").json()["parts"]


@pytest.mark.parametrize("what", ["jobs", "runs"])
def test_a_list_tells_arguments_if_they_are_asked_for(app, client, what):
    """As the sender may see them, and of 100 jobs at most: each may be large."""
    app.enqueue("add", 1)
    sent = app.enqueue("mail.send", order={"id": 42})

    def asked(query):
        return client.get(f"/api/v1/{what}?{query}")

    told = {one["id"]: one.get("arguments") for one in asked("arguments=true").json()["items"]}
    if what == "jobs":
        assert {"order": {"id": 42}} == told[sent.id]
        assert "arguments" not in asked("").json()["items"][0]
    assert 200 == asked("arguments=true&limit=100").status_code
    assert 200 == asked("arguments=false&limit=500").status_code
    answer = asked("arguments=true&limit=101")
    assert (422, "invalid_request") == (answer.status_code, answer.json()["code"])
    assert "limit" == answer.json()["errors"][0]["parameter"]


@pytest.mark.parametrize("broken", ["{", "[1]"])
@pytest.mark.parametrize("task", ["add", "spawned"])
def test_broken_arguments_hide_no_other_job(app, client, broken, task):
    """They are null in a list, and the arguments of the others are told."""
    ids = [f"00000000-0000-7000-8000-{number:012}" for number in range(3)]
    texts = ['{"a": 1}', broken, '{"a": 2}']
    app.store.add([NewJob(*one, Terms(task)) for one in zip(ids, texts, strict=True)])
    answer = client.get(f"{API}?arguments=true")

    told = {one["id"]: one["arguments"] for one in answer.json()["items"]}
    assert (200, [{"a": 1}, None, {"a": 2}]) == (answer.status_code, [told[one] for one in ids])
