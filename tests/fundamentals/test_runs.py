"""What can be done to a run: cancel, pause, retry, replay, prune."""

import threading
from datetime import UTC, datetime

import pytest

import rotulus.workflow as wf
from fundamentals.flows import final, put, states
from rotulus import App, Job, State
from rotulus.testing import drain
from rotulus.workflow import Run
from rotulus.workflow import run as run_module


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


def test_steps_of_a_large_run_are_read_page_by_page(app, build, monkeypatch):
    """All of them, each once, in their order."""
    monkeypatch.setattr(run_module, "_PAGE", 2)
    with build():
        for number in range(5):
            wf.task(id=f"s{number}", dependencies=[f"s{number - 1}"] * (number > 0))(put(one=1))
    run = Run(app, app.enqueue("flow").id)

    assert [f"s{number}" for number in range(5)] == [job.step for job in run.steps()]


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


def test_a_context_for_a_replay_that_is_too_large_is_refused_in_words(app, build, go):
    """And nothing has happened: the app says how large one may be."""
    with build():

        @wf.task(id="one")
        def one(context):
            return context

    run = go()
    with pytest.raises(wf.ContextError, match=r"step 'one' takes .* App\(max_bytes"):
        run.replay("one", {"text": "x" * 1_100_000})
    assert "succeeded" == run.step("one").state


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
