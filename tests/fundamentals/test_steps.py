"""A step as a job: callbacks, values, timeouts, injection, schedules, and code that is gone."""

import threading
from datetime import UTC, datetime

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, final, put, states
from rotulus import App, Job, Retry, State, task
from rotulus.events import CallbackFailed
from rotulus.testing import drain
from rotulus.workflow import Run


def test_callbacks_are_called_once_at_the_end(build, go):
    """A retry is no failure; the contexts are those at the end."""
    seen = []
    calls = {
        "on_success": lambda *told: seen.append(("success", *told)),
        "on_failure": lambda *told: seen.append(("failure", *told)),
    }
    with build():

        @wf.task(id="late", retry_attempts=2, retry_delay_ms=0, **calls)
        def late(context, job: Job):
            if job.attempt < 3:
                raise ValueError
            return {"attempt": job.attempt}

        @wf.task(id="never", retry_attempts=2, retry_delay_ms=0, **calls)
        async def never(context):
            context.set("half", "done")
            raise ValueError("no")

        wf.task(id="skipped", dependencies=["never"], **calls)(put(x=1))

    go()
    assert [
        ("failure", "never", "ValueError: no", {"half": "done"}),
        ("success", "late", {"attempt": 3}),
    ] == sorted(seen)


def test_a_callback_that_raises_is_told_and_changes_nothing(app, build, go):
    """Nor does what it sets in the context; a coroutine is awaited."""
    told, seen = [], []
    app.events.subscribe(told.append, CallbackFailed)

    async def note(step, context):
        context.set("mine", 1)
        seen.append(step)

    def breaks(step, *more):
        raise RuntimeError(f"callback of {step}")

    with build():
        wf.task(id="noted", on_success=note)(put(a=1))
        wf.task(id="good", dependencies=["noted"], on_success=breaks)(put(b=1))
        wf.task(id="bad", dependencies=["good"], on_failure=breaks)(fail)

    run = go()
    assert ["noted"] == seen
    assert [("on_success", "callback of good"), ("on_failure", "callback of bad")] == [
        (event.callback, event.error.message) for event in told
    ]
    assert {"noted": "succeeded", "good": "succeeded", "bad": "failed(error)"} == states(run)
    assert {"a": 1, "b": 1} == final(run)


def test_a_step_with_branches_or_steps_has_its_callbacks_once(build, go):
    """Its branches have none."""
    seen = []
    with build("inner"):
        wf.task(id="a")(put(a=1))
    with build() as builder:
        note = lambda step, context: seen.append((step, sorted(context)))  # noqa: E731
        wf.task(id="each", for_each="items", on_success=note)(lambda context: 1)
        builder.add_task("inner", on_success=note)

    go(items=[1, 2])
    assert [("each", ["each", "items"]), ("inner", ["a", "items"])] == sorted(seen)


def test_a_context_that_is_too_large_fails_its_step(registry):
    """As any result; those of branches may be too large together."""
    app = App("sqlite://", registry=registry, max_bytes=1000)
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="big")(put(text="x" * 2000))
        wf.task(id="each", for_each="items")(lambda context: "y" * 400)
        wf.task(id="small")(put(small=1))
        wf.task(id="next", dependencies=["big"])(put(next=1))
    run = Run(app, app.enqueue("flow", items=[1, 2, 3]).id)
    drain(app)

    assert {
        "big": "failed(result)",
        "each": "failed(result)",
        "small": "succeeded",
        "next": "skipped(need_failed)",
    }.items() < states(run).items()
    assert "at most 1,000" in str(run.step("big").error)
    app.close()


@pytest.mark.parametrize("value", [5, "text", [1]])
def test_a_step_that_returns_something_else_fails(build, go, value):
    """It is neither a context, nor a dict, nor nothing."""
    with build():
        wf.task(id="odd")(lambda context: value)

    run = go()
    assert "failed" == str(run.step("odd").state)
    assert f"returned {type(value).__name__}" in str(run.step("odd").error)


def test_a_workflow_is_enqueued_as_any_job(still_app, clock):
    """With a key, a delay, a queue and a priority, which its steps have, too."""
    with wf.WorkflowBuilder("flow", registry=still_app.registry):
        wf.task(id="one")(put(one=1))
        wf.task(id="two", dependencies=["one"])(put(two=1))
    how = still_app.using(key="today", delay=60, queue="slow", priority=7)
    job = how.enqueue("flow", given=1)
    assert job.id == how.enqueue("flow", given=1).id
    drain(still_app)
    run = Run(still_app, job.id)
    assert {State.DELAYED} == {step.state for step in still_app.jobs() if step.state != "blocked"}
    clock.advance(61)
    still_app.run_worker(burst=True, queues=["other"])
    assert not job.refresh().state.ended
    still_app.run_worker(burst=True, queues=["slow"])

    assert {"given": 1, "one": 1, "two": 1} == job.refresh().result(0)
    assert {("slow", 7)} == {(step.queue, step.priority) for step in run.steps()}


