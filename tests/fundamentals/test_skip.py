"""The skip of a step: a run goes on without it."""

import asyncio

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, final, put, states
from rotulus import Cancel, State, task
from rotulus.errors import JobNotFoundError, StepNotFoundError, WorkflowError
from rotulus.testing import drain
from rotulus.workflow import Run


@pytest.fixture
def called():
    """Which callbacks were called."""
    return []


@pytest.fixture
def broken(build, called):
    """A workflow whose middle step fails."""
    with build():
        wf.task(id="first")(put(first=1))
        wf.task(
            id="broken",
            dependencies=["first"],
            on_failure=lambda step, error, context: called.append(f"{step} failed"),
            on_success=lambda step, context: called.append(f"{step} succeeded"),
        )(fail)
        wf.task(id="last", dependencies=["broken"])(put(last=3))


@pytest.mark.usefixtures("broken")
def test_a_run_that_has_failed_goes_on_without_the_step(app, go):
    """What comes after it is given what the step was given."""
    run = go(day=1)
    assert ("Failed", "skipped(need_failed)") == (run.status, states(run)["last"])

    skipped = app.runs.skip(run.id, "broken")
    assert ("broken", State.SKIPPED) == (skipped[0].step, skipped[0].state)
    assert {"last", ""} == {job.step for job in skipped[1:]}
    drain(app)
    assert {
        "first": "succeeded",
        "broken": "skipped(operator)",
        "last": "succeeded",
    } == states(run)
    assert ("Completed", {"day": 1, "first": 1, "last": 3}) == (run.status, final(run))


def test_a_step_that_waits_for_others_is_skipped_when_its_turn_comes(app, broken, called):
    """What comes after it begins when these have ended; why says so until then."""
    run = Run(app, app.enqueue("flow").id)
    [told] = app.runs.skip(run.id, "broken", dry_run=True)
    before = run.step("broken").why()
    run.skip("broken")
    run.skip("broken")

    assert ("broken", State.BLOCKED) == (told.step, told.state)
    assert [
        *before,
        "An operator or a program has skipped it: it is not run when its turn comes.",
    ] == run.step("broken").why()
    drain(app)
    assert {
        "first": "succeeded",
        "broken": "skipped(operator)",
        "last": "succeeded",
    } == states(run)
    assert ("Completed", {"first": 1, "last": 3}, []) == (run.status, final(run), called)


def test_a_step_that_is_due_is_skipped_at_once(app, build):
    """Nothing of it runs."""
    with build():
        wf.task(id="broken")(fail)
        wf.task(id="last", dependencies=["broken"])(put(last=3))
    run = Run(app, app.enqueue("flow").id)
    [job] = app.runs.skip(run.id, "broken")
    drain(app)

    assert (State.SKIPPED, 0) == (job.state, run.step("broken").attempt)
    assert ("Completed", {"last": 3}) == (run.status, final(run))


@pytest.mark.parametrize("when", ["waiting", "failed"])
def test_a_skipped_step_runs_when_a_step_before_it_runs_again(app, build, when):
    """Or when it is replayed itself."""
    failing = [True]
    with build():
        wf.task(id="first")(put(first=1))

        @wf.task(id="middle", dependencies=["first"])
        def middle(context):
            if failing:
                raise ValueError
            context.set("middle", 2)

        wf.task(id="last", dependencies=["middle"])(put(last=3))
    run = Run(app, app.enqueue("flow").id)
    if when == "failed":
        drain(app)
    run.skip("middle")
    drain(app)
    assert {"first": 1, "last": 3} == final(run)
    run.replay("last")
    drain(app)
    assert {"first": 1, "last": 3} == final(run)
    failing.clear()
    run.replay("first")
    drain(app)
    assert {"first": 1, "middle": 2, "last": 3} == final(run)
    run.replay("first")
    run.skip("middle")
    drain(app)
    assert {"first": 1, "last": 3} == final(run)
    run.replay("middle")
    drain(app)
    assert {"first": 1, "middle": 2, "last": 3} == final(run)


def test_a_skip_of_a_step_that_waits_holds_while_a_step_beside_it_is_retried(app, build):
    """It has not ended yet."""
    failing = [True]
    with build():

        @wf.task(id="one")
        def one(context):
            if failing:
                raise ValueError

        @wf.task(id="two")
        def two(context, handle):
            if failing:
                handle.defer(seconds=3600)

        wf.task(id="both", dependencies=["one", "two"])(fail)
    run = Run(app, app.enqueue("flow").id)
    drain(app)
    run.skip("both")
    failing.clear()
    app.jobs.retry(run.step("one").id)
    app.jobs.edit(run.step("two").id, delay=0)
    drain(app)

    assert ("Completed", "skipped(operator)") == (run.status, states(run)["both"])


