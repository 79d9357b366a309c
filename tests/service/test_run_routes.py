"""Runs over HTTP: found, read as a tree, level by level, drawn, over time, and steered."""

import pytest
from starlette.testclient import TestClient

import rotulus.workflow as wf
from rotulus import App, TaskRegistry, task
from rotulus._app.roles import Role
from rotulus.service import ServiceBuilder, ServiceInfo, protection
from rotulus.service.principal import Principal
from rotulus.testing import drain
from service.senders import always

pytestmark = pytest.mark.anywhere

API = "/api/v1/runs"
NOBODY = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def app(url):
    """An app with a workflow that has a workflow, and a step for each of some items, within."""
    made = App(url, registry=TaskRegistry())
    with wf.WorkflowBuilder("inner", registry=made.registry):

        @wf.task(id="one")
        def one(context):
            return {"one": 1}

    with wf.WorkflowBuilder("flow", registry=made.registry) as builder:

        @wf.task(id="list")
        def listed(context):
            return {"items": [1, 2, 3]}

        builder.add_task("inner", dependencies=["list"])

        @wf.task(id="each", dependencies=["list"], for_each="items")
        def each(context):
            if context["item"] == 2:
                raise ValueError(context["item"])

    @task(registry=made.registry)
    def plain():
        pass

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a service with the resources of the app."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).with_resources().build()) as made:
        yield made


@pytest.fixture
def run(app):
    """A run that went wrong in one of its branches."""
    job = app.enqueue("flow")
    drain(app)
    return job.id


def test_runs_are_found(app, client, run):
    """By their filters, page by page, and no job that is not a run."""
    app.enqueue("plain")
    later = [app.using(labels={"customer": "7"}).enqueue("flow") for _ in range(3)]
    drain(app)
    first = client.get(API, params={"limit": 2})
    items = first.json()["items"]
    assert [later[2].id, later[1].id] == [one["id"] for one in items]
    second = client.get(f"{API}{first.links['next']['url']}").json()
    assert ([later[0].id, run], None) == ([one["id"] for one in second["items"]], second["next"])

    def found(query):
        return len(client.get(f"{API}?{query}").json()["items"])

    assert (3, 4, 0) == (found("label.customer=7"), found("state=failed"), found("state=running"))
    assert (4, 0, 4) == (found("task=fl*"), found("task=inner"), found("since=1h"))
    assert (0, 0) == (found("group=none"), found("schedule=none"))
    for wrong in ("queue=default", "args.a=1", "limit=0", "after=x", "state=x"):
        assert 422 == client.get(f"{API}?{wrong}").status_code, wrong


def test_a_run_is_a_tree(client, run):
    """Of its steps, those of the workflow within, and counts of branches."""
    told = client.get(f"{API}/{run}").json()

    assert (run, "failed", "flow") == (told["id"], told["state"], told["task"])
    assert told["why"] and "arguments" in told
    steps = {step["id"]: step for step in told["steps"]}
    assert ["list", "inner", "each"] == list(steps)
    assert ["inner/one"] == [step["step"] for step in steps["inner"]["steps"]]
    assert {"succeeded": 2, "failed": 1} == steps["each"]["branches"]
    assert ["each/1"] == [job["step"] for job in steps["each"]["wrong"]]
    assert "arguments" not in steps["list"]["job"]
    assert all(at.endswith("Z") for span in steps["list"]["spans"] for at in span)
    assert told == client.get(f"{API}/{run.upper()}").json()