def test_a_task_of_its_own_process_is_a_step(app, build, go):
    """With its arguments from the context."""

    @task("pid", isolation="process", registry=app.registry)
    def pid(number: int) -> dict:
        import os

        return {"pid": os.getpid(), "twice": number * 2}

    with build() as builder:
        wf.task(id="first")(put(number=4))
        builder.add_task(pid, dependencies=["first"])
        wf.task(id="last", dependencies=["pid"])(put(last=1))

    import os

    found = final(go())
    assert (8, 1, True) == (found["twice"], found["last"], found["pid"] != os.getpid())


def test_a_step_is_injected(app, build, go):
    """Its job, and what is provided."""

    class Database: ...

    app.provide(Database, Database)
    with build():

        @wf.task(id="one")
        def one(context, job: Job, database: Database):
            context.set("one", [job.step, type(database).__name__])

        @wf.task(id="two")
        async def two(context, handle, *, job: Job):
            context.set("two", [job.step, job.run == job.id, handle.is_slot_held()])

    assert {"one": ["one", "Database"], "two": ["two", False, True]} == final(go())


def test_a_step_has_its_timeout(build, go):
    """It failed, then."""
    import asyncio

    with build():

        @wf.task(id="slow", timeout=0.05)
        async def slow(context):
            await asyncio.sleep(30)

    run = go()
    assert {"slow": "failed(timeout)"} == states(run)
    assert "0.05 seconds" in str(run.step("slow").error)


def test_a_workflow_is_fired_by_its_schedule(still_app, clock):
    """A job at each moment, with its steps."""
    from rotulus import scheduled

    with wf.WorkflowBuilder("flow", registry=still_app.registry):
        wf.task(id="one")(put(one=1))

    @scheduled("0 * * * *", "begin", registry=still_app.registry)
    def begin():
        still_app.enqueue("flow", hour=1)

    drain(still_app)
    clock.set(datetime(2026, 1, 1, 1, 0, 1, tzinfo=UTC))
    drain(still_app)
    drain(still_app)

    [job] = still_app.jobs(task="flow")
    assert {"hour": 1, "one": 1} == job.result(0)


def test_a_step_that_defers_itself_survives_its_worker(still_app, clock):
    """It begins anew, without what it had set, and nothing is counted against it."""
    seen = []
    with wf.WorkflowBuilder("flow", registry=still_app.registry):

        @wf.task(id="later")
        def later(context, handle):
            seen.append(context.to_dict())
            context.set("half", 1)
            if len(seen) < 3:
                handle.defer(60)
            context.set("done", 1)

        wf.task(id="next", dependencies=["later"])(put(next=1))

    job = still_app.enqueue("flow")
    for _ in range(3):
        drain(still_app)  # a worker of its own each time
        clock.advance(61)

    assert [{}, {}, {}] == seen
    assert {"half": 1, "done": 1, "next": 1} == job.refresh().result(0)
    step = Run(still_app, job.id).step("later")
    assert (3, 0) == (step.attempt, step.record.failures)


def test_steps_of_a_workflow_whose_code_is_gone(still_app):
    """They are dead, and the run has an end; the other steps have theirs."""
    registry = still_app.registry
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="one")(put(one=1))
        wf.task(id="gone", dependencies=["one"])(put(gone=1))
        wf.task(id="last", dependencies=["one"])(put(last=1))
    run = Run(still_app, still_app.enqueue("flow").id)
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="one")(put(one=1))
        wf.task(id="last", dependencies=["one"])(put(last=1))
    drain(still_app)

    assert {"one": "succeeded", "gone": "dead(unknown_task)", "last": "succeeded"} == states(run)
    assert "'flow.gone'" in str(run.step("gone").error)
    assert "Failed" == run.status


def test_a_run_whose_workflow_is_gone(still_app):
    """Everything of it is dead, and an operator may send it back when it is there again."""
    steps = {"one": put(one=1), "two": put(two=1)}
    job = None
    for _ in range(2):
        with wf.WorkflowBuilder("flow", registry=still_app.registry):
            for name, step in steps.items():
                wf.task(id=name, dependencies=["one"] if name == "two" else [])(step)
        if job is not None:
            break
        job = still_app.enqueue("flow", given=1)
        for name in ("flow", "flow.one", "flow.two"):
            still_app.registry.unregister(name)
        drain(still_app)

    run = Run(still_app, job.id)
    assert {"dead(unknown_task)"} == set(states(run).values())
    assert "Failed" == run.status
    run.retry()
    drain(still_app)
    assert {"given": 1, "one": 1, "two": 1} == final(run)


def test_a_policy_of_the_task_holds_for_it_as_a_step(app, build, go):
    """And its timeout, its queue and its priority."""
    seen = []

    @task("flaky", retry=Retry(attempts=3, delay=0), registry=app.registry)
    def flaky(job: Job) -> dict:
        seen.append(job.attempt)
        raise ValueError

    with build() as builder:
        builder.add_task(flaky)

    assert {"flaky": "failed(error)"} == states(go())
    assert [1, 2, 3] == seen


def test_a_worker_with_one_slot_goes_on_after_a_long_step(app, build):
    """Whoever asked for more along with its end gives the place back when there is none."""
    with build():

        @wf.task(id="long")
        def long(context):
            threading.Event().wait(0.4)

    job = app.enqueue("flow")
    working = threading.Thread(target=lambda: app.run_worker(burst=True, slots=1), daemon=True)
    working.start()
    working.join(20)

    assert not working.is_alive()
    assert State.SUCCEEDED == job.refresh().state
