"""Workflows within workflows."""

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, final, put, states
from rotulus._tasks.registry import registered_tasks
from rotulus.errors import JobFailedError
from rotulus.events import AttemptFailed


def test_a_workflow_is_a_step(build, go):
    """It is given a context as any other, and hands its final one on."""
    with build("inner"):
        wf.task(id="one")(put(one=1))

        @wf.task(id="two", dependencies=["one"])
        def two(context):
            context.set("two", [context["one"], context["given"]])

    with build() as builder:
        wf.task(id="first")(put(given=5))
        builder.add_task("inner", dependencies=["first"])
        wf.task(id="last", dependencies=["inner"])(put(last=1))

    run = go()
    assert {"given": 5, "one": 1, "two": [1, 5], "last": 1} == final(run)
    assert {"first", "inner", "inner/one", "inner/two", "last"} == set(states(run))
    assert ["first", "inner", "last"] == [job.step for job in run.steps()]


def test_a_failure_inside_is_a_failure_of_the_step(build, go):
    """The counts of each level are its own."""
    with build("inner"):
        wf.task(id="good")(put(good=1))
        wf.task(id="bad")(fail)
    with build() as builder:
        builder.add_task("inner")
        wf.task(id="next", dependencies=["inner"])(put(x=1))

    run = go(given=1)
    assert {
        "inner": "failed(error)",
        "inner/good": "succeeded",
        "inner/bad": "failed(error)",
        "next": "skipped(need_failed)",
    } == states(run)
    assert "1 task(s) failed, 1 completed, 0 skipped" in str(run.step("inner").error)
    assert "1 task(s) failed, 0 completed, 1 skipped" == run.wait(0).error_message
    assert {"given": 1} == final(run)


def test_a_workflow_for_each_item(build, go):
    """Each branch comes to its final context; what fails inside fails the branch."""
    with build("inner"):

        @wf.task(id="half")
        def half(context):
            context.set("half", 10 / context["item"])

    with build() as builder:
        builder.add_task("inner", for_each="items")

    run = go(items=[1, 5])
    assert [10.0, 2.0] == [one["half"] for one in final(run)["inner"]]
    assert {"inner/0/half", "inner/1/half"} < set(states(run))
    run = go(items=[1, 0])
    assert ("failed(error)", "failed(error)", "succeeded") == tuple(
        states(run)[path] for path in ("inner", "inner/1", "inner/0")
    )


def test_a_workflow_that_contains_itself_ends(app, go):
    """If it was made so behind the back of those who check."""
    registry = app.registry
    with wf.WorkflowBuilder("inner", registry=registry):
        wf.task(id="a")(put(a=1))
    with wf.WorkflowBuilder("flow", registry=registry) as builder:
        builder.add_task("inner")
    flow = wf.get_workflow("flow", registry)
    registry.unregister("inner")
    registered_tasks(registry).add(_named(flow, "inner", registry))

    run = go()
    assert "Failed" == run.status
    assert 16 <= max(path.count("/") for path in states(run)) <= 17
    deepest = max(run.steps(parts=True), key=lambda job: job.step.count("/"))
    assert "does one of them contain itself?" in str(deepest.error)


def _named(workflow, name, registry):
    from rotulus._workflows.tasks import workflow_task
    from rotulus._workflows.workflow import Workflow

    return workflow_task(Workflow(name, workflow.steps), registry)


def test_a_run_that_failed_says_which_step_did(app, build, go):
    """Deep inside, too; wherever somebody looks, and the message stays as short as it was."""
    with build("inner"):
        wf.task(id="bad")(fail)
    with build() as builder:
        wf.task(id="good")(put(good=1))
        builder.add_task("inner", dependencies=["good"])

    lines = []
    app.events.subscribe(lambda event: lines.append(event.outcome.error), AttemptFailed)
    run = go()
    culprit = run.step("inner/bad")
    told = f"step 'inner/bad' (job {culprit.id}) failed: {culprit.error}"

    with pytest.raises(JobFailedError) as caught:
        run.job.result(0)
    assert told in str(caught.value)
    assert told == caught.value.traceback
    assert told in run.job.why()[0]
    assert told == lines[-1].traceback
    assert "1 task(s) failed, 1 completed, 0 skipped" == run.wait(0).error_message


def test_the_branch_that_failed_a_run_is_named(build, go):
    """With its error."""
    with build():

        @wf.task(id="half", for_each="items")
        def half(context):
            return 10 / context["item"]

    (sentence,) = go(items=[1, 0]).job.why()
    assert "step 'half' (job " in sentence
    assert "the first of them half/1: ZeroDivisionError: division by zero" in sentence
