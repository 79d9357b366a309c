"""From a job, or a step of a run, to its trace in another system."""

from threading import Thread

import pytest
from playwright.sync_api import expect

from console.mill import Mill
from rotulus import task

pytestmark = pytest.mark.anywhere

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture
def make_mill(tmp_path):
    """Makes a mill on a file, with a task besides."""
    made = []

    def make():
        mill = Mill(f"sqlite:///{tmp_path}/mill.db")
        task("grind", registry=mill.app.registry)(lambda: None)
        made.append(mill)
        return mill

    yield make
    for mill in made:
        mill.gate.set()
        mill.app.close()


def test_a_job_and_a_step_lead_to_their_trace(make_mill, serve, open_page, monkeypatch):
    """In a page of its own, which does not learn where somebody came from."""
    monkeypatch.setenv("ROTULUS_TRACE_URL", "https://traces.example/trace/{trace_id}?from=1h")
    mill = make_mill()
    traced, plain = mill.app.using(headers=HEADERS).enqueue("grind"), mill.app.enqueue("grind")
    run = mill.app.using(headers=HEADERS).enqueue("etl")
    address = f"{serve(lambda: mill.service(worker=False)).address}/console"
    page = open_page()
    for place in (f"jobs/{traced.id}", f"runs/{run.id}?step=fetch"):
        page.goto(f"{address}/{place}")
        link = page.get_by_role("link", name=TRACE)
        expect(link).to_have_attribute("href", f"https://traces.example/trace/{TRACE}?from=1h")
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_have_attribute("rel", "noreferrer")
    page.goto(f"{address}/jobs/{run.id}")
    link = page.get_by_role("link", name=TRACE)
    expect(link).to_contain_text("↗")
    place, around = link.bounding_box(), page.locator(".facts dd", has=link).bounding_box()
    assert place["x"] + place["width"] <= around["x"] + around["width"]
    beginning = Thread(target=mill.app.jobs.run, args=[run.id])  # an event loop runs in this one
    beginning.start()
    beginning.join()
    expect(page.locator(".facts").get_by_role("link", name=run.id)).to_be_visible()
    page.goto(f"{address}/jobs/{plain.id}")

    expect(page.get_by_role("heading", name="Facts")).to_be_visible()
    expect(page.locator("a[href*='traces.example']")).to_have_count(0)
    assert not [asked for asked in page.asked if "traces.example" in asked]


def test_without_a_tracing_system_the_id_is_text(make_mill, serve, open_page):
    """To be copied; and a header that names no trace leads nowhere."""
    mill = make_mill()
    traced = mill.app.using(headers=HEADERS).enqueue("grind")
    hostile = {"traceparent": "00-javascript:alert(1)//-00f067aa0ba902b7-01"}
    wrong = mill.app.using(headers=hostile).enqueue("grind")
    address = f"{serve(lambda: mill.service(worker=False)).address}/console"
    page = open_page()
    page.goto(f"{address}/jobs/{traced.id}")
    expect(page.get_by_text(TRACE)).to_be_visible()
    expect(page.get_by_role("button", name="Copy the id of the trace")).to_be_visible()
    expect(page.get_by_role("link", name=TRACE)).to_have_count(0)
    page.goto(f"{address}/jobs/{wrong.id}")

    expect(page.get_by_role("heading", name="Facts")).to_be_visible()
    expect(page.get_by_text("Trace", exact=True)).to_have_count(0)
