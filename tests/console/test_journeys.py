"""What people do in the console, from the question that brings them to its end."""

import re

import pytest
from playwright.sync_api import expect

from console.shop import Shop
from rotulus import task
from rotulus._app.roles import Role

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.gate.set()
    made.app.close()


def without_worker(shop):
    """A service in which jobs wait."""
    return lambda: shop.service(worker=False)


def test_what_failed_in_the_last_hour_is_found_and_sent_back(shop, serve, open_page):
    """From the overview to the cause, and all jobs of it by one button, once it is mended."""

    @task(name="invoice.print", queue="mail", registry=shop.app.registry)
    def print_invoice(number: int) -> int:
        if not shop.gate.is_set():
            raise ConnectionError("printer 7 is off")
        return number

    for number in range(3):
        print_invoice.enqueue(number)
    shop.fail.enqueue("no such mailbox")
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/")
    page.get_by_role("link", name="ConnectionError").first.click()
    group = page.get_by_role("listitem").filter(has_text="printer 7 is off")
    expect(group.get_by_role("link", name="3", exact=True)).to_be_visible()
    page.get_by_role("radio", name="1 h").click()
    shop.gate.set()
    group.get_by_role("button", name="Retry all").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Retry 3 jobs?")
    asked.get_by_role("button", name="Retry 3 jobs").click()
    expect(page.get_by_text("3 sent back.")).to_be_visible()

    page.get_by_role("link", name="Jobs").first.click()
    expect(
        page.get_by_role("row", name="invoice.print").filter(has_text="succeeded")
    ).to_have_count(3)
    expect(page.get_by_role("row", name="mail.fail")).to_contain_text("failed")


def test_a_known_failure_is_muted_and_news_again(shop, serve, open_page, sent_by):
    """With a date and a note; it is behind a filter then. A viewer sees that, and no button."""
    shop.fail.enqueue("no such mailbox")
    address = serve(shop.service).address
    page = open_page()
    page.goto(f"{address}/console/failures")
    group = page.get_by_role("listitem").filter(has_text="no such mailbox")
    badge = page.get_by_role("navigation").get_by_text("causes in the last day")
    expect(badge.first).to_be_attached()
    group.get_by_role("button", name="Mute…").click()
    asked = page.get_by_role("dialog")
    asked.get_by_role("combobox").select_option("as long as I say")
    asked.get_by_label("until").fill("2100-01-02T09:30")
    asked.get_by_label("note").fill("#1234")
    asked.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("Nothing has failed.")).to_be_visible()
    expect(badge).to_have_count(0)
    [mute] = shop.app.store.failures.mutes()
    assert "#1234" == mute.note

    page.get_by_role("radio", name="muted").click()
    expect(group).to_contain_text("muted 2100-01-02")
    expect(group).to_contain_text("#1234")
    page.reload()
    expect(group).to_contain_text("muted 2100-01-02")

    sent_by("viewer")
    looking = open_page()
    looking.goto(f"{address}/console/failures?muted=1")
    seen = looking.get_by_role("listitem").filter(has_text="no such mailbox")
    expect(seen).to_contain_text("muted 2100-01-02")
    expect(seen.get_by_role("button")).to_have_count(0)
    looking.goto(f"{address}/console/")
    expect(looking.get_by_text("Nothing has failed.")).to_be_visible()

    sent_by("operator")
    group.get_by_role("button", name="Unmute").click()
    expect(page.get_by_text("Nothing is muted.")).to_be_visible()
    page.get_by_role("radio", name="news").click()
    expect(group.get_by_role("button", name="Mute…")).to_be_visible()
    assert [] == shop.app.store.failures.mutes()


def test_why_a_job_has_not_run_is_told_and_undone(shop, serve, open_page):
    """By the server's own words, on the page of the job; the queue is one step away."""
    shop.app.queues.pause("mail")
    job = shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/jobs/{job.id}")
    expect(page.locator(".why")).to_contain_text("paused")

    page.keyboard.press("g")
    page.keyboard.press("q")
    row = page.get_by_role("row", name="mail")
    row.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Jobs of mail begin again.")).to_be_visible()
    page.go_back()
    expect(page.get_by_text('"ada"').first).to_be_visible()
    expect(page.locator(".state-head")).to_contain_text("succeeded")


def test_a_queue_is_paused_and_what_waits_in_it_grows(shop, serve, open_page):
    """Without a reload; and somebody else's browser shows the same, and takes it back."""
    address = serve(shop.service).address
    mine, theirs = open_page(), open_page()
    shop.report.enqueue()
    for page in (mine, theirs):
        page.goto(f"{address}/console/queues")
        expect(page.get_by_role("row", name="reports")).to_be_visible()
    mine.get_by_role("row", name="reports").get_by_role("button", name="Pause").click()
    row = theirs.get_by_role("row", name="reports")
    expect(row.get_by_role("button", name="Resume")).to_be_visible()
    expect(row).to_contain_text("paused")

    for waiting in ("1", "2"):
        shop.report.enqueue()
        for page in (mine, theirs):
            cell = page.get_by_role("row", name="reports").locator("[data-name=waiting]")
            expect(cell).to_have_text(waiting)
    age = row.locator("[data-name=oldest]")
    expect(age).to_have_text(re.compile(r"^\d.* paused"))  # how long, beside since when
    seen, _, _ = age.inner_text().partition(" paused")
    expect(age).not_to_have_text(re.compile(rf"^{re.escape(seen)} paused"))
    shop.gate.set()
    row.get_by_role("button", name="Resume").click()
    expect(mine.get_by_text("No queue has jobs.")).to_be_visible()
    assert 3 == shop.app.jobs.count(state="succeeded")


