"""The skip of a step that waits for others: a word that holds until its turn comes."""

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, final, put, states
from rotulus.testing import drain
from rotulus.workflow import Run


@pytest.fixture
def failing():
    """Whether the first step of `line` fails: while this is not empty."""
    return [True]


@pytest.fixture
def line(app, build, failing):
    """A workflow of three steps, and a run of it."""
    with build():

        @wf.task(id="load")
        def load(context):
            if failing:
                raise ValueError

        wf.task(id="check", dependencies=["load"])(put(checked=1))
        wf.task(id="publish", dependencies=["check"])(put(published=1))
    return Run(app, app.enqueue("flow").id)


@pytest.mark.parametrize(
    ("trigger", "state", "after"),
    [
        (None, "skipped(need_failed)", "skipped(need_failed)"),
        (wf.all_succeeded, "skipped(need_failed)", "skipped(need_failed)"),
        (wf.all_done, "skipped(operator)", "succeeded"),
    ],
)
def test_it_does_not_hide_a_failure_before_the_step(app, build, trigger, state, after):
    """What comes after it runs where the step itself could have run."""
    with build():
        wf.task(id="load")(fail)
        wf.task(id="check", dependencies=["load"], trigger=trigger)(fail)
        wf.task(id="publish", dependencies=["check"])(put(published=1))
    run = Run(app, app.enqueue("flow").id)
    run.skip("check")
    drain(app)

    assert ("Failed", state) == (run.status, states(run)["check"])
    assert after == states(run)["publish"]


@pytest.mark.parametrize("how", ["retried", "skipped"])
def test_it_holds_when_a_failure_before_the_step_is_mended(app, line, failing, how):
    """The step has not been skipped for it yet."""
    line.skip("check")
    drain(app)
    failing.clear()
    if how == "retried":
        line.retry()
    else:
        line.skip("load")
    drain(app)

    assert ("Completed", "skipped(operator)") == (line.status, states(line)["check"])
    assert {"published": 1} == final(line)


@pytest.mark.parametrize("how", ["retried", "skipped"])
def test_it_holds_for_a_step_that_was_replayed_before(app, line, failing, how):
    """Such a step has no arguments of its own when it waits again."""
    failing.clear()
    drain(app)
    line.replay("check", {"own": 1})
    drain(app)
    failing.append(True)
    line.replay("load")
    line.skip("check")
    drain(app)
    assert "skipped(need_failed)" == states(line)["check"]
    failing.clear()
    if how == "retried":
        line.retry()
    else:
        line.skip("load")
    drain(app)
    assert "skipped(operator)" == states(line)["check"]
    line.replay("load")
    drain(app)

    assert ("succeeded", 1) == (states(line)["check"], final(line)["checked"])


def test_a_step_that_was_skipped_stays_so_when_one_before_it_is_skipped(app, build):
    """Else the second skip would undo the first."""
    with build():
        wf.task(id="load")(fail)
        wf.task(id="check", dependencies=["load"], trigger=wf.all_done)(fail)
        wf.task(id="publish", dependencies=["check"])(put(published=1))
    run = Run(app, app.enqueue("flow").id)
    drain(app)
    run.skip("check")
    drain(app)
    run.skip("load")
    drain(app)

    assert ("Completed", {"published": 1}) == (run.status, final(run))
    assert ("skipped(operator)", 1) == (states(run)["check"], run.step("check").attempt)