@pytest.mark.parametrize("given", [True, 10])
def test_a_run_may_be_given_something_that_is_called_skip(app, build, given):
    """Also by a program that does not know the workflow: a worker opens the run."""
    job = app.enqueue("flow", skip=given)
    with build():
        wf.task(id="one")(put(one=1))
    drain(app)
    run = Run(app, job.id)

    assert ("Completed", {"skip": given, "one": 1}) == (run.status, final(run))


def test_a_run_that_cannot_hold_a_limit_fails_whatever_it_is_given(app, build):
    """It is no step, so nobody has skipped it."""
    job = app.using(limit=5).enqueue("flow", skip=True)
    with build():
        wf.task(id="one")(put(one=1))
    drain(app)

    assert State.FAILED is job.refresh().state


def test_no_callback_is_called_for_a_skip(app, broken, go, called):
    """What was called when it failed stays called."""
    run = go()
    app.runs.skip(run.id, "broken")
    drain(app)

    assert ["broken failed"] == called


@pytest.mark.parametrize(
    ("trigger", "state"),
    [
        (None, "succeeded"),
        (wf.all_done, "succeeded"),
        (wf.task_skipped("broken"), "succeeded"),
        (wf.all_succeeded, "skipped(trigger)"),
        (wf.any_succeeded, "skipped(trigger)"),
        (wf.any_failed, "skipped(trigger)"),
    ],
)
def test_a_rule_of_a_step_decides_as_it_stands(app, build, go, trigger, state):
    """A step without a rule goes on; a rule that asks for success does not hold."""
    with build():
        wf.task(id="broken")(fail)
        wf.task(id="last", dependencies=["broken"], trigger=trigger)(put(last=1))
    run = go()
    app.runs.skip(run.id, "broken")
    drain(app)

    assert state == states(run)["last"]
    assert "Completed" == run.status


def test_a_dry_run_says_what_would_run_again(app, broken, go):
    """And changes nothing."""
    run = go()
    before = states(run)
    told = app.runs.skip(run.id, "broken", dry_run=True)

    assert [State.FAILED, "broken"] == [told[0].state, told[0].step]
    assert {"last", ""} == {job.step for job in told[1:]}
    assert (before, "Failed") == (states(run), run.status)


def test_a_branch_is_skipped_and_leaves_its_place_empty(app, build, go):
    """The others keep theirs."""
    with build():
        wf.task(id="list")(put(items=[1, 2, 3]))

        @wf.task(id="each", dependencies=["list"], for_each="items")
        def each(context):
            return 10 // (context["item"] - 2)

        wf.task(id="last", dependencies=["each"])(put(last=1))
    run = go()
    assert "failed(error)" == states(run)["each"]
    app.runs.skip(run.id, "each/1")
    drain(app)

    assert ("Completed", [-10, None, 10], 1) == (run.status, final(run)["each"], final(run)["last"])
    assert "skipped(operator)" == states(run)["each/1"]


def test_a_step_for_each_item_is_skipped_as_a_whole(app, build, go):
    """With the branches that failed: a retry of the run does not bring them back."""
    with build():
        wf.task(id="list")(put(items=[1, 0]))

        @wf.task(id="each", dependencies=["list"], for_each="items")
        def each(context):
            return 1 // context["item"]

        wf.task(id="last", dependencies=["each"])(lambda context: context.set("seen", [*context]))
    run = go()
    app.runs.skip(run.id, "each")
    drain(app)

    assert ("Completed", ["items"]) == (run.status, final(run)["seen"])
    assert {"each/0": "succeeded", "each/1": "skipped(operator)"} == {
        step: state for step, state in states(run).items() if "/" in step
    }
    assert [] == app.runs.retry(run.id)


def test_a_step_of_a_workflow_within_is_skipped(app, build, go):
    """And then the workflow within succeeds."""
    with build("inner"):
        wf.task(id="one")(fail)
        wf.task(id="two", dependencies=["one"])(put(two=2))
    with build() as builder:
        builder.add_task("inner")
        wf.task(id="last", dependencies=["inner"])(put(last=1))
    run = go()
    app.runs.skip(run.id, "inner/one")
    drain(app)

    assert ("Completed", {"two": 2, "last": 1}) == (run.status, final(run))


