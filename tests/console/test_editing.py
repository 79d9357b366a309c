"""A job that waits is edited, one that has ended is sent again, and two are compared."""

import re

import pytest
from playwright.sync_api import expect

from console.shop import Shop

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.gate.set()
    made.app.close()


def field(page, name):
    """The field of an argument or an option."""
    return page.get_by_role("textbox", name=re.compile(f"^{name} "))


def test_a_job_that_waits_is_edited(shop, serve, open_page):
    """The server says what is wrong; numbers that nobody has touched stay as they are."""
    job = shop.send.enqueue("ada", 12345678901234567890)
    page = open_page()
    page.expected = "422"
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs/{job.id}")
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    expect(field(dialog, "size")).to_have_value("12345678901234567890")
    field(dialog, "size").fill("large")
    dialog.get_by_role("button", name="Change the job").click()
    expect(field(dialog, "size")).to_have_attribute("aria-invalid", "true")
    field(dialog, "size").fill("12345678901234567891")
    field(dialog, "to").fill("bob")
    field(dialog, "priority").fill("5")
    dialog.get_by_role("button", name="Change the job").click()

    expect(page.get_by_text("12345678901234567891")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    job = job.refresh()
    assert ({"to": "bob", "size": 12345678901234567891}, 5) == (job.arguments, job.priority)


def test_an_edit_of_what_somebody_else_has_edited_is_refused(shop, serve, open_page):
    """And the job stays as that other one has left it."""
    job = shop.send.enqueue("ada")
    page = open_page()
    page.expected = "412"
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs/{job.id}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.keyboard.press("p")  # so that the page does not follow
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    field(dialog, "to").fill("bob")
    shop.app.jobs.edit(job.id, arguments={"to": "eve"})
    dialog.get_by_role("button", name="Change the job").click()
    expect(page.get_by_text("Somebody has changed it meanwhile")).to_be_visible()

    assert {"to": "eve"} == job.refresh().arguments


def test_the_call_of_a_job_is_sent_again_and_the_two_are_compared(shop, serve, open_page):
    """What differs is told place by place."""
    job = shop.send.enqueue("ada", 9007199254740993)
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/jobs/{job.id}")
    page.get_by_role("link", name="Send again").click()
    text = page.get_by_label("Arguments, as one JSON object")
    expect(text).to_have_value(re.compile("9007199254740993"))
    text.fill('{"to": "bob", "size": 9007199254740993}')
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_role("status").get_by_text("succeeded")).to_be_visible()

    page.go_back()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("link", name="succeeded").click()
    row = page.get_by_role("row", name="to").first
    expect(page.get_by_role("heading", name="Arguments")).to_be_visible()
    expect(page.get_by_text('"bob"').first).to_be_visible()
    expect(page.get_by_text("9007199254740993")).to_have_count(0)
    expect(row).to_be_visible()
