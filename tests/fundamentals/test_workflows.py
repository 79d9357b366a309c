"""Workflows are jobs: which steps run, what they are given, and what can be done to a run."""

import threading
from datetime import UTC, datetime

import pytest

import rotulus.workflow as wf
from rotulus import App, Job, Retry, State, task
from rotulus.events import CallbackFailed
from rotulus.testing import drain
from rotulus.workflow import Run


@pytest.fixture
def build(app):
    """Makes builders of workflows in the app's registry."""
    return lambda name="flow": wf.WorkflowBuilder(name, registry=app.registry)


@pytest.fixture
def go(app):
    """Runs a workflow to its end; the run."""

    def run(workflow="flow", /, **given):
        job = app.enqueue(workflow, **given)
        drain(app)
        return Run(app, job.id)

    return run


def states(run):
    """How the steps of a run stand, by their paths: a state, and a reason if it ended by one."""
    return {
        job.step: f"{job.state}({job.reason})" if job.reason else str(job.state)
        for job in run.steps(parts=True)
    }


def final(run):
    """The final context of a run."""
    return run.wait(0).final_context.to_dict()


def put(**values):
    """A step that sets these."""

    def step(context):
        context.update_from_dict(values)

    return step


def fail(context):
    raise ValueError("no")


def test_a_diamond_is_merged(build, go):
    """In the order in which the last step names the others, whoever is done first."""
    seen = {}
    with build():
        wf.task(id="top")(put(list=[1], last="top"))
        wf.task(id="left", dependencies=["top"])(put(list=[1, 2], object={"left": 1}, last="left"))
        wf.task(id="right", dependencies=["top"])(
            put(list=[1, 3], object={"right": 1}, last="right")
        )

        @wf.task(id="bottom", dependencies=["right", "left"])
        def bottom(context):
            seen.update(context.to_dict())

    run = go()

    assert {"list": [1, 3, 2], "object": {"right": 1, "left": 1}, "last": "left"} == seen
    assert seen == final(run)
    assert ("Completed", None) == (run.status, run.wait(0).error_message)


def test_a_step_without_needs_has_the_initial_context_alone(build, go):
    """And one with needs what those hand on, alone."""
    with build():
        wf.task(id="a")(put(a=1))
        wf.task(id="b")(lambda context: wf.Context({"b": 1}))
        wf.task(id="c", dependencies=["b"])(put(c=1))

    run = go(given=1)

    assert {"given": 1, "a": 1} == run.step("a").result(0)
    assert {"b": 1, "c": 1} == run.step("c").result(0)
    assert {"given": 1, "a": 1, "b": 1, "c": 1} == final(run)


def test_a_failure_stops_what_builds_on_it_and_nothing_else(build, go):
    """`need_failed` spreads; what they hand on is what they were given."""
    with build():
        wf.task(id="bad")(fail)
        wf.task(id="next", dependencies=["bad"])(put(next=1))
        wf.task(id="after", dependencies=["next"])(put(after=1))
        wf.task(id="beside")(put(beside=1))
        wf.task(id="both", dependencies=["beside", "after"])(put(both=1))

    run = go(given=1)

    assert {
        "bad": "failed(error)",
        "next": "skipped(need_failed)",
        "after": "skipped(need_failed)",
        "beside": "succeeded",
        "both": "skipped(need_failed)",
    } == states(run)
    assert {"given": 1, "beside": 1} == final(run)
    assert "1 task(s) failed, 1 completed, 3 skipped" == run.wait(0).error_message
    assert "Failed" == run.status


def test_a_step_left_out_by_choice_holds_nothing_up(build, go):
    """Unless all that a step needs was left out: then it is, too."""
    with build():
        wf.task(id="out", trigger=wf.context_value("go", "exists"))(put(out=1))
        wf.task(id="in")(put(inn=1))
        wf.task(id="joined", dependencies=["out", "in"])(put(joined=1))
        wf.task(id="lonely", dependencies=["out"])(put(lonely=1))
        wf.task(id="further", dependencies=["lonely"])(put(further=1))

    assert {
        "out": "skipped(trigger)",
        "in": "succeeded",
        "joined": "succeeded",
        "lonely": "skipped(trigger)",
        "further": "skipped(trigger)",
    } == states(run := go())
    assert "Completed" == run.status
    assert {"succeeded"} == set(states(go(go=None)).values())


