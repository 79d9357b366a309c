"""The list of groups stays still under the pointer, and nothing is done by a query that is wrong."""

from threading import Thread

import pytest
from playwright.sync_api import expect

from console.shop import Shop

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop in which two jobs of a task wait, and one of another."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    for number in range(2):
        made.send.enqueue(f"ada{number}")
    made.report.enqueue()
    yield made
    made.gate.set()
    made.app.close()


def test_a_group_keeps_its_place_under_the_pointer(shop, address, open_page):
    """The verb under a pointer that stays means the group that it meant before."""
    page = open_page()
    page.goto(f"{address}/jobs?q=state:queued&by=task")
    groups = page.locator(".group")
    expect(groups.first).to_contain_text("mail.send")
    delete = groups.first.get_by_role("button", name="Delete mail.send")
    delete.hover()
    for _ in range(4):
        shop.report.enqueue()

    expect(groups.nth(1).locator(".group-count")).to_have_text("5")
    expect(groups.first).to_contain_text("mail.send")
    page.mouse.move(5, 5)
    expect(groups.first).to_contain_text("report")


def test_the_question_names_the_group(address, open_page):
    """Its name and how many jobs it has, besides the query."""
    page = open_page()
    page.goto(f"{address}/jobs?q=state:queued&by=task")
    page.get_by_role("button", name="Cancel mail.send").click()
    asked = page.get_by_role("dialog")

    expect(asked).to_contain_text("Cancel 2 jobs of mail.send?")
    expect(asked).to_contain_text("of the group mail.send (2) that match")
    expect(page.locator(".group .state").first).to_have_text("queued")


def test_a_wrong_word_in_the_query_leaves_no_verb(address, open_page):
    """The API is not told of it: the verbs would mean other jobs than the bar says."""
    page = open_page()
    page.goto(f"{address}/jobs?q=state:bogus&by=task")
    expect(page.locator(".group")).to_have_count(2)
    expect(page.get_by_text("There is no state bogus. Nothing can be done")).to_be_visible()
    expect(page.locator(".group").get_by_role("button")).to_have_count(0)
    page.goto(f"{address}/jobs?q=state:bogus")
    page.get_by_role("row").nth(1).get_by_role("checkbox").click()
    chosen = page.get_by_role("toolbar", name="Chosen jobs")

    expect(chosen).to_contain_text("There is no state bogus.")
    expect(chosen.get_by_role("button", name="Delete")).to_have_count(0)


def test_no_key_acts_on_rows_behind_an_open_menu(address, open_page):
    """Neither while its button has the focus, nor a box of it."""
    page = open_page()
    page.goto(f"{address}/jobs")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("row").nth(1).get_by_role("checkbox").click()
    page.get_by_title("Columns of the table").click()
    page.get_by_label("Worker").focus()
    for key in ("j", "x", "r", "Enter"):
        page.keyboard.press(key)

    expect(page.get_by_role("columnheader", name="State")).to_be_visible()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.partition("?")[0].endswith("/jobs")


def test_the_hundred_largest_groups_are_told_to_be_so(tmp_path, serve, open_page):
    """Of more groups the list says that there are more."""
    shop = Shop(f"sqlite:///{tmp_path}/many.db")
    for number in range(101):
        shop.send.using(queue=f"queue{number}").enqueue("ada")
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs?by=queue")
    expect(page.locator(".group")).to_have_count(100)
    expect(page.get_by_text("The 100 largest are shown.")).to_be_visible()
    page.close()
    shop.app.close()


def test_a_job_that_has_not_begun_has_no_link_to_its_attempts(shop, address, open_page):
    """A link without a word leads nowhere that a reader of screens could tell."""
    working = Thread(target=shop.app.run_worker, kwargs={"burst": True, "queues": ["mail"]})
    working.start()
    working.join()
    page = open_page()
    page.goto(f"{address}/jobs?columns=state,task,attempt")
    expect(page.get_by_role("row")).to_have_count(4)
    links = page.locator("[role=gridcell] a.number")

    expect(links).to_have_text(["1", "1"])