def test_two_steps_that_failed_are_skipped_one_after_the_other(app, build, go):
    """What needs both goes on with the second."""
    with build():
        wf.task(id="one")(fail)
        wf.task(id="two")(fail)
        wf.task(id="last", dependencies=["one", "two"])(put(last=1))
    run = go()
    app.runs.skip(run.id, "one")
    drain(app)
    assert ("Failed", "skipped(need_failed)") == (run.status, states(run)["last"])
    app.runs.skip(run.id, "two")
    drain(app)

    assert ("Completed", "succeeded") == (run.status, states(run)["last"])


def test_what_is_not_to_be_skipped_is_refused_with_what_to_do(app, broken, go, build):
    """A run, a step that has succeeded or was skipped, one that is not there."""
    run = go()
    refused = [
        ("first", WorkflowError, "Step 'first' succeeded: only one that waits or went wrong"),
        ("last", WorkflowError, "Step 'last' was skipped: only one"),
        ("", WorkflowError, r"skip a step of it, or cancel it with app\.runs\.cancel"),
        ("lost", StepNotFoundError, "has no step 'lost'; did you mean 'last'"),
    ]
    for step, error, words in refused:
        with pytest.raises(error, match=words):
            app.runs.skip(run.id, step)
    with pytest.raises(JobNotFoundError):
        app.runs.skip("nonsense", "first")
    assert "Failed" == run.status


def test_a_step_that_runs_is_refused_with_what_to_do(app, build):
    """It is cancelled first, and skipped then."""
    told = []
    with build():

        @wf.task(id="slow")
        def slow(context, handle):
            with pytest.raises(
                WorkflowError, match=r"'slow' runs: cancel it with app\.jobs\.cancel"
            ):
                app.runs.skip(told[0], "slow")
            app.jobs.cancel(app.runs.step(told[0], "slow").job.id)
            told.append("looked")
            raise Cancel("stopped")

        wf.task(id="last", dependencies=["slow"])(put(last=1))
    told.append(app.enqueue("flow").id)
    drain(app)
    run = Run(app, told[0])
    assert ["looked"] == told[1:]
    assert ("Cancelled", "cancelled") == (run.status, str(run.step("slow").state))
    app.runs.skip(run.id, "slow")
    drain(app)

    assert ("Completed", {"last": 1}) == (run.status, final(run))


def test_a_run_whose_key_another_job_has_stays_as_it_is(app, broken):
    """The error says who has it."""
    run = Run(app, app.using(key="k").enqueue("flow").id)
    drain(app)
    holder = app.using(key="k").enqueue("flow")

    with pytest.raises(WorkflowError, match=f"stays so. The key of its run 'k' .*{holder.id}"):
        app.runs.skip(run.id, "broken")
    assert "failed(error)" == states(run)["broken"]


def test_a_job_of_a_group_is_cancelled_rather_than_skipped(app):
    """Its callback runs however it ended."""
    one = task("one", registry=app.registry)(lambda: None)
    then = task("then", registry=app.registry)(lambda outcomes: None)
    with app.group("g", then=then) as group:
        job = one.using(group=group).enqueue()

    with pytest.raises(WorkflowError, match=rf"cancel it with app\.jobs\.cancel\('{job.id}'\)"):
        app.runs.skip(group.id, app.get(job.id).step)
    with pytest.raises(WorkflowError, match="A run as a whole is not skipped"):
        app.runs.skip(group.id, "")


def test_a_skip_is_in_the_audit_and_a_dry_run_is_not(app, broken, go):
    """With the step; what was refused is there too."""
    run = go()
    with app.acting_as("ada"):
        app.runs.skip(run.id, "broken", dry_run=True)
        app.runs.skip(run.id, "broken")

    [entry] = app.audit.find()
    assert ("ada", "runs.skip", run.id) == (entry.actor, entry.verb, entry.target)
    assert {"step": "broken"} == entry.detail


def test_a_skip_for_coroutines(app, broken, go):
    """It does the same."""
    run = go()
    told = asyncio.run(app.runs.askip(run.id, "broken", dry_run=True))
    skipped = asyncio.run(app.runs.askip(run.id, "broken"))

    assert [job.id for job in told] == [job.id for job in skipped]


def test_why_says_that_somebody_skipped_it(app, broken, go):
    """And its attempts are still shown over time."""
    run = go()
    app.runs.skip(run.id, "broken")
    drain(app)

    [why] = run.step("broken").why()
    assert why.startswith("It was skipped by an operator or a program: the steps after it go on")
    assert 1 == len(app.runs.step(run.id, "broken").spans)
