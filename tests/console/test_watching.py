"""Many consoles look at one service: they share what the service has read, and all see the same."""

import pytest
from playwright.sync_api import expect

from console.shop import Shop

pytestmark = pytest.mark.anywhere

LIST = "jobs?limit=100"

READINGS = f"""() => performance.getEntriesByType("resource")
  .filter((one) => one.name.includes("{LIST}"))
  .map((one) => ({{by: one.initiatorType, at: one.startTime}}))"""
"""What has asked for the list, and when, in milliseconds."""


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.gate.set()
    made.app.close()


def watching(open_page, address):
    """A page with the list of jobs, and what its requests for them said of older answers."""
    page = open_page()
    said = []
    page.on("request", lambda asked: LIST in asked.url and said.append(tolerance(asked)))
    page.goto(f"{address}/console/jobs")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    return page, said


def tolerance(request):
    """What a request says of the age of its answer."""
    return request.headers.get("cache-control", "")


def test_what_somebody_asks_for_is_new_and_what_the_page_reads_by_itself_is_shared(
    shop, serve, open_page
):
    """The first reading, and the key for reading everything again, take no older answer."""
    page, said = watching(open_page, serve(lambda: shop.service(worker=False)).address)
    shop.send.enqueue("ada")
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    page.wait_for_timeout(1500)
    by_itself = [*said]
    page.keyboard.press("u")
    page.wait_for_timeout(500)

    assert "max-age" not in by_itself[0]
    assert "max-age=0, max-stale=19" in by_itself[1:]
    assert "max-age" not in said[len(by_itself)]


def test_each_console_sees_the_last_change(shop, serve, open_page):
    """However often answers are shared: an older one is asked for again."""
    address = serve(lambda: shop.service(worker=False)).address
    pages = [watching(open_page, address)[0] for _ in range(4)]
    for name in ("ada", "bob", "eve"):
        shop.send.enqueue(name)
        pages[0].wait_for_timeout(700)

    for page in pages:
        expect(page.get_by_role("row", name="mail.send")).to_have_count(3)


def test_the_first_rows_are_asked_for_while_the_scripts_come(shop, serve, open_page):
    """By the page itself: the script finds the answer, and does not ask again."""
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs")
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    [first, *again] = page.evaluate(READINGS)

    assert "link" == first["by"]
    assert [] == [one for one in again if one["at"] < first["at"] + 900]


def test_what_somebody_does_is_read_at_once_where_the_page_reads_in_rounds(shop, serve, open_page):
    """The page reads a queue every five seconds, and does not wait for that after an action."""
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/queues")
    row = page.get_by_role("row", name="mail")
    row.get_by_role("button", name="Pause").wait_for()
    line = page.get_by_text("Live", exact=True)
    expect(line).to_be_visible()
    page.wait_for_timeout(1200)
    with page.expect_request(lambda one: one.url.endswith("/queues")):
        pass
    page.wait_for_timeout(1500)
    page.evaluate(NOTES_WHEN_SHOWN, "Resume")
    row.get_by_role("button", name="Pause").click()
    row.get_by_role("button", name="Resume").wait_for()

    assert page.evaluate("() => window.shown - window.done") < 2000


NOTES_WHEN_SHOWN = """(name) => {
  new MutationObserver(() => {
    const shows = [...document.querySelectorAll("tbody button")];
    if (shows.some((one) => one.textContent.includes(name))) window.shown ??= performance.now();
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
  new PerformanceObserver((list) => {
    for (const one of list.getEntries())
      if (one.name.includes("$pause")) window.done ??= one.responseEnd;
  }).observe({type: "resource"});
}"""
"""Notes when the answer to a pause has come, and when a button of that name is shown."""
