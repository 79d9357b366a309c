"""Tables of very many rows: what is in sight is drawn, and what is far away is let go."""

import re

import pytest
from playwright.sync_api import expect

from console.shop import Shop

pytestmark = pytest.mark.anywhere

JOBS, DRAWN = 2_500, 60

TO_THE_END = """async (rows) => {
  const grid = document.querySelector("[role=grid]"), end = performance.now() + 60000;
  const known = () => Math.round(grid.querySelector(".grid-body").clientHeight / 36);
  let drawn = 0;
  while (known() < rows && performance.now() < end) {
    grid.scrollTop = grid.scrollHeight;
    await new Promise(requestAnimationFrame);
    drawn = Math.max(drawn, grid.querySelectorAll("[role=row]").length);
  }
  return [known(), drawn];
}"""
"""Scrolls until so many rows are known; how many they are, and how many were drawn at most."""


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.app.close()


@pytest.fixture
def page(shop, serve, open_page):
    """The list of very many jobs."""
    shop.send.enqueue_many([f"first{number}@shop.example" for number in range(JOBS - 1)])
    shop.send.enqueue("last@shop.example")
    made = open_page()
    made.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs")
    expect(made.get_by_role("row").nth(5)).to_be_visible()
    return made


def test_only_the_rows_in_sight_are_drawn(page):
    """However many are known."""
    known, drawn = page.evaluate(TO_THE_END, JOBS)

    assert JOBS == known
    assert drawn <= DRAWN


def test_rows_that_were_let_go_are_read_again_when_they_are_scrolled_to(page):
    """The table is as long as before, and the same rows stand where they stood."""
    grid = page.get_by_role("grid")
    page.evaluate(TO_THE_END, 400)
    grid.evaluate("(grid) => { grid.scrollTop = 36 * 150 }")
    row = page.locator("[role=row][aria-rowindex='152']")
    expect(row).to_contain_text("mail.send")
    found = row.get_attribute("id")
    page.evaluate(TO_THE_END, JOBS)
    page.wait_for_timeout(500)
    asked = len(page.asked)
    grid.evaluate("(grid) => { grid.scrollTop = 36 * 150 }")

    expect(page.locator(f"#{found}")).to_have_attribute("aria-rowindex", "152")
    assert JOBS == page.evaluate(TO_THE_END, JOBS)[0]
    assert any("after=" in url for url in page.asked[asked:])


def scroll_to(page, row):
    """Bring a row to the top of what is in sight."""
    page.get_by_role("grid").evaluate("(grid, row) => { grid.scrollTop = 36 * row }", row)


def test_no_row_is_missing_after_jobs_have_come_while_the_list_stood_at_its_top(shop, page):
    """The pages after the first one begin where the first one ends now."""
    page.evaluate(TO_THE_END, 300)
    scroll_to(page, 0)
    for name in range(30):
        shop.send.enqueue(f"new{name}@shop.example")
    newest = shop.send.enqueue("newest@shop.example")
    expect(page.locator("[role=row][aria-rowindex='2']")).to_have_id(f"row-{newest.id}")
    page.evaluate(TO_THE_END, 300)
    listed = [*shop.app.jobs.find(limit=120)]

    for row in (99, 100, 115):
        scroll_to(page, row)
        place = page.locator(f"[role=row][aria-rowindex='{row + 2}']")
        expect(place).to_have_id(f"row-{listed[row].id}", timeout=5000)


def test_rows_that_were_let_go_stay_chosen(page):
    """Who chooses all adds to them, and is told how many rows of how many are chosen."""
    page.evaluate(TO_THE_END, 300)
    scroll_to(page, 150)
    row = page.locator("[role=row][aria-rowindex='152']")
    row.get_by_role("checkbox").check()
    page.evaluate(TO_THE_END, JOBS)
    page.wait_for_timeout(500)
    page.get_by_role("checkbox", name="Choose all that are shown").check()
    chosen = page.get_by_role("toolbar", name="Chosen jobs").get_by_role("status")
    expect(chosen).to_have_text(re.compile(r"of 2,500 chosen"))
    scroll_to(page, 150)

    expect(row.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Choose all that match").click()
    expect(chosen).to_have_text("All that match")


def test_the_next_row_is_one_in_sight_after_the_active_one_was_let_go(page):
    """The list does not jump to its top."""
    page.evaluate(TO_THE_END, 300)
    scroll_to(page, 150)
    expect(page.locator("[role=row][aria-rowindex='152']")).to_contain_text("mail.send")
    page.keyboard.press("j")
    expect(page.locator(".grid-row.active")).to_have_attribute("aria-rowindex", "152")
    page.evaluate(TO_THE_END, JOBS)
    scroll_to(page, 2000)
    expect(page.locator("[role=row][aria-rowindex='2002']")).to_contain_text("mail.send")
    page.wait_for_timeout(500)
    page.keyboard.press("j")

    expect(page.locator(".grid-row.active")).to_have_attribute("aria-rowindex", "2002")