RULES = {
    # rule: whether it holds when a need succeeded, failed, was skipped by its rule
    "all_succeeded": (wf.all_succeeded, "yes", "need_failed", "trigger"),
    "all_done": (wf.all_done, "yes", "yes", "yes"),
    "always": (wf.always, "yes", "yes", "yes"),
    "any_failed": (wf.any_failed, "trigger", "yes", "trigger"),
    "any_succeeded": (wf.any_succeeded, "yes", "trigger", "trigger"),
    "task_success": (wf.task_success("need"), "yes", "trigger", "trigger"),
    "task_failed": (wf.task_failed("need"), "trigger", "yes", "trigger"),
    "task_skipped": (wf.task_skipped("need"), "trigger", "trigger", "yes"),
    "exists": (wf.context_value("x", "exists"), "yes", "trigger", "trigger"),
    "equals": (wf.context_value("x", "==", 5), "yes", "trigger", "trigger"),
    "differs": (wf.context_value("x", "!=", 5), "trigger", "yes", "yes"),
    "greater": (wf.context_value("x", ">", 4), "yes", "trigger", "trigger"),
    "none_of": (wf.none_of(wf.any_failed, wf.task_skipped("need")), "yes", "trigger", "trigger"),
    "any_of": (wf.any_of(wf.any_failed, wf.any_succeeded), "yes", "yes", "trigger"),
    "all_of": (wf.all_of(wf.all_succeeded, wf.any_succeeded), "yes", "need_failed", "trigger"),
    "not": (~wf.any_failed, "yes", "trigger", "yes"),
    "default": (None, "yes", "need_failed", "trigger"),
}


def test_each_trigger_rule_against_each_end(build, go):
    """That of a need which succeeded, one which failed, and one which was left out."""
    never = wf.context_value("never", "exists")
    needs = {"good": (put(x=5), None), "bad": (fail, None), "out": (put(x=5), never)}
    for name, (function, trigger) in needs.items():
        with build(name):
            wf.task(id="need", trigger=trigger)(function)
            for word, (rule, *_) in RULES.items():
                wf.task(id=word, dependencies=["need"], trigger=rule)(put(ran=1))

    for place, name in enumerate(needs, 1):
        found = states(go(name))
        expected = {
            word: "succeeded" if rule[place] == "yes" else f"skipped({rule[place]})"
            for word, rule in RULES.items()
        }
        assert expected == {word: found[word] for word in RULES}, name


def test_an_ordinary_task_is_a_step(app, build, go):
    """Its parameters come from the context by name, a dict is merged into it, else see below."""

    @task("mail.render", registry=app.registry)
    def render(name: str, greeting: str = "Hello") -> dict:
        return {"text": f"{greeting}, {name}"}

    @task("mail.count", registry=app.registry)
    async def count(text: str) -> int:
        return len(text)

    @task("mail.send", registry=app.registry)
    def send(text: str) -> None: ...

    with build() as builder:
        builder.add_task(render).add_task(count, dependencies=["render"])
        builder.add_task("mail.send", dependencies=["count"])

    assert {"name": "Ann", "other": 1, "text": "Hello, Ann", "count": 10} == final(
        go(name="Ann", other=1)
    )
    assert "Hi, Ann" == final(go(name="Ann", greeting="Hi"))["text"]