def test_a_level_of_a_run_is_listed_page_by_page(client, run):
    """Its steps, the steps within one, or its branches: of a state, the last one first."""
    path = f"{API}/{run}/$steps"

    def steps(**query):
        return [job["step"] for job in client.get(path, params=query).json()["items"]]

    assert {"list", "inner", "each"} == set(steps())
    assert ["inner/one"] == steps(within="inner")
    assert ["each/1"] == steps(within="each", state="failed")
    assert [] == steps(within="nowhere")
    first = client.get(path, params={"within": "each", "limit": 2})
    rest = client.get(f"{path}{first.links['next']['url']}").json()
    both = [job["step"] for job in [*first.json()["items"], *rest["items"]]]
    assert (["each/2", "each/1", "each/0"], None) == (both, rest["next"])
    inner = next(one for one in client.get(path).json()["items"] if one["step"] == "inner")
    assert ["inner/one"] == [
        one["step"] for one in client.get(f"{API}/{inner['id']}/$steps").json()["items"]
    ]
    cursor = first.json()["next"]
    assert 422 == client.get(path, params={"within": "inner", "after": cursor}).status_code
    assert 422 == client.get(path, params={"stat": "failed"}).status_code


def test_a_run_is_drawn(app, client, run):
    """As boxes and routes: what the app says, to the pixel."""
    drawn = client.get(f"{API}/{run}/$graph").json()

    assert app.runs.graph(run).to_dict() == drawn
    assert {"list", "inner", "each"} == {box["id"] for box in drawn["boxes"]}
    assert {("list", "inner"), ("list", "each")} == {
        (route["source"], route["target"]) for route in drawn["routes"]
    }


def test_a_run_over_time(client, run):
    """When each step waited and ran; of many, those that ran the longest."""
    told = client.get(f"{API}/{run}/$timeline").json()

    assert (run, "failed", 0) == (told["job"], told["state"], told["left_out"])
    assert {"list", "inner", "inner/one", "each"} == {row["step"] for row in told["rows"]}
    assert all(at.endswith("Z") for row in told["rows"] for span in row["ran"] for at in span)
    few = client.get(f"{API}/{run}/$timeline?limit=1").json()
    assert (1, 3) == (len(few["rows"]), few["left_out"])


def test_a_run_is_paused_resumed_and_cancelled(app, client):
    """As a whole; the answers say how it stands then, and what was changed."""
    run = app.enqueue("flow").id
    app.jobs.run(run)  # it begins
    assert client.post(f"{API}/{run}/$pause").json()["paused"]
    drain(app)
    assert "blocked" == app.get(run).state
    assert not client.post(f"{API}/{run}/$resume").json()["paused"]

    told = client.post(f"{API}/{run}/$cancel").json()
    assert (run, "cancelled", "cancelled") == (told["id"], told["state"], app.get(run).state)
    assert told == client.post(f"{API}/{run}/$cancel").json()
    assert {"cancelled", "succeeded"} >= {job.state for job in app.jobs(run=run)}


def test_a_run_is_retried(app, client, run):
    """From what went wrong."""
    told = client.post(f"{API}/{run}/$retry").json()
    assert ("retry", "blocked") == (told["verb"], app.get(run).state)
    assert told["count"] == len(told["items"]) > 0
    drain(app)
    assert "failed" == app.get(run).state


def test_a_step_is_replayed(app, client, run):
    """With what came after it, and with another context if one is given."""
    path = f"{API}/{run}/$replay"
    told = client.post(path, json={"step": "each", "context": {"items": [1, 3]}}).json()
    assert "replay" == told["verb"] and told["count"] > 0
    early = client.post(path, json={"step": "each"})
    assert (409, "run_conflict") == (early.status_code, early.json()["code"])
    drain(app)
    assert "succeeded" == app.get(run).state
    branch = client.post(path, json={"step": "each/0", "context": {}})
    assert (409, "run_conflict") == (branch.status_code, branch.json()["code"])
    missing = client.post(path, json={"step": "eahc"})
    assert (404, "step_not_found") == (missing.status_code, missing.json()["code"])
    assert "each" in missing.json()["detail"]
    for wrong in ({}, {"step": 1}, {"step": "each", "contxt": {}}, {"step": "each", "context": []}):
        assert 422 == client.post(path, json=wrong).status_code


