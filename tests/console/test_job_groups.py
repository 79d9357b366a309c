"""The list of jobs grouped by error, its views, and what its query bar knows."""

import re
from enum import Enum
from threading import Thread

import pytest
from playwright.sync_api import expect
from pydantic import BaseModel

from console.shop import Shop
from rotulus import task
from rotulus._app.roles import Role

pytestmark = pytest.mark.anywhere


class Kind(Enum):
    """How an order is sent."""

    FAST = "fast"
    SLOW = "slow"


class Order(BaseModel):
    """An order."""

    id: int
    gift: bool = False


@pytest.fixture
def shop(tmp_path):
    """A shop on a file, in which three jobs have failed in two ways."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")

    @task(name="order.ship", registry=made.app.registry)
    def ship(order: Order, kind: Kind = Kind.FAST) -> None:
        if not made.gate.is_set():
            raise ConnectionError(f"no carrier for {order.id}")

    made.ship = ship
    for number in range(2):
        ship.enqueue(Order(id=number))
    made.fail.enqueue("no such mailbox")
    working = Thread(target=made.app.run_worker, kwargs={"burst": True})
    working.start()
    working.join()
    yield made
    made.gate.set()
    made.app.close()


def group(page, text):
    """The group with a text."""
    return page.locator(".group").filter(has_text=text)


def test_failed_jobs_are_grouped_by_error_narrowed_and_sent_back(shop, serve, open_page):
    """The state of the screen is in its address: it survives a reload, and can be sent."""
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/jobs?q=state:failed")
    expect(page.get_by_role("row", name="order.ship")).to_have_count(2)
    page.get_by_role("combobox", name="Group by").select_option("error")
    expect(page.locator(".group")).to_have_count(2)
    expect(page.locator(".group").first).to_contain_text("ConnectionError")
    assert "by=error" in page.url
    page.reload()
    expect(
        group(page, "no carrier for 1").get_by_role("link", name="2", exact=True)
    ).to_be_visible()

    group(page, "ConnectionError").get_by_role("link", name="ConnectionError").click()
    expect(page.get_by_role("row", name="order.ship")).to_have_count(2)
    expect(page.get_by_role("row", name="mail.fail")).to_have_count(0)
    assert "fingerprint" in page.url
    assert "by=" not in page.url
    page.go_back()
    shop.gate.set()
    group(page, "ConnectionError").get_by_role("button", name="Retry").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Retry 2 jobs of ConnectionError?")
    asked.get_by_role("button", name="Retry 2 jobs").click()

    expect(page.locator(".group")).to_have_count(1)
    expect(group(page, "RuntimeError")).to_be_visible()


@pytest.mark.parametrize(("by", "names"), [("task", 2), ("queue", 2), ("worker", 1)])
def test_jobs_are_grouped_by_what_they_share(address, open_page, by, names):
    """A click narrows the query to the group, and what was asked for stays."""
    page = open_page()
    page.goto(f"{address}/jobs?q=state:failed&by={by}")
    expect(page.locator(".group")).to_have_count(names)
    page.locator(".group .strong").first.click()
    expect(page.get_by_role("row", name="failed").first).to_be_visible()

    assert re.search(rf"q=state%3Afailed\+{by}%3A", page.url)


def test_a_viewer_sees_groups_without_a_button(address, open_page, sent_by):
    """Nor is one there for what no query finds: jobs without an error."""
    sent_by(Role.VIEWER)
    page = open_page()
    page.goto(f"{address}/jobs?by=error")
    expect(group(page, "ConnectionError")).to_be_visible()

    expect(page.locator(".group").get_by_role("button")).to_have_count(0)


def test_a_view_is_saved_chosen_renamed_and_deleted(address, open_page):
    """With its query, its grouping and its columns; in the menu and in the palette."""
    page = open_page()
    page.goto(f"{address}/jobs?q=state:failed&by=error")
    views = page.get_by_title("Views of the list")
    views.click()
    expect(page.get_by_text("Give this one a name")).to_be_visible()
    page.get_by_label("Name of the view").fill("What broke")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="What broke")).to_be_visible()
    page.get_by_role("link", name="Running now").click()
    expect(page.get_by_text("No job matches.")).to_be_visible()
    expect(page.get_by_role("link", name="What broke")).to_have_count(0)

    page.reload()
    expect(page.get_by_text("No job matches.")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("what bro")
    page.keyboard.press("Enter")
    expect(page.locator(".group")).to_have_count(2)
    expect(page.get_by_role("combobox", name="Find jobs")).to_have_value("state:failed")
    views.click()
    page.get_by_role("button", name="Rename What broke").click()
    page.get_by_label("Name of the view").fill("Broken")
    page.get_by_label("Name of the view").press("Enter")
    expect(page.get_by_role("link", name="Broken")).to_be_visible()
    expect(page.get_by_role("link", name="What broke")).to_have_count(0)
    page.get_by_role("button", name="Delete Broken").click()
    expect(page.get_by_text("Give this one a name")).to_be_visible()


def test_columns_are_in_the_address(address, open_page):
    """So that somebody else sees the same table, whatever columns they chose last."""
    page = open_page()
    page.goto(f"{address}/jobs")
    expect(page.get_by_role("columnheader", name="Worker")).to_have_count(0)
    page.get_by_title("Columns of the table").click()
    page.get_by_label("Worker").check()
    expect(page.get_by_role("columnheader", name="Worker")).to_be_visible()
    there = open_page()
    there.goto(page.url)

    expect(there.get_by_role("columnheader", name="Worker")).to_be_visible()


def test_a_browser_that_keeps_nothing_is_told_so(address, open_page):
    """A view lives as long as the page there."""
    page = open_page()
    refuse = "() => { throw new Error('refused') }"
    page.add_init_script(
        f"Storage.prototype.setItem = {refuse}; Storage.prototype.getItem = {refuse}"
    )
    page.goto(f"{address}/jobs?q=state:failed")
    page.get_by_title("Views of the list").click()
    expect(page.get_by_text("This browser keeps nothing")).to_be_visible()
    page.get_by_label("Name of the view").fill("Mine")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("link", name="Mine")).to_be_visible()


def test_paths_and_values_of_arguments_are_suggested(address, open_page):
    """Of all tasks; and of the one that is asked for, one level deep, with its values."""
    page = open_page()
    page.goto(f"{address}/jobs")
    bar = page.get_by_role("combobox", name="Find jobs")
    bar.fill("args.")
    for name in ("args.message", "args.order", "args.kind"):
        expect(page.get_by_role("option", name=name, exact=True)).to_be_visible()
    bar.fill("task:order.ship")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="order.ship")).to_have_count(2)
    bar.fill("task:order.ship args.order.")
    expect(page.get_by_role("option", name="args.order.gift")).to_be_visible()
    expect(page.get_by_role("option", name="args.message")).to_have_count(0)
    bar.fill("task:order.ship args.kind:")
    expect(page.get_by_role("option", name="slow")).to_be_visible()
    page.get_by_role("option", name="fast").click()
    expect(page.get_by_role("row", name="order.ship")).to_have_count(0)
    bar.fill("task:order.ship args.order.gift:")
    page.get_by_role("option", name="false").click()

    expect(page.get_by_role("row", name="order.ship")).to_have_count(2)


def test_keys_work_while_the_box_of_a_row_has_the_focus(address, open_page):
    """A box is no text: `j` and `k` go on from its row, and `x` chooses."""
    page = open_page()
    page.goto(f"{address}/jobs")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("row").nth(1).get_by_role("checkbox").click()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_role("row").nth(3).get_by_role("checkbox").click()
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.keyboard.press("r")

    expect(page.get_by_role("dialog")).to_contain_text("Retry 2 jobs?")


def test_a_number_is_a_link_only_where_a_list_has_what_it_counts(address, open_page):
    """On the page of a task: its failures have a list, its attempts have none."""
    page = open_page()
    page.goto(f"{address}/tasks/order.ship")
    figures = page.locator(".small-figures")
    expect(figures.locator("div", has_text="attempts")).to_contain_text("2")
    expect(figures.get_by_role("link", name="2", exact=True)).to_have_count(0)
    figures.get_by_role("link", name="100 %").click()

    expect(page.get_by_text("no carrier for 1")).to_be_visible()