def test_a_step_whose_task_finds_no_argument_is_dead(app, build, go):
    """With what is missing; or what is of another type."""

    @task("mail.send", registry=app.registry)
    def send(address: str, times: int = 1): ...

    with build() as builder:
        builder.add_task(send)

    run = go(name="Ann")
    assert {"send": "dead(invalid_arguments)"} == states(run)
    assert "'address'" in str(run.step("send").error)
    assert "1 task(s) failed, 0 completed, 0 skipped" == run.wait(0).error_message
    assert "'times'" in str(go(address="a", times="many").step("send").error)


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
    registry.add(_named(flow, "inner", registry))

    run = go()
    assert "Failed" == run.status
    assert 16 <= max(path.count("/") for path in states(run)) <= 17
    deepest = max(run.steps(parts=True), key=lambda job: job.step.count("/"))
    assert "does one of them contain itself?" in str(deepest.error)


def _named(workflow, name, registry):
    from rotulus._workflows.tasks import workflow_task
    from rotulus._workflows.workflow import Workflow

    return workflow_task(Workflow(name, workflow.steps), registry)


def test_a_run_is_cancelled_whole(app, build):
    """Every step that has not ended, also those that wait."""
    with build():
        wf.task(id="one")(put(one=1))
        wf.task(id="two", dependencies=["one"])(put(two=1))
    run = Run(app, app.enqueue("flow").id)
    run.cancel()
    drain(app)

    assert {"one": "cancelled(cancelled)", "two": "cancelled(cancelled)"} == states(run)
    assert "Cancelled" == run.status == run.wait(0).status
    run.retry()
    drain(app)
    assert ("Completed", {"one": 1, "two": 1}) == (run.status, final(run))


def test_a_running_step_is_cancelled_with_its_run(app, build):
    """It is asked to stop, as any job is; what waits for it does not begin."""
    begun, ran = threading.Event(), []
    with build():

        @wf.task(id="long")
        def long(context, job: Job):
            begun.set()
            while not job.cancel_requested:
                threading.Event().wait(0.01)
            from rotulus import Cancel

            raise Cancel("as asked")

        wf.task(id="next", dependencies=["long"], trigger=wf.always)(lambda context: ran.append(1))

    run = Run(app, app.enqueue("flow").id)
    worker = threading.Thread(target=drain, args=(app,))
    worker.start()
    assert begun.wait(20)
    run.cancel()
    worker.join(20)

    assert "Cancelled" == run.status
    assert {"long": "cancelled(cancelled)", "next": "cancelled(cancelled)"} == states(run)
    assert [] == ran


def test_a_paused_run_begins_no_further_step(app, build):
    """Until it is resumed; other runs go on."""
    with build():
        wf.task(id="one")(put(one=1))
        wf.task(id="two", dependencies=["one"])(put(two=1))

    run = Run(app, app.enqueue("flow").id)
    run.pause()
    other = Run(app, app.enqueue("flow").id)
    drain(app)
    assert ("Paused", "Completed") == (run.status, other.status)
    assert {State.BLOCKED} == {job.state for job in run.steps()}
    assert all(job.paused for job in run.steps())
    run.resume()
    drain(app)
    assert "Completed" == run.status


def test_a_run_that_is_paused_by_its_own_step(app, build):
    """What that step is followed by waits, branches and all, until the run is resumed."""
    runs = []
    with build():

        @wf.task(id="one")
        def one(context):
            runs[0].pause()

        wf.task(id="each", dependencies=["one"], for_each="items")(lambda context: context["item"])

    runs.append(Run(app, app.enqueue("flow", items=[1, 2]).id))
    drain(app)
    assert {"one": "succeeded", "each": "blocked"} == states(runs[0])
    assert "Paused" == runs[0].status
    runs[0].resume()
    drain(app)
    assert [1, 2] == final(runs[0])["each"]


