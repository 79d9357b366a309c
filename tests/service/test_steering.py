"""`/api/v1/queues`, `demand`, `workers` and `stats`: how a fleet stands, and what it is told."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, Retry, TaskRegistry, task
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.store import WorkerInfo
from rotulus.testing import SettableClock, drain


@pytest.fixture
def clock():
    """A clock that stands still."""
    return SettableClock()


@pytest.fixture
def app(clock):
    """An app with tasks in two queues, of which one fails."""
    made = App("sqlite://", registry=TaskRegistry(), clock=clock)
    task(name="mail.send", queue="mail", registry=made.registry)(lambda n=1: clock.advance(n))

    @task(name="fails", registry=made.registry, retry=Retry(attempts=2, delay=0, jitter=False))
    def fails():
        raise ValueError("no")

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a service with the resources of the app."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).with_resources().build()) as made:
        yield made


def test_queues_are_listed_as_they_stand(app, client, clock):
    """With what waits and runs in each, since when, and which are paused."""
    app.enqueue("mail.send")
    app.enqueue("mail.send")
    app.using(delay=60).enqueue("mail.send")
    clock.advance(5)
    app.queues.pause("held")

    assert {
        "items": [
            {"name": "held", "paused_at": "2026-01-01T00:00:05Z", "age": None, "jobs": {}},
            {
                "name": "mail",
                "paused_at": None,
                "age": 5.0,
                "jobs": {
                    "delayed": {"count": 1, "exact": True},
                    "queued": {"count": 2, "exact": True},
                },
            },
        ]
    } == client.get("/api/v1/queues").json()


def test_a_queue_is_paused_and_resumed(app, client):
    """Also one that has no job yet; the answer says how it stands then."""
    paused = client.post("/api/v1/queues/later/$pause")
    assert 200 == paused.status_code
    assert "2026-01-01T00:00:00Z" == paused.json()["paused_at"]
    assert paused.json() == client.get("/api/v1/queues/later").json()
    assert [True] == [queue.paused for queue in app.queues.list()]

    resumed = client.post("/api/v1/queues/later/$resume").json()
    assert {"name": "later", "paused_at": None, "age": None, "jobs": {}} == resumed
    assert [] == app.queues.list()


@pytest.mark.parametrize("verb", ["", "/$pause", "/$resume", "/$demand"])
def test_what_cannot_be_called_a_queue_is_a_problem(client, verb):
    """And nothing is paused."""
    ask = client.post if verb in ("/$pause", "/$resume") else client.get
    answer = ask(f"/api/v1/queues/a%20b{verb}")

    assert (422, "invalid_option") == (answer.status_code, answer.json()["code"])
    assert "Queue name 'a b'" in answer.json()["detail"]


def test_demand_is_what_an_autoscaler_reads(app, client, clock):
    """Of one queue, of several, or of all."""
    for _ in range(25):
        app.enqueue("mail.send")
    app.enqueue("fails")
    clock.advance(7)
    whole = client.get("/api/v1/demand").json()
    one = client.get("/api/v1/queues/mail/$demand").json()

    assert {
        "queues": None,
        "waiting": 26,
        "soon": 0,
        "oldest_seconds": 7.0,
        "running": 0,
        "firing": 0,
        "workers": 0,
        "slots": 0,
        "wanted_workers": 3,
    } == whole
    assert (["mail"], 25, 3) == (one["queues"], one["waiting"], one["wanted_workers"])
    assert one == client.get("/api/v1/demand?queue=mail").json()
    assert 7 == client.get("/api/v1/demand?queue=mail&queue=none&slots=4").json()["wanted_workers"]
    drain(app)
    assert 0 == client.get("/api/v1/demand").json()["wanted_workers"]


@pytest.mark.parametrize("wrong", ["qeue=mail", "slots=0", "slots=x", "queue=a%20b"])
def test_a_demand_that_is_mistyped_is_a_problem(client, wrong):
    """All queues would be meant otherwise."""
    answer = client.get(f"/api/v1/demand?{wrong}")

    assert 422 == answer.status_code
    assert answer.json()["code"] in ("invalid_request", "invalid_option")


def test_workers_are_listed_with_what_they_run(app, client, clock):
    """Those that are alive."""
    assert {"items": [], "exact": True} == client.get("/api/v1/workers").json()
    worker = WorkerInfo("w1", "here", 7, ("mail",), 4, clock.now(), names=("b", "a"))
    worker = worker._replace(version="7", rotulus="0.1", python="3.11.2", memory=9)
    app.store.extend([], 30.0, worker)

    assert {
        "items": [
            {
                "name": "w1",
                "host": "here",
                "pid": 7,
                "queues": ["mail"],
                "slots": 4,
                "running": 0,
                "started_at": "2026-01-01T00:00:00Z",
                "seen_at": "2026-01-01T00:00:00Z",
                "tasks": ["a", "b"],
                "draining_at": None,
                "version": "7",
                "rotulus": "0.1",
                "python": "3.11.2",
                "memory": 9,
            }
        ],
        "exact": True,
    } == client.get("/api/v1/workers").json()


def test_a_worker_is_drained(app, client, clock):
    """The answer is the worker after that; one that is not there is a problem."""
    app.store.extend([], 30.0, WorkerInfo("w1", "here", 7, None, 4, clock.now()))
    shown = client.post("/api/v1/workers/w1/$drain").json()
    assert [("w1", "2026-01-01T00:00:00Z")] == [
        (one["name"], one["draining_at"]) for one in shown["items"]
    ]
    assert shown == client.get("/api/v1/workers").json()

    answer = client.post("/api/v1/workers/w/$drain")
    assert (404, "worker_not_found") == (answer.status_code, answer.json()["code"])


def test_a_metric_over_time(app, client, clock):
    """A point for each step, in words of the command line."""
    app.enqueue("mail.send", n=3)
    app.enqueue("fails")
    drain(app)
    asked = {"metric": "attempts", "since": "10min", "step": 60}
    series = client.get("/api/v1/stats/series", params=asked).json()
    slow = client.get("/api/v1/stats/series?metric=ran_max&task=mail.send&since=60").json()

    assert ("attempts", 11, 3) == (
        series["metric"],
        len(series["items"]),
        sum(point["value"] for point in series["items"]),
    )
    assert {"at": "2026-01-01T00:00:00Z", "value": 3.0} == slow["items"][-1]
    assert series["items"][-1]["at"] == "2026-01-01T00:00:00Z"
    until = client.get("/api/v1/stats/series?since=2025-12-31T23:00Z&until=2025-12-31T23:10Z")
    assert 11 == len(until.json()["items"])


def test_totals_in_all_and_by_task_or_queue(app, client):
    """Counts and times."""
    app.enqueue("mail.send", n=3)
    app.enqueue("fails")
    drain(app)
    [whole] = client.get("/api/v1/stats/totals").json()["items"]
    by_queue = client.get("/api/v1/stats/totals?by=queue&since=1h").json()["items"]

    assert (2, 3) == (whole["enqueued"], whole["attempts"])
    assert {"succeeded": 1, "failed": 1, "retried": 1} == whole["outcomes"]
    assert 3.0 == whole["ran"]["max"]
    assert ["default", "mail"] == [one["name"] for one in by_queue]
    assert (
        app.stats.totals(by="task")[0].to_dict()
        == (client.get("/api/v1/stats/totals?by=task").json()["items"][0])
    )


def test_a_histogram_of_times(app, client):
    """How many attempts ran for how long, or waited."""
    app.enqueue("fails")
    drain(app)
    app.enqueue("mail.send", n=3)
    drain(app)
    ran = client.get("/api/v1/stats/histogram").json()["items"]
    one = client.get("/api/v1/stats/histogram?task=mail.send&since=1h").json()["items"]
    waited = client.get("/api/v1/stats/histogram?which=waited").json()["items"]

    assert [(0.005, 2), (5.0, 1)] == [(b["below"], b["count"]) for b in ran if b["count"]]
    assert [(5.0, 1)] == [(b["below"], b["count"]) for b in one if b["count"]]
    assert 3 == sum(bucket["count"] for bucket in waited)
    assert None is ran[-1]["below"]


def test_ages_of_queues(app, client, clock):
    """Those in which jobs wait."""
    app.enqueue("mail.send")
    clock.advance(9)

    assert {"items": [{"queue": "mail", "seconds": 9.0}]} == client.get("/api/v1/stats/ages").json()


WRONG = [
    "series?metric=nothing",
    "series?since=later",
    "series?step=1",
    "series?step=nan",
    "series?since=99d&step=60",
    "series?until=x",
    "series?sins=1h",
    "histogram?which=slept",
    "histogram?task=a%20b",
    "totals?by=worker",
    "totals?task=a%20b",
    "totals?since=1h&until=2h",
]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_questions_are_problems(client, wrong):
    """With what is wrong."""
    answer = client.get(f"/api/v1/stats/{wrong}")

    assert 422 == answer.status_code, answer.text
    assert answer.json()["code"] in ("invalid_request", "invalid_option")
