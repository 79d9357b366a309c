"""Steps that run once for each item: their branches, and what these come to."""

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, final, put, states
from rotulus import Job, task


def test_a_step_runs_for_each_item(build, go):
    """All at once; its dependents find the results under its id, in the order of the items."""
    seen = []
    with build():
        wf.task(id="list")(put(files=["a", "b", "c"]))

        @wf.task(id="parse", dependencies=["list"], for_each="files")
        def parse(context):
            seen.append(context.to_dict())
            return context["item"].upper()

        @wf.task(id="join", dependencies=["parse"])
        def join(context):
            context.set("joined", "".join(context["parse"]))

    run = go(given=1)

    assert {
        "given": 1,
        "files": ["a", "b", "c"],
        "parse": ["A", "B", "C"],
        "joined": "ABC",
    } == final(run)
    assert {
        "parse/0": "succeeded",
        "parse/1": "succeeded",
        "parse/2": "succeeded",
    }.items() <= states(run).items()
    assert [{"given": 1, "files": ["a", "b", "c"], "item": i} for i in "abc"] == sorted(
        seen, key=lambda one: one["item"]
    )
    assert "B" == run.step("parse/1").result(0)


def test_first_steps_may_run_for_each_item_beside_others(build, go):
    """What was read for them before they had branches does not count afterwards."""
    with build():
        wf.task(id="one", for_each="items")(lambda context: context["item"])
        wf.task(id="two", for_each="items")(lambda context: -context["item"])
        wf.task(id="three")(put(three=3))

    assert {"items": [1, 2], "one": [1, 2], "two": [-1, -2], "three": 3} == final(go(items=[1, 2]))


def test_what_a_branch_comes_to(build, go):
    """What it returned; or what it changed."""
    with build():

        @wf.task(id="values", for_each="items")
        def values(context):
            return {"n": context["item"]}

        @wf.task(id="changes", for_each="items")
        async def changes(context):
            context.set("n", context["item"])
            return context

        wf.task(id="nothing", for_each="items")(lambda context: None)

    found = final(go(items=[1, 2]))
    assert {
        "values": [{"n": 1}, {"n": 2}],
        "changes": [{"n": 1}, {"n": 2}],
        "nothing": [{}, {}],
    } == {name: found[name] for name in ("values", "changes", "nothing")}


def test_for_each_of_nothing_is_an_empty_array(build, go):
    """And the step has succeeded."""
    with build():
        wf.task(id="each", for_each="items")(fail)

    run = go(items=[])
    assert {"each": "succeeded"} == states(run)
    assert {"items": [], "each": []} == final(run)


@pytest.mark.parametrize(("given", "what"), [({}, "missing"), ({"items": "ab"}, "a str")])
def test_for_each_of_what_is_no_array_fails(build, go, given, what):
    """And says what it is."""
    with build():
        wf.task(id="each", for_each="items")(put(x=1))

    run = go(**given)
    assert {"each": "failed(error)"} == states(run)
    assert f"each item of 'items', which is {what}" in str(run.step("each").error)


def test_a_branch_that_fails_fails_its_step(build, go):
    """The others are run; the error says how many, and the first; it hands on what it was given."""
    with build():

        @wf.task(id="each", for_each="items")
        def each(context):
            if context["item"] % 2:
                raise ValueError(f"{context['item']} is odd")
            return context["item"]

        wf.task(id="next", dependencies=["each"])(put(x=1))
        wf.task(id="anyway", dependencies=["each"], trigger=wf.any_failed)(put(y=1))

    run = go(items=[0, 1, 2, 3])
    found = states(run)
    assert ("failed(error)", "skipped(need_failed)", "succeeded") == (
        found["each"],
        found["next"],
        found["anyway"],
    )
    assert {
        "each/0": "succeeded",
        "each/1": "failed(error)",
        "each/2": "succeeded",
    }.items() < found.items()
    assert "2 of 4 did not succeed, the first of them each/1: ValueError: 1 is odd" in str(
        run.step("each").error
    )
    assert {"items": [0, 1, 2, 3], "y": 1} == final(run)
    assert "1 task(s) failed, 1 completed, 1 skipped" == run.wait(0).error_message


def test_branches_are_retried_by_themselves(build, go):
    """Each as often as the policy says."""
    seen = []
    with build():

        @wf.task(id="each", for_each="items", retry_attempts=2, retry_delay_ms=0)
        def each(context, job: Job):
            seen.append((context["item"], job.attempt))
            if job.attempt <= context["item"]:
                raise ValueError
            return job.attempt

    assert [1, 2, 3] == final(go(items=[0, 1, 2]))["each"]
    assert [(0, 1), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3)] == sorted(seen)


def test_an_ordinary_task_for_each_item(app, build, go):
    """The item is its first parameter; the others come from the context."""

    @task("scale", registry=app.registry)
    def scale(number: int, by: int = 2) -> int:
        return number * by

    with build() as builder:
        builder.add_task(scale, for_each="numbers")

    assert [3, 6] == final(go(numbers=[1, 2], by=3))["scale"]
    run = go(numbers=[1, "x"])
    assert "dead(invalid_arguments)" == states(run)["scale/1"]
    assert "failed(error)" == states(run)["scale"]