def test_a_replay_inside_of_a_workflow_within(app, build, go):
    """What follows it there runs again, and then what follows outside."""
    seen = []
    with build("inner"):

        @wf.task(id="one")
        def one(context):
            seen.append("one")
            context.set("one", context.get("n", 0))

        @wf.task(id="two", dependencies=["one"])
        def two(context):
            seen.append("two")
            context.set("two", context["one"] * 2)

    with build() as builder:
        wf.task(id="first")(lambda context: seen.append("first"))
        builder.add_task("inner", dependencies=["first"])

        @wf.task(id="last", dependencies=["inner"])
        def last(context):
            seen.append("last")
            context.set("last", context["two"] + 1)

    run = go(n=1)
    assert {"n": 1, "one": 1, "two": 2, "last": 3} == final(run)
    seen.clear()
    run.replay("inner/one", {"n": 10})
    drain(app)
    assert ["one", "two", "last"] == seen
    assert ("Completed", {"n": 10, "one": 10, "two": 20, "last": 21}) == (run.status, final(run))
    seen.clear()
    run.replay("inner")
    drain(app)
    assert ["one", "two", "last"] == seen
    assert {"n": 1, "one": 1, "two": 2, "last": 3} == final(run)


def test_a_retry_inside_of_branches_that_are_workflows(app, build, go):
    """Only the steps that failed are run again, however deep they are."""
    seen, well = [], []
    with build("inner"):

        @wf.task(id="before")
        def before(context):
            seen.append(("before", context["item"]))

        @wf.task(id="bad", dependencies=["before"])
        def bad(context):
            seen.append(("bad", context["item"]))
            if context["item"] == 2 and not well:
                raise ValueError
            context.set("tenfold", context["item"] * 10)

    with build() as builder:
        builder.add_task("inner", for_each="items")

    run = go(items=[1, 2, 3])
    assert "Failed" == run.status
    well.append(1)
    seen.clear()
    run.retry()
    drain(app)

    assert [("bad", 2)] == seen
    assert [10, 20, 30] == [one["tenfold"] for one in final(run)["inner"]]


def test_a_retry_goes_on_from_what_failed(app, build, go):
    """What succeeded before it is not run again; what was skipped after it is."""
    seen, healed = [], []
    with build():

        @wf.task(id="before")
        def before(context):
            seen.append("before")
            context.set("before", 1)

        @wf.task(id="beside")
        def beside(context):
            seen.append("beside")

        @wf.task(id="bad", dependencies=["before"])
        def bad(context):
            seen.append("bad")
            if not healed:
                raise ValueError
            context.set("healed", context["before"])

        @wf.task(id="after", dependencies=["bad", "beside"])
        def after(context):
            seen.append("after")

    run = go(given=1)
    assert "Failed" == run.status
    assert {"before", "beside", "bad"} == set(seen)
    healed.append(1)
    seen.clear()
    run.retry()
    drain(app)

    assert ["bad", "after"] == seen
    assert ("Completed", None) == (run.status, run.wait(0).error_message)
    assert {"given": 1, "before": 1, "healed": 1} == final(run)
    with pytest.raises(wf.WorkflowError, match="is Completed"):
        run.retry()


def test_a_retry_runs_only_the_branches_that_failed(app, build, go):
    """The results of the others stay where they are."""
    seen, healed = [], []
    with build():

        @wf.task(id="each", for_each="items")
        def each(context):
            seen.append(context["item"])
            if context["item"] == 2 and not healed:
                raise ValueError
            return context["item"] * 10

    run = go(items=[1, 2, 3])
    assert "Failed" == run.status
    healed.append(1)
    seen.clear()
    run.retry()
    drain(app)

    assert [2] == seen
    assert [10, 20, 30] == final(run)["each"]


def test_a_replay_runs_a_step_and_what_came_after_it(app, build, go):
    """With another context, if one is given."""
    seen = []
    with build():

        @wf.task(id="one")
        def one(context):
            seen.append("one")
            context.set("n", 1)

        @wf.task(id="two", dependencies=["one"])
        def two(context):
            seen.append("two")
            context.set("twice", context["n"] * 2)

        @wf.task(id="three", dependencies=["two"])
        def three(context):
            seen.append("three")
            context.set("more", context["twice"] + 1)

    run = go()
    assert 3 == final(run)["more"]
    seen.clear()
    run.replay("two", {"n": 50})
    drain(app)
    assert (["two", "three"], {"n": 50, "twice": 100, "more": 101}) == (seen, final(run))
    run.replay("two")
    drain(app)
    assert {"n": 1, "twice": 2, "more": 3} == final(run)
    run.replay("one", wf.Context({"given": 1}))
    drain(app)
    assert {"given": 1, "n": 1, "twice": 2, "more": 3} == final(run)
    with pytest.raises(wf.WorkflowError, match="has no step 'four'"):
        run.replay("four")


