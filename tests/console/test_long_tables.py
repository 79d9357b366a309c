"""Tables of very many rows: what is in sight is drawn, and what is far away is let go."""

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
def page(tmp_path, serve, open_page):
    """The list of very many jobs."""
    shop = Shop(f"sqlite:///{tmp_path}/shop.db")
    shop.send.enqueue_many([f"first{number}@shop.example" for number in range(JOBS - 1)])
    shop.send.enqueue("last@shop.example")
    made = open_page()
    made.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs")
    expect(made.get_by_role("row").nth(5)).to_be_visible()
    yield made
    shop.app.close()


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