def test_a_step_is_skipped(app, client, run):
    """After a dry run, which changes nothing; what cannot be skipped is a conflict."""
    path = f"{API}/{run}/$skip"
    dry = client.post(path, json={"step": "each", "dry_run": True}).json()
    assert ("skip", True, 2, "failed") == (
        *(dry["verb"], dry["dry_run"], dry["count"]),
        app.get(run).state,
    )
    told = client.post(path, json={"step": "each"}).json()
    assert ("skip", False, 2) == (told["verb"], told["dry_run"], told["count"])
    assert [("each", "skipped", "operator"), ("", "queued", None)] == [
        (job["step"], job["state"], job["reason"]) for job in told["items"]
    ]
    drain(app)
    assert "succeeded" == app.get(run).state
    again = client.post(path, json={"step": "each"})
    assert (409, "run_conflict") == (again.status_code, again.json()["code"])
    assert "was skipped" in again.json()["detail"]
    missing = client.post(path, json={"step": "eahc"})
    assert (404, "step_not_found") == (missing.status_code, missing.json()["code"])
    for wrong in ({}, {"step": 1}, {"step": "each", "dry_run": "yes"}, {"stp": "each"}):
        assert 422 == client.post(path, json=wrong).status_code


def test_viewers_skip_nothing(client, run, monkeypatch):
    """As with all verbs."""
    monkeypatch.setattr(protection, "authorised", always(Principal("somebody", Role.VIEWER)))
    assert 403 == client.post(f"{API}/{run}/$skip", json={"step": "each"}).status_code


def test_a_mask_is_no_context(client, run, monkeypatch):
    """Somebody who has seen a secret masked does not put the mask in its place."""
    sender = Principal("somebody", Role.OPERATOR)
    monkeypatch.setattr(protection, "authorised", always(sender))
    body = {"step": "each", "context": {"items": [{"token": "***"}]}}
    answer = client.post(f"{API}/{run}/$replay", json=body)
    assert (422, "invalid_option") == (answer.status_code, answer.json()["code"])


VERBS = ["$pause", "$resume", "$cancel", "$retry"]


def test_a_job_that_is_no_run_is_not_found(app, client, run):
    """Nor steered by the verbs of runs."""
    plain = app.enqueue("plain").id
    step = app.runs.step(run, "list").job.id
    for one in (plain, step, NOBODY, "x"):
        assert 404 == client.get(f"{API}/{one}").status_code
        for verb in VERBS:
            answer = client.post(f"{API}/{one}/{verb}")
            assert (404, "job_not_found") == (answer.status_code, answer.json()["code"])
            assert "sqlite" not in answer.text and "postgres" not in answer.text
    assert "queued" == app.get(plain).state
    assert 404 == client.get(f"{API}/{plain}/$graph").status_code


def test_who_steers_a_run_stands_in_the_audit(app, client, run):
    """Each verb once."""
    for verb in VERBS:
        client.post(f"{API}/{run}/{verb}")
    client.post(f"{API}/{run}/$replay", json={"step": "list", "context": {"items": []}})
    client.post(f"{API}/{run}/$skip", json={"step": "list", "dry_run": True})
    client.post(f"{API}/{run}/$skip", json={"step": "list"})

    assert ["skip", "replay", "retry", "cancel", "resume", "pause"] == [
        entry.verb.removeprefix("runs.") for entry in app.audit.find()
    ]


def test_viewers_look_and_operators_steer(client, run, monkeypatch):
    """As everywhere."""
    sender = Principal("somebody", Role.VIEWER)
    monkeypatch.setattr(protection, "authorised", always(sender))
    for path in ("", "/$steps", "/$graph", "/$timeline"):
        assert 200 == client.get(f"{API}/{run}{path}").status_code
    for verb in VERBS:
        assert 403 == client.post(f"{API}/{run}/{verb}").status_code
