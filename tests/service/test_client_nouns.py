"""Runs, groups, failures, tokens, the audit, webhooks and artifacts: over an app and a client."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

import rotulus.workflow as wf
from rotulus import App, JobOutcome, TaskRegistry, task
from rotulus.client import ArtifactIn, FailureGroup, Run
from rotulus.errors import (
    AccessTokenConflictError,
    AccessTokenNotFoundError,
    ArgumentsError,
    ArtifactNotFoundError,
    GroupError,
    GroupNotFoundError,
    JobNotFoundError,
    OptionError,
    RotulusError,
    StepNotFoundError,
    WebhookConflictError,
    WebhookNotFoundError,
    WorkflowError,
)
from rotulus.pubsub import (
    FakeGoogle,
    LocalVerifier,
    PubSubCarrier,
    PubSubSettings,
    PushHandler,
    PushRequest,
    TaskRoute,
)
from rotulus.testing import drain
from webhook_receiver import LOOPBACK

NOBODY = "01020304-0000-7000-8000-000000000000"


@pytest.fixture
def app(url):
    """An app with a workflow, the callback of a group, and a task that fails."""
    registry = TaskRegistry()
    made = App(url, registry=registry, webhook_networks=LOOPBACK)
    with wf.WorkflowBuilder("inner", registry=registry):

        @wf.task(id="one")
        def one(context):
            return {"one": 1}

    with wf.WorkflowBuilder("flow", registry=registry) as builder:

        @wf.task(id="list")
        def listed(context):
            return {"items": [1, 2, 3]}

        builder.add_task("inner", dependencies=["list"])

        @wf.task(id="each", dependencies=["list"], for_each="items")
        def each(context):
            if context["item"] == 2:
                raise ValueError(context["item"])

    @task(registry=registry)
    def fails(text: str = "no"):
        raise ValueError(text)

    @task(registry=registry)
    def parse(line: str) -> str:
        return line

    @task(registry=registry)
    def report(outcomes: list[JobOutcome]) -> int:
        return len(outcomes)

    yield made
    made.close()


@pytest.fixture
def run(app):
    """A run that went wrong in one of its branches."""
    job = app.enqueue("flow")
    drain(app)
    return job.id


def ids(jobs):
    """The ids of jobs, in order."""
    return [job.id for job in jobs]


def test_runs_are_found(app, door, run):
    """Page by page, by filters, and the last one of a workflow."""
    later = [app.using(labels={"customer": "7"}).enqueue("flow").id for _ in range(2)]
    drain(app)
    first = door.runs.find(limit=2)
    rest = door.runs.find(limit=2, after=first.next)

    assert ([*reversed(later), run], None) == ([*ids(first), *ids(rest)], rest.next)
    assert 2 == len(door.runs.find(label={"customer": "7"}, state=["failed", "dead"]))
    assert {"flow": later[1]} == {
        name: job.id for name, job in door.runs.latest("flow", "inner").items()
    }
    assert ("flow", "failed", True) == (
        door.runs.get(run).task,
        door.runs.get(run).state,
        door.runs.get(run).run == run,
    )
    with pytest.raises(JobNotFoundError):
        door.runs.get(NOBODY)


def test_a_run_is_read_step_by_step(door, run):
    """As a tree, one step, one branch, all of a level, and over time."""
    steps = {step.name: step for step in door.runs.steps(run)}
    assert ["list", "inner", "each"] == list(steps)
    assert ["inner/one"] == [step.job.step for step in steps["inner"].steps]
    assert {"succeeded": 2, "failed": 1} == steps["each"].branches
    assert ["each/1"] == [job.step for job in steps["each"].wrong]
    assert steps["list"].ran > 0 and steps["list"].spans[0].end > steps["list"].spans[0].start
    branch = door.runs.step(run, "each/1")
    assert ("failed", 1, 0) == (branch.job.state, branch.attempts, len(branch.steps))
    assert run == door.runs.step(run, "").job.id
    level = door.runs.parts(run, "each", state="succeeded", limit=1)
    more = door.runs.parts(run, "each", state="succeeded", after=level.next)
    assert ["each/2", "each/0"] == [job.step for job in [*level, *more]]
    timeline = door.runs.timeline(run, 2)
    assert (2, 2) == (len(timeline.rows), timeline.left_out)
    assert timeline.rows[0].seconds >= 0 and timeline.to_dict()["rows"]
    graph = door.runs.graph(run)
    assert ["list", "inner", "each"] == [box.id for box in graph.boxes]
    assert ("branches", {"succeeded": 2, "failed": 1}, 2) == (
        graph.boxes[2].kind,
        graph.boxes[2].counts,
        len(graph.routes),
    )
    with pytest.raises(StepNotFoundError, match="eahc"):
        door.runs.step(run, "eahc")


def test_runs_are_steered(app, door, run):
    """As a whole, and from one of their steps on."""
    with pytest.raises(WorkflowError):
        door.runs.replay(run, "each/1", {"item": 1})
    again = door.runs.replay(run, "each")
    assert "each" in {job.step for job in again}
    drain(app)
    assert ["each/1", "", "each"] == [
        job.step for job in door.runs.skip(run, "each/1", dry_run=True)
    ]
    assert "skipped" == door.runs.skip(run, "each/1")[0].state
    with pytest.raises(WorkflowError, match="was skipped"):
        door.runs.skip(run, "each/1")
    door.runs.replay(run, "list")
    door.runs.pause(run)
    assert door.runs.get(run).paused
    door.runs.resume(run)
    assert not door.runs.get(run).paused
    assert [run] == ids(door.runs.cancel(run))
    drain(app)
    assert "cancelled" == door.runs.get(run).state
    assert {run} < {job.run for job in door.runs.retry(run)} | {""}
    for verb in (door.runs.cancel, door.runs.retry, door.runs.pause, door.runs.resume):
        with pytest.raises(OptionError, match="run"):
            verb()


def test_failures_are_seen_by_their_cause(app, door):
    """Sent back and deleted as a whole."""
    jobs = [app.enqueue("fails") for _ in range(3)]
    drain(app)
    [group] = door.failures.groups(task="fail*", since=600)
    assert (3, True, ("fails",)) == (group.count, group.count.exact, group.tasks)
    assert ("ValueError", "no") == (group.error.type, group.error.message)
    assert group.first_seen <= group.last_seen == door.failures.get(group.fingerprint).last_seen
    assert {job.id for job in jobs} == set(ids(door.failures.latest()))
    assert 1 == len(door.failures.latest(limit=1))
    assert 3 == door.failures.retry(group.fingerprint, dry_run=True)
    assert 3 == door.failures.retry(group.fingerprint)
    assert 3 == door.jobs.count(state="queued")
    drain(app)
    assert 3 == door.failures.delete(group.fingerprint)
    with pytest.raises(JobNotFoundError, match=group.fingerprint):
        door.failures.get(group.fingerprint)


def test_failures_are_muted(app, door):
    """Until a moment, for a time, or for good."""
    app.enqueue("fails")
    drain(app)
    [group] = door.failures.groups()
    assert None is group.mute
    until = datetime(2100, 1, 1, tzinfo=UTC)
    made = door.failures.mute(group.fingerprint, until=until, note="known")
    assert (until, "known") == (made.until, made.note)
    assert [made] == [one.mute for one in door.failures.groups(muted=True)]
    assert [] == door.failures.groups(muted=False)
    for length in (60, timedelta(minutes=1)):
        made = door.failures.mute(group.fingerprint, until=length)
        assert 60 == pytest.approx((made.until - made.muted_at).total_seconds(), abs=5)
    assert None is door.failures.mute(group.fingerprint).until
    assert made.muted_at <= door.failures.get(group.fingerprint).mute.muted_at
    assert [True, False] == [door.failures.unmute(group.fingerprint) for _ in range(2)]
    for wrong in ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, {"until": 0}, {"note": ""}):
        with pytest.raises(OptionError):
            door.failures.mute(group.fingerprint, **wrong)
    with pytest.raises(OptionError, match="no fingerprint"):
        door.failures.mute("nonsense")


def test_tokens_are_added_and_taken_back(app, client):
    """Their secrets are shown once. The first one of an admin is what lets the next ones in."""
    made = app.tokens.add("ops", "admin")
    with type(client)(client._wire.url, token=made.secret) as door:
        secret = door.tokens.add("ci", "viewer", expires=600).secret
        with pytest.raises(AccessTokenConflictError):
            door.tokens.add("ci", "viewer")
        assert ["ci", "ops"] == [one.name for one in door.tokens.list()]
        assert app.tokens.get("ci") == door.tokens.get("ci")
        assert "ci" == app.tokens.find(secret).name
        door.tokens.remove("ci")
        with pytest.raises(AccessTokenNotFoundError):
            door.tokens.get("ci")
        with pytest.raises(OptionError):
            door.tokens.remove()
        told = door.audit.find(verb="tokens.*", actor="ops")
        assert app.audit.find(verb="tokens.*", actor="ops") == told


def test_the_audit_is_read(app, door):
    """Page by page, whoever asks."""
    with app.acting_as("ada"):
        for name in ("mail", "film"):
            app.queues.pause(name)
    first = door.audit.find(actor="ada", since=600, limit=1)
    second = door.audit.find(actor="ada", since=600, limit=1, after=first.next)

    assert [("film", 1), ("mail", 1)] == [(one.target, one.count) for one in [*first, *second]]
    assert (None, "python") == (second.next, second[0].door)
    assert "queues.pause" == second[0].to_dict()["verb"]


def test_webhooks_are_added_changed_and_removed(door):
    """By whoever has the last version; the secret is shown once."""
    made = door.webhooks.add(
        "ops", "https://example.com/a", events=["job.failed"], label={"customer": "7"}
    )
    assert made.secret.startswith("whsec_")
    assert "" == door.webhooks.get("ops").secret
    with pytest.raises(WebhookConflictError):
        door.webhooks.add("ops", "https://example.com/a", events="job.*")
    changed = door.webhooks.set("ops", events="run.*", label=None, version=made.version)
    assert (("run.*",), {}, made.version + 1) == (changed.events, changed.labels, changed.version)
    assert made.secret != door.webhooks.rotate("ops").secret
    assert "active" == door.webhooks.resume("ops").state
    sent = door.webhooks.test("ops")
    [delivery] = door.webhooks.deliveries("ops", state="queued")
    assert (sent, "webhook.test") == (delivery, delivery.event)
    assert "ops" in delivery.body and delivery.to_dict()["body"]["data"]
    again = door.webhooks.replay(sent.id)
    assert (sent.message, True) == (again.message, again.id != sent.id)
    assert 1 == len(door.webhooks.deliveries(limit=1, after=door.webhooks.deliveries(limit=1).next))
    assert "paused" == door.webhooks.pause("ops").state
    assert ["ops"] == [one.name for one in door.webhooks.list()]
    door.webhooks.remove("ops")
    with pytest.raises(WebhookNotFoundError):
        door.webhooks.get("ops")


def test_a_group_is_filled_and_closed(app, client):
    """Its callback runs with all of its jobs."""
    opened = client.groups.open("import-7", "report")
    assert (True, {}, "report") == (opened.open, opened.jobs, opened.job.task)
    lines = [{"line": "a"}, {"line": "b"}]
    added = client.groups.add("import-7", "parse", lines, labels={"customer": "7"}, priority=2)
    assert [2, 2] == [job.priority for job in added]
    with pytest.raises(ArgumentsError):
        client.groups.add("import-7", "parse", [{"word": "a"}])
    closed = client.groups.close("import-7")
    assert (False, {"queued": 2}) == (closed.open, closed.jobs)
    with pytest.raises(GroupError):
        client.groups.add("import-7", "parse", lines)
    drain(app)
    assert 2 == client.jobs.result(opened.job.id, timeout=5)
    assert {"succeeded": 2} == client.groups.get("import-7").jobs
    with pytest.raises(GroupNotFoundError):
        client.groups.get("none")


def test_artifacts_are_saved_and_read(client):
    """JSON and bytes, with their places."""
    data = {"rows": 3, "none": None}
    whole = client.artifacts.save(ArtifactIn(data=data, metadata={"day": "2026-11-20"}))
    name = "zürich 1.csv"
    part = client.artifacts.save(
        ArtifactIn(
            data=b"a,b\n", media_type="text/csv", metadata={"filename": name}, parent_id=whole.id
        )
    )
    assert (data, whole) == (whole.data, client.artifacts.get(whole.id))
    content = client.artifacts.content(part.id)
    assert (b"a,b\n", name, part.sha256) == (content.content, content.filename, content.sha256)
    assert content.media_type.startswith("text/csv")
    assert b'"rows"' in client.artifacts.content(whole.id).content
    assert client.artifacts.content(whole.id).filename is None
    assert {"day": "2026-11-20"} == client.artifacts.metadata(whole.id)
    assert "level_0" == client.artifacts.expand(whole.id).level_label
    [child] = client.artifacts.tree(whole.id, data=False).children
    assert (part.id, 1) == (child.id, child.level)
    first = client.artifacts.list(limit=1)
    second = client.artifacts.list(limit=1, after=first.next)
    assert [part.id, whole.id] == ids([*first, *second])
    assert [part.id] == ids(client.artifacts.list(parent_id=whole.id))
    with pytest.raises(ValueError, match="filename only"):
        client.artifacts.save(ArtifactIn(data=b"", metadata={"day": 1}))
    client.artifacts.delete(whole.id, recursive=True)
    for gone in (whole.id, part.id):
        with pytest.raises(ArtifactNotFoundError):
            client.artifacts.get(gone)


def test_pushes_are_shown(app, door):
    """What is wanted, what is at Google, and what the process of the service has answered."""
    assert not door.push.wanted().carried
    with pytest.raises(RotulusError, match="This app has no routes"):
        door.push.plan()
    routes = [TaskRoute(app.registry.get("report"))]
    with FakeGoogle() as google:
        told = {"GCP_PROJECT_ID": "shop", "CLOUD_RUN_SERVICE_URL": "https://shop.example"}
        told |= {"TASKS_SERVICE_ACCOUNT": "a@shop.iam.gserviceaccount.com"}
        settings = PubSubSettings.from_env(google.environment | told)
        app.carry(PubSubCarrier(routes, settings))
        planned = door.push.plan(patience=20)
    handler = PushHandler(app, routes, verifier=LocalVerifier(), settings=settings)
    handler.handle(PushRequest([], b"", "10.0.0.1"))
    handler.handle(PushRequest([], b"", "127.0.0.1"))

    assert ({"create"}, ()) == ({one.action for one in planned.changes}, planned.problems)
    assert app.push.wanted() == door.push.wanted()
    assert app.push.process() == door.push.process()
    assert app.push.deliveries() == door.push.deliveries()
    assert ["local", "refused"] == [one.verdict for one in door.push.deliveries()]
    assert ["refused"] == [one.verdict for one in door.push.deliveries(1, refused=True)]


def test_coroutines_have_the_same_nouns(app, client, run):
    """Each verb with an `a` in front."""
    app.enqueue("fails")
    drain(app)

    async def work():
        async with client:
            whole = await client.runs.aget(run)
            failed = await client.failures.agroups()
            made = await client.webhooks.aadd("ops", "https://example.com/a", events="job.*")
            kept = await client.artifacts.asave(ArtifactIn(data=[1]))
            await client.groups.aopen("g", "report")
            audit = await client.audit.afind(verb="webhooks.add")
            step = await client.runs.astep(run, "list")
            wanted, came = await client.push.awanted(), await client.push.adeliveries()
            assert (False, [], 0) == (wanted.carried, came, len(wanted.resources))
            assert await client.push.aprocess() == app.push.process()
            return whole, failed, made.name, kept.data, [one.target for one in audit], step.name

    whole, failed, *others = asyncio.run(work())
    assert isinstance(whole, Run) and isinstance(failed[0], FailureGroup)
    assert ["ops", [1], ["ops"], "list"] == others


def test_every_verb_of_an_app_is_one_of_its_client(app, client):
    """But for those that run jobs in this process, and for the secrets of tokens."""
    here = {"jobs.run", "jobs.arun", "tokens.find", "tokens.afind"}
    nouns = ("jobs", "queues", "schedules", "runs", "failures", "workers", "stats", "push")
    for noun in (*nouns, "tokens", "audit", "webhooks"):
        mine, theirs = getattr(app, noun), getattr(client, noun)
        verbs = {name for name in dir(mine) if not name.startswith("_")}
        missing = {f"{noun}.{verb}" for verb in verbs if not hasattr(theirs, verb)} - here
        assert not missing


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_of_dots_is_no_other_path(client, name):
    """Though the dots of a path mean another one."""
    told = client.limits.set(name, limit=3)

    assert (name, 3) == (told.key, told.limit)
    assert [name] == [one.key for one in client.limits.list()]
    assert client.limits.get(name).is_set
    assert not client.limits.unset(name).is_set
