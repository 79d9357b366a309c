"""The screens of runs: a workflow is started, watched, broken, replayed; a step is skipped."""

import re
from threading import Thread

import pytest
from playwright.sync_api import expect

import rotulus.workflow as wf
from console.mill import Mill
from rotulus import task
from rotulus._app.roles import Role
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere


@pytest.fixture
def mill(tmp_path):
    """A mill on a file."""
    made = Mill(f"sqlite:///{tmp_path}/mill.db")
    yield made
    made.gate.set()
    made.app.close()


def box(page, name):
    """The box of a step in the drawing."""
    return page.locator("g.box", has_text=name)


def test_a_workflow_is_started_watched_broken_and_replayed(mill, serve, open_page):
    """Its graph and its steps over time follow by themselves."""
    page = open_page()
    page.goto(f"{serve(mill.service).address}/console/tasks/etl")
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_role("status").locator(".state")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.get_by_role("link", name="etl").last.click()

    expect(box(page, "parse")).to_contain_text("0 of 3 ended")
    mill.gate.set()
    expect(box(page, "parse")).to_contain_text("3 of 3 ended")
    expect(page.locator(".state-head").get_by_text("failed")).to_be_visible()
    box(page, "load").click()
    expect(page.get_by_text("the table is locked").first).to_be_visible()
    assert "step=load" in page.url
    expect(page.get_by_role("button", name="load", pressed=True)).to_have_count(2)

    mill.broken = False
    page.get_by_role("button", name="Replay from here").click()
    page.get_by_role("dialog").get_by_role("button", name="Replay from here").click()
    expect(page.locator(".state-head").get_by_text("succeeded")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="load", pressed=True)).to_have_count(2)
    expect(page.get_by_role("button", name="load failed, then succeeded")).to_be_visible()
    bars = page.locator(".gantt-bars")
    expect(bars.locator(".ran.s-failed")).to_have_count(1)
    expect(bars.locator("rect[fill='url(#bar-failed)']")).to_have_count(1)
    expect(bars.locator(".ran.s-succeeded")).to_have_count(3)
    page.goto(f"{page.url.partition('/runs/')[0]}/jobs/{mill.app.jobs(step='load')[0].id}")
    expect(page.locator(".attempts .mark.s-failed")).to_have_count(1)


def test_a_step_that_has_failed_is_skipped(mill, serve, open_page):
    """A question says what follows; the run goes on without the step."""
    mill.gate.set()
    run = mill.app.enqueue("etl")
    page = open_page()
    page.goto(f"{serve(mill.service).address}/console/runs/{run.id}?step=load")
    expect(page.locator(".state-head").get_by_text("failed")).to_be_visible()
    expect(box(page, "load")).to_contain_text("failed")  # the drawing is read by itself
    page.get_by_role("button", name="Skip", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("The run goes on without the step.")).to_be_visible()
    dialog.get_by_role("button", name="Skip the step").click()
    expect(page.locator(".state-head").get_by_text("succeeded")).to_be_visible()
    expect(page.get_by_role("button", name="Skip", exact=True)).to_have_count(0)

    assert ("skipped", "operator") == (
        (step := mill.app.runs.step(run.id, "load").job).state,
        step.reason,
    )


def test_a_step_that_waits_is_skipped_by_keys_alone(mill, serve, open_page):
    """In its turn: why says so until then."""
    run = mill.app.enqueue("etl")
    page = open_page()
    page.goto(
        f"{serve(lambda: mill.service(worker=False)).address}/console/runs/{run.id}?step=load"
    )
    page.get_by_role("button", name="Skip", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text("when its turn comes")).to_be_visible()
    page.get_by_role("button", name="Skip the step").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The step is skipped in its turn.")).to_be_visible()

    assert "has skipped it" in mill.app.runs.step(run.id, "load").job.why()[-1]
    mill.gate.set()
    working = Thread(target=drain, args=[mill.app])  # an event loop runs in this one
    working.start()
    working.join()
    expect(page.get_by_role("button", name="skipped load nothing ran")).to_be_visible()
    expect(page.locator(".gantt-bars .mark.s-skipped")).to_have_count(1)
    expect(page.locator(".gantt-bars .ran")).to_have_count(2)
    expect(page.get_by_role("list", name="Outcomes of attempts")).to_have_text("succeeded")


def test_a_workflow_shows_its_steps_and_its_version(mill, serve, open_page):
    """In the list of workflows, and on the page of its task; a task that is none has no steps."""
    mill.app.enqueue("etl")
    task("grind", registry=mill.app.registry)(lambda: None)
    version = mill.app.registry.get("etl").workflow.version[:6]
    address = f"{serve(lambda: mill.service(worker=False)).address}/console"
    page = open_page()
    page.goto(f"{address}/runs")
    row = page.get_by_role("row", name="etl")
    expect(row).to_contain_text("3 steps, 3 levels")
    expect(row).to_contain_text(version)
    expect(row.locator(".shape rect")).to_have_count(3)
    page.goto(f"{address}/tasks/etl")
    facts = page.locator(".facts")
    expect(facts).to_contain_text("3 steps, 3 levels")
    expect(facts).to_contain_text(version)
    page.goto(f"{address}/tasks/grind")
    expect(facts).to_contain_text("Queue")
    expect(facts.locator(".shape")).to_have_count(0)


