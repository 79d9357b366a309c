"""The console can be used by everybody: no finding of axe on any screen, theme and width."""

from threading import Thread

import pytest
from playwright.sync_api import expect

from console.conftest import ROOT, settle
from console.mill import Mill
from console.shop import Shop

pytestmark = pytest.mark.anywhere

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
  return found.violations.map(one =>
    [one.id, one.help, ...one.nodes.slice(0, 3).map(node => node.html.slice(0, 300))].join("\\n  "))
}"""


@pytest.fixture
def shop(tmp_path):
    """A shop with a job in each of some states."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    made.send.using(labels={"customer": "7"}).enqueue("ada")
    made.fail.enqueue("a message")
    # Beside the event loop of the browser.
    working = Thread(target=made.app.run_worker, kwargs={"burst": True})
    working.start()
    working.join()
    made.send.using(delay=3600).enqueue("bob")
    made.report.enqueue()
    made.send.using(limit=2, rate=9, limit_key="customer:7").enqueue("eve")
    yield made
    made.gate.set()
    made.app.close()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_screens_of_runs(tmp_path, serve, open_page, theme, width):
    """Nor in the drawing of one, with a step that is chosen."""
    mill = Mill(f"sqlite:///{tmp_path}/mill.db")
    mill.gate.set()
    run = mill.app.enqueue("etl")
    working = Thread(target=mill.app.run_worker, kwargs={"burst": True})
    working.start()
    working.join()
    page = open_page(theme=theme, width=width, bypass_csp=True, reduced_motion="reduce")
    address = serve(lambda: mill.service(worker=False)).address
    found = {}
    for path in ("runs", f"runs/{run.id}", f"runs/{run.id}?step=load", "tasks/etl"):
        page.goto(f"{address}/console/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        settle(page)
        page.add_script_tag(path=AXE)
        found[path] = page.evaluate(RUN)
    page.close()  # it asks while it is open
    mill.app.close()

    assert {path: [] for path in found} == found


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(shop, serve, open_page, theme, width):
    """On no screen, nor on what lies over one."""
    failed = next(iter(shop.app.jobs(state="failed")))
    page = open_page(theme=theme, width=width, bypass_csp=True, reduced_motion="reduce")
    address = serve(lambda: shop.service(worker=False)).address
    found = {}
    jobs = ("jobs", "jobs?by=error", f"jobs/{failed.id}", "queues", "failures")
    made = shop.app.schedules.add("pulse", task="mail.send", every=3600, arguments={"to": "ada"})
    schedules = ("schedules", f"schedules/{made.name}", f"schedules/{made.name}/edit")
    others = (
        "tasks",
        "tasks/mail.send",
        "workers",
        "push",
        "audit",
        "webhooks",
        "webhooks/$new",
        "system",
        "nowhere",
    )
    for path in ("", *jobs, f"jobs/{failed.id}/compare", *schedules, *others):
        page.goto(f"{address}/console/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        settle(page)
        page.add_script_tag(path=AXE)
        found[path] = page.evaluate(RUN)
    page.goto(f"{address}/console/jobs?by=task")
    page.get_by_title("Views of the list").click()
    page.get_by_label("Name of the view").fill("What broke")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="What broke")).to_be_visible()
    page.add_script_tag(path=AXE)
    # The menu lies over a part of what is behind it.
    found["the views"] = page.evaluate(RUN.replace("document", "'.has-menu'"))
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    found["the palette"] = page.evaluate(RUN)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    found["the keys"] = page.evaluate(RUN)

    assert {path: [] for path in found} == found
