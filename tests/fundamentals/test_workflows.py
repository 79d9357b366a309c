"""Workflows are jobs: which steps run, and what they are given."""

import rotulus.workflow as wf
from fundamentals.flows import fail, final, put, states
from rotulus import App, task
from rotulus.testing import drain
from rotulus.workflow import Run


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
    assert {"a": 1, "b": 1, "c": 1} == final(run), "what b left out is removed: that is a change"


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


def test_a_check_finds_nothing_wrong_with_a_run_that_is_live(app, build):
    """Steps have no arguments of a call; but a step whose task is gone is told."""
    with build():
        wf.task(id="load")(put(a=1))
        wf.task(id="report", dependencies=["load"])(put(b=1))
    app.enqueue("flow", given=1)
    assert {"load", "report"} <= {job.step for job in app.jobs() if job.step}
    assert [] == app.check()

    app.registry.clear()
    told = app.check()
    assert ["flow", "flow.load", "flow.report"] == sorted(line.split("'")[1] for line in told)
    assert all("the task is not registered" in line for line in told)