def test_a_schedule_is_changed_and_seen_to_fire(shop, serve, open_page):
    """At its new interval."""
    shop.app.schedules.add("pulse", task="mail.send", every=3600, arguments={"to": "ada"})
    page = open_page()
    address = serve(shop.service).address
    page.goto(f"{address}/console/schedules/pulse/edit")
    every = page.get_by_label("every ")
    expect(every).to_have_value("3600s")
    every.fill("1s")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Every second", exact=True)).to_be_visible()
    first = page.locator(".instants time").first
    expect(first).to_be_visible()
    shown = first.get_attribute("datetime")
    expect(first).not_to_have_attribute("datetime", shown)  # it goes on with the time

    page.goto(f"{address}/console/jobs?q=schedule:pulse")
    expect(page.get_by_role("row", name="mail.send").nth(2)).to_be_visible()
    expect(page.get_by_role("row", name="mail.send").last).to_contain_text("succeeded")


def test_all_that_match_are_cancelled_after_a_look(shop, serve, open_page):
    """Also those that the table has not loaded; the number is asked for before anything happens."""
    shop.send.enqueue_many([(f"{number}@example.org",) for number in range(150)])
    shop.report.enqueue()
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/jobs?q=task:mail.*")
    expect(page.get_by_role("row", name="mail.send").first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Choose all that match").click()
    page.get_by_role("toolbar").get_by_role("button", name="Cancel").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Cancel 150 jobs?")
    assert 0 == shop.app.jobs.count(state="cancelled")
    asked.get_by_role("textbox").fill("150")
    asked.get_by_role("button", name="Cancel 150 jobs").click()
    expect(page.get_by_text("150 jobs cancelled.")).to_be_visible()

    assert 150 == shop.app.jobs.count(state="cancelled")
    assert 1 == shop.app.jobs.count(state="queued")


def test_on_a_slow_network_what_was_shown_stays_until_there_is_more(shop, serve, open_page):
    """A number is never blank in between."""
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/queues")
    cell = page.get_by_role("row", name="mail").locator("[data-name=waiting]")
    expect(cell).to_have_text("1")
    slow = page.context.new_cdp_session(page)
    throughput = {"downloadThroughput": 20_000, "uploadThroughput": 20_000}
    slow.send("Network.emulateNetworkConditions", {"offline": False, "latency": 900, **throughput})
    page.evaluate(
        """() => {
          window.shown = new Set();
          const cell = document.querySelector("[data-name=waiting]");
          const note = () => shown.add(cell.isConnected ? cell.textContent.trim() : "gone");
          new MutationObserver(note).observe(document.body,
            {subtree: true, childList: true, characterData: true});
        }"""
    )

    shop.send.enqueue("bob")
    expect(cell).to_have_text("2")
    assert {"1", "2"} >= set(page.evaluate("[...shown]"))


def test_a_limit_is_set_while_jobs_wait(shop, serve, open_page):
    """After a look at what comes of it; the next job starts at once, and the toast takes it back."""
    for _ in range(4):
        shop.report.using(limit=1, limit_key="customer:7").enqueue()
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/queues")
    row = page.get_by_role("row", name="customer:7")
    expect(row).to_contain_text("1 of 1")
    row.get_by_role("button", name="Set…").click()
    asked = page.get_by_role("dialog", name="Set the limit of customer:7")
    asked.get_by_label("limit how many run").fill("0")
    expect(asked).to_contain_text("1 job runs, and goes on. None of the 3 that wait starts.")
    asked.get_by_label("rate").fill("often")
    expect(asked).to_contain_text("A rate is a number and a time")
    expect(asked.get_by_role("button", name="Set it")).to_be_disabled()
    asked.get_by_label("limit how many run").fill("2")
    asked.get_by_label("rate").fill("100/min")
    expect(asked).to_contain_text("Up to 1 of the 3 that wait start at once.")
    page.keyboard.press("Enter")

    expect(page.get_by_text("The limit of customer:7 is set.")).to_be_visible()
    expect(row).to_contain_text("2 of 2")
    expect(row).to_contain_text("100 in 1 min")
    expect(row).to_contain_text("set by")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("customer:7 is limited as the code says.")).to_be_visible()
    expect(row).to_contain_text("2 of 1")
    shop.gate.set()


def test_a_viewer_sees_limits_without_a_button(shop, serve, open_page, sent_by):
    """And who has set them."""
    shop.report.using(limit=1, limit_key="customer:7").enqueue()
    with shop.app.acting_as("ada"):
        shop.app.limits.set("customer:7", limit=0)
    sent_by(Role.VIEWER)
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/queues")
    row = page.get_by_role("row", name="customer:7")
    expect(row).to_contain_text("set by ada")
    expect(row).to_contain_text("0 of 0")

    assert 0 == row.get_by_role("button").count()


def test_enter_on_a_button_presses_it_while_a_row_is_active(shop, serve, open_page):
    """Enter opens the active row only where nothing else takes it."""
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/jobs")
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(".grid-row.active")).to_have_count(1)
    state = page.get_by_role("group", name="States").get_by_role("button", name="failed")
    state.focus()
    page.keyboard.press("Enter")

    expect(state).to_have_attribute("aria-pressed", "true")
    assert page.url.split("?")[0].endswith("/console/jobs")


def test_the_list_of_jobs_says_why_it_is_not_there(shop, serve, open_page):
    """The server does not say who looks: its words are shown until it does."""
    shop.send.enqueue("ada")
    page = open_page()
    page.expected = "500"
    page.route("**/api/v1/me", lambda route: route.fulfill(status=500, body="{}"))
    page.goto(f"{serve(without_worker(shop)).address}/console/jobs")
    expect(page.get_by_role("alert")).to_be_visible()
    page.unroute("**/api/v1/me")

    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
