"""The steps of a run as an app tells them: a tree, one step, and both as JSON."""

import asyncio
import json

import pytest

import rotulus.workflow as wf
from fundamentals.flows import final, put
from rotulus import QueueInfo, StepInfo, task
from rotulus.errors import JobNotFoundError, StepNotFoundError, WorkflowError
from rotulus.testing import drain


@pytest.fixture
def run(build, go):
    """A run of a workflow within a workflow, and of a step for each of three items."""
    with build("inner"):
        wf.task(id="one")(put(one=1))
        wf.task(id="two", dependencies=["one"])(put(two=2))
    with build() as builder:
        wf.task(id="list")(put(items=[1, 2, 3]))
        builder.add_task("inner", dependencies=["list"])

        @wf.task(id="each", dependencies=["list"], for_each="items")
        def each(context):
            if context["item"] == 2:
                raise ValueError(context["item"])

    return go()


def test_the_steps_of_a_run_are_a_tree(app, run):
    """Each comes after what it needs; branches are counted."""
    steps = app.runs.steps(run.id)
    by_name = {step.name: step for step in steps}

    assert "list" == steps[0].name
    assert {"list", "inner", "each"} == set(by_name)
    assert ["inner", "inner/one", "inner/two"] == [s.job.step for s in by_name["inner"].walk()]
    assert ["one", "two"] == [step.name for step in app.runs.steps(by_name["inner"].job.id)]
    assert {"succeeded": 2, "failed": 1} == by_name["each"].branches
    assert ["each/1"] == [job.step for job in by_name["each"].wrong]
    assert (True, False) == (by_name["each"].went_wrong, by_name["list"].went_wrong)
    assert all(step.waited >= 0 and step.ran >= 0 and step.due for step in steps)
    assert [] == [step.name for step in steps if step.waits_for]


def test_a_run_is_the_job_that_ends_it(app, build, go):
    """And no other job: the error says what the job is; a run may begin later."""
    with build():
        wf.task(id="list")(put(items=[]))
    send = task("send", registry=app.registry)(lambda: None)
    run, plain = go().job, send.enqueue()
    step, later = app.runs.step(run.id, "list").job, app.using(delay=60).enqueue("flow")

    assert [run, later] == [app.runs.get(run.id), app.runs.get(later.id)]
    for ask in (app.runs.get, app.runs.pause, app.runs.resume):
        with pytest.raises(JobNotFoundError, match=f"is step 'list' of a run: give that, {run.id}"):
            ask(step.id)
    for ask in (app.runs.get, lambda id_: app.runs.step(id_, "list")):
        with pytest.raises(JobNotFoundError, match="'send' is not a run of a workflow"):
            ask(plain.id)
    with pytest.raises(StepNotFoundError, match="has no step 'list'; it has not begun"):
        app.runs.step(later.id, "list")


def test_one_step_of_a_run(app, run):
    """By its id or its path; a name that is near is told of."""
    step = app.runs.step(run.id, "inner/two")

    assert isinstance(step, StepInfo)
    assert ("two", 1, "succeeded") == (step.name, step.attempts, step.job.state)
    with pytest.raises(StepNotFoundError, match="has no step 'innner'; did you mean 'inner'"):
        app.runs.step(run.id, "innner")
    with pytest.raises(StepNotFoundError, match="it has each, inner, list"):
        app.runs.step(run.id, "xyz")
    with pytest.raises(JobNotFoundError):
        app.runs.steps("nobody")


def test_coroutines_have_the_same(app, run):
    """As of every resource."""

    async def ask():
        steps = await app.runs.asteps(run.id)
        return [step.name for step in steps], (await app.runs.astep(run.id, "each")).name

    names, name = asyncio.run(ask())
    assert ([step.name for step in app.runs.steps(run.id)], "each") == (names, name)


def test_a_step_and_a_job_are_json(app, run):
    """Plain data, with the steps within."""
    steps = [step.to_dict() for step in app.runs.steps(run.id)]
    job = app.get(run.id)
    data = job.to_dict()

    assert steps == json.loads(json.dumps(steps))
    assert data == json.loads(json.dumps(data))
    inner = next(step for step in steps if step["step"] == "inner")
    assert ["inner/one", "inner/two"] == [step["step"] for step in inner["steps"]]
    assert (run.id, "failed", job.created_at.isoformat()) == (
        data["id"],
        data["state"],
        data["created_at"],
    )
    assert (True, False) == (job.is_run, app.runs.step(run.id, "list").job.is_run)


def test_a_job_that_was_tried_again_tells_its_attempts_as_json(app):
    """Their times are text, and their errors objects."""

    @task(registry=app.registry)
    def broken() -> None:
        raise ValueError("no")

    job = broken.enqueue()
    drain(app)
    app.retry(job.id)
    [attempt] = app.get(job.id).attempts
    data = attempt.to_dict()

    assert data == json.loads(json.dumps(data))
    assert (1, "error", "ValueError") == (data["number"], data["reason"], data["error"]["type"])


def test_a_step_is_replayed_by_the_app(app, run):
    """With what came after it; not one that has not ended."""
    assert "Failed" == run.status
    app.runs.replay(run.id, "each", {"items": [1, 3]})
    with pytest.raises(WorkflowError, match="Step 'each' is queued: it is replayed once it ended"):
        app.runs.replay(run.id, "each")
    drain(app)

    assert ("Completed", 2) == (run.status, len(final(run)["each"]))
    with pytest.raises(WorkflowError, match="is one branch, and has its item"):
        app.runs.replay(run.id, "each/0", {})


def test_queues_are_told_as_values(app):
    """Whose type can be imported."""
    app.pause("mail")

    assert [QueueInfo] == [type(queue) for queue in app.queues.list()]