def test_the_context_of_a_replay_counts_until_what_is_needed_runs_again(app, build, go):
    """For retries of the step that was replayed, and no longer."""
    failing = []
    with build():

        @wf.task(id="one")
        def one(context):
            context.set("n", context.get("given", 1))

        @wf.task(id="two", dependencies=["one"])
        def two(context):
            if failing:
                raise ValueError(failing.pop())
            context.set("twice", context["n"] * 2)

    run = go()
    failing.append("once")
    run.replay("two", {"n": 50})
    drain(app)
    assert "Failed" == run.status
    run.retry()
    drain(app)
    assert {"n": 50, "twice": 100} == final(run)
    run.replay("one", {"given": 7})
    drain(app)
    assert {"given": 7, "n": 7, "twice": 14} == final(run)


def test_a_replay_makes_branches_anew(app, build, go):
    """As many as the other context has items."""
    with build():
        wf.task(id="list")(put(items=[1, 2, 3]))
        wf.task(id="each", dependencies=["list"], for_each="items")(
            lambda context: -context["item"]
        )
        wf.task(id="sum", dependencies=["each"])(
            lambda context: context.set("sum", sum(context["each"]))
        )

    run = go()
    assert -6 == final(run)["sum"]
    run.replay("each", {"items": [7]})
    drain(app)
    assert {"items": [7], "each": [-7], "sum": -7} == final(run)
    assert ["each/0"] == [path for path in states(run) if path.startswith("each/")]
    run.replay("list")
    drain(app)
    assert -6 == final(run)["sum"]
    assert {"list", "each", "sum", "each/0", "each/1", "each/2"} == set(states(run))


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


def test_what_is_skipped_in_a_ladder_is_read_once(build, go):
    """However many ways lead through it to a step that is run: 2 to the power of 60."""
    with build():
        wf.task(id="top")(fail)
        above = ["top"]
        for n in range(60):
            for side in ("left", "right"):
                wf.task(id=f"{side}{n}", dependencies=above)(put(x=1))
            above = [f"left{n}", f"right{n}"]
        wf.task(id="end", dependencies=above, trigger=wf.always)(put(end=1))

    run = go(given=1)
    assert {"given": 1, "end": 1} == final(run)
    assert "1 task(s) failed, 1 completed, 120 skipped" == run.wait(0).error_message


def test_a_long_row_of_skipped_steps(registry):
    """Is walked through, however long."""
    app = App("sqlite://", registry=registry)
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="s0")(fail)
        for n in range(1, 400):
            wf.task(id=f"s{n}", dependencies=[f"s{n - 1}"])(put(x=1))
        wf.task(id="end", dependencies=["s399"], trigger=wf.always)(put(end=1))

    job = app.enqueue("flow", given=1)
    drain(app)
    assert {"given": 1, "end": 1} == final(Run(app, job.id))
    app.close()


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


def test_a_run_is_pruned_whole(registry, tmp_path):
    """With its steps and branches; one that has not ended stays."""
    from datetime import timedelta

    app = App("sqlite://", registry=registry)
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="each", for_each="items")(lambda context: 1)
    app.enqueue("flow", items=[1, 2])
    drain(app)
    waiting = app.enqueue("flow", items=[1])
    app.store.prune(datetime.now(UTC) + timedelta(days=1), {State.SUCCEEDED}, 100)

    assert {waiting.id} == {job.run for job in app.jobs()}
    app.close()