def test_a_workflow_that_is_not_declared_any_more_is_asked_for_once(mill, serve, open_page):
    """Its row says so; nothing asks again for what is not there until the tasks change."""
    mill.app.enqueue("etl")
    page = open_page()
    page.expected = "404"
    page.clock.install()
    page.route(
        lambda url: "details" in url,
        lambda route: route.fulfill(status=404, json={"title": "There is no task."}),
    )
    page.goto(f"{serve(lambda: mill.service(worker=False)).address}/console/runs")
    expect(page.get_by_role("row", name="etl")).to_contain_text("not declared")
    with page.expect_request(lambda request: request.url.endswith("/schedules")):
        page.clock.fast_forward(31_000)  # each 30 s, far longer than after another problem

    assert 1 == len([one for one in page.asked if "details" in one])


def test_the_table_of_workflows_is_whole_on_a_small_laptop(mill, serve, open_page):
    """With as many bars as there can be."""
    for _ in range(20):
        mill.app.enqueue("etl")
    page = open_page(width=1024)
    page.goto(f"{serve(lambda: mill.service(worker=False)).address}/console/runs")
    expect(page.get_by_role("row", name="etl")).to_contain_text("3 steps, 3 levels")
    box = page.locator(".table-box").first

    assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_a_run_is_paused_and_cancelled(mill, serve, open_page):
    """The toast takes a pause back; a cancel is asked for."""
    run = mill.app.enqueue("etl")
    page = open_page()
    page.goto(f"{serve(lambda: mill.service(worker=False)).address}/console/runs/{run.id}")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The run goes on.")).to_be_visible()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the run").click()

    expect(page.locator(".state-head").get_by_text("cancelled")).to_be_visible()


def test_the_drawing_is_moved_and_zoomed_by_keys_alone_by_a_viewer(mill, serve, open_page, sent_by):
    """Who has no button to press."""
    sent_by(Role.VIEWER)
    run = mill.app.enqueue("etl")
    page = open_page()
    page.goto(f"{serve(lambda: mill.service(worker=False)).address}/console/runs/{run.id}")
    drawing = page.get_by_role("group", name=re.compile("Steps of etl"))
    shown = drawing.locator("svg").first
    fitting = shown.get_attribute("viewBox")
    drawing.focus()
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".small-map")).to_be_visible()
    assert shown.get_attribute("viewBox") != fitting
    page.keyboard.press("0")
    expect(page.locator(".small-map")).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="fetch")).to_be_visible()
    for name in ("Pause", "Cancel", "Replay from here", "Skip"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_a_large_run_is_few_shapes_until_its_text_can_be_read(mill, serve, open_page):
    """From far a box is an outline with its tone; what it says is there for hover and readers."""
    with wf.WorkflowBuilder("wide", registry=mill.app.registry):
        for number in range(300):
            needs = [f"step{number - 20}"] if number >= 20 else []
            wf.task(id=f"step{number}", dependencies=needs)(lambda context: None)
    run = mill.app.enqueue("wide")
    page = open_page()
    page.goto(f"{serve(lambda: mill.service(worker=False)).address}/console/runs/{run.id}")
    expect(page.locator(".box")).to_have_count(300)
    shapes = page.locator(".canvas-box svg *")
    expect(page.get_by_role("button", name="step7, queued")).to_have_count(1)
    far = shapes.count()
    expect(page.locator(".canvas-box text")).to_have_count(0)
    page.get_by_role("group", name=re.compile("Steps of wide")).focus()
    for _ in range(6):
        page.keyboard.press("+")

    assert far < 3 * 300 + 20
    expect(page.locator(".canvas-box text", has_text="step299")).to_have_count(1)
    expect(page.locator(".small-map path")).to_have_count(2)  # of those that wait, and others
    small, shown = page.locator(".small-map").bounding_box(), page.locator(".in-sight")
    page.mouse.move(small["x"] + 8, small["y"] + 8)
    page.mouse.down()
    left = float(shown.get_attribute("x"))
    page.mouse.move(small["x"] + small["width"] - 8, small["y"] + 8, steps=4)
    right = float(shown.get_attribute("x"))
    page.mouse.up()
    page.mouse.move(small["x"] + 8, small["y"] + 8)
    assert left < right == float(shown.get_attribute("x"))
    page.mouse.click(small["x"] + 8, small["y"] + 8, button="right")
    assert right == float(shown.get_attribute("x"))
