"""The dialogs of the console: what is typed stays, what is wrong is told there, focus comes back."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from console.shop import Shop
from rotulus import task
from rotulus.service import service_of

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


def limited(shop, **options):
    """A job of a key."""
    return shop.report.using(limit=1, limit_key="customer:7", **options).enqueue()


def set_limit_of(page, key="customer:7"):
    """Opens the form of a key; returns its dialog."""
    page.get_by_role("row", name=key).get_by_role("button", name="Set…").click()
    return page.get_by_role("dialog", name=f"Set the limit of {key}")


def test_the_form_of_a_limit_stays_when_its_key_goes(shop, serve, open_page):
    """With what was typed; once it is closed, a key that comes back does not open it."""
    job = limited(shop)
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/queues")
    asked = set_limit_of(page)
    asked.get_by_label("limit how many run").fill("7")
    expect(asked).to_contain_text("Up to 1 of the 1 that wait start at once.")

    job.cancel()
    expect(page.get_by_text("No queue has jobs.")).to_be_visible()
    expect(asked).to_contain_text("Nothing waits.")
    expect(asked.get_by_label("limit how many run")).to_have_value("7")
    for _ in range(2):
        limited(shop)
    expect(asked).to_contain_text("Up to 2 of the 2 that wait start at once.")
    shop.app.queues.pause("reports")
    expect(asked).to_contain_text("None of the 2 that wait starts: queue reports is paused.")
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0)

    shop.app.jobs.cancel(task="report")
    expect(page.get_by_role("row", name="customer:7")).to_have_count(0)
    limited(shop)
    expect(page.get_by_role("row", name="customer:7")).to_be_visible()
    expect(asked).to_have_count(0)


def test_wrong_terms_of_a_limit_are_marked_and_a_refusal_is_told_in_the_form(
    shop, serve, open_page, sent_by
):
    """The form stays open until the terms are set."""
    limited(shop)
    sent_by("operator")
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/queues")
    asked = set_limit_of(page)
    limit, rate = asked.get_by_label("limit how many run"), asked.get_by_label("rate how many")
    for text in ("1e3", "0x10", "many"):
        limit.fill(text)
        expect(limit).to_have_attribute("aria-invalid", "true")
        expect(asked.get_by_role("alert")).to_contain_text("A limit is a whole number")
        expect(asked.get_by_role("button", name="Set it")).to_be_disabled()
    limit.fill("1,000")
    expect(limit).to_have_attribute("aria-invalid", "false")
    rate.fill("5/99999d")
    expect(rate).to_have_attribute("aria-invalid", "true")
    expect(limit).to_have_attribute("aria-invalid", "false")
    rate.fill("5/s")

    sent_by("viewer")
    page.expected = "403"
    page.keyboard.press("Enter")
    expect(asked.get_by_role("alert")).to_contain_text("operator")
    expect(limit).to_have_value("1,000")
    sent_by("operator")
    page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    expect(page.get_by_role("row", name="customer:7")).to_contain_text("5 in 1 s")
    assert 1000 == shop.app.limits.get("customer:7").limit


def test_focus_comes_back_from_a_dialog(shop, serve, open_page):
    """To its button; to the next row if that is gone, and to the heading if none is left."""

    @task(name="invoice.print", queue="mail", registry=shop.app.registry)
    def print_invoice() -> None:
        raise ConnectionError("printer 7 is off")

    shop.fail.enqueue("no such mailbox")
    print_invoice.enqueue()
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/failures")
    groups = page.locator(".group")
    expect(groups).to_have_count(2)
    mute = groups.first.get_by_role("button", name="Mute…")
    mute.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(mute).to_be_focused()

    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Mute", exact=True).click()
    expect(groups).to_have_count(1)
    expect(groups.first.get_by_role("link").first).to_be_focused()
    groups.first.get_by_role("button", name="Mute…").click()
    page.get_by_role("dialog").get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("Nothing has failed.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_a_mute_until_no_moment_to_come_is_wrong_in_its_field(shop, serve, open_page):
    """Nothing is sent; two quick clicks send one request, and one more takes it back."""
    shop.fail.enqueue("no such mailbox")
    page = open_page(timezone_id="Asia/Tokyo")
    page.goto(f"{serve(shop.service).address}/console/failures")
    page.get_by_role("button", name="Mute…").click()
    asked = page.get_by_role("dialog", name="Mute RuntimeError of mail.fail?")
    expect(asked).to_contain_text("it is no news before somebody unmutes it")
    asked.get_by_role("combobox").select_option("as long as I say")
    expect(asked).to_contain_text("then it is news again by itself")
    until = asked.get_by_label("until")
    send = asked.get_by_role("button", name="Mute", exact=True)
    for text, says in (
        ("", "Give a date and a time"),
        ("2001-02-03T04:05", "is over"),
        ("123456-01-02T09:30", "the year 9999"),
    ):
        until.fill(text)
        send.click()
        expect(asked.get_by_role("alert")).to_contain_text(says)
        expect(until).to_have_attribute("aria-invalid", "true")
    expect(until).to_have_attribute("max", "9999-12-31T23:59")
    here = datetime.now(UTC) + timedelta(hours=9)
    assert here - timedelta(hours=1) < datetime.fromisoformat(f"{until.get_attribute('min')}Z")
    assert not [url for url in page.asked if "$mute" in url]

    until.fill("2100-01-02T09:30")
    send.dblclick()
    expect(asked).to_have_count(0)
    assert 1 == len([url for url in page.asked if url.endswith("/$mute")])
    [group] = shop.app.failures.groups()
    assert datetime(2100, 1, 2, 0, 30, tzinfo=UTC) == group.mute.until

    page.goto(page.url + "?muted=1&span=1+h")
    expect(page.get_by_role("radio", name="1 h")).to_have_count(0)
    page.get_by_role("button", name="Unmute").dblclick()
    expect(page.get_by_text("Nothing is muted.")).to_be_visible()
    assert 1 == len([url for url in page.asked if url.endswith("/$unmute")])


def test_a_cause_is_muted_whenever_it_was_seen(shop, serve, open_page):
    """The span of time is of news."""
    shop.fail.enqueue("no such mailbox")
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/failures?span=1+h")
    expect(page.locator(".group")).to_have_count(1)
    page.get_by_role("radio", name="muted").click()
    expect(page.get_by_text("Nothing is muted.")).to_be_visible()

    assert [] == [url for url in page.asked if "muted=true" in url and "since=" in url]


def test_the_text_of_the_metrics_stays_in_its_card(shop, serve, open_page):
    """It scrolls there, has a name, and says where it ends."""
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(lambda: service_of(shop.app)).address}/console/system")
    page.get_by_role("button", name="Read /metrics").click()
    text = page.get_by_role("region", name="Text of /metrics")
    expect(text).to_contain_text("rotulus_")
    box = text.bounding_box()
    card = page.locator(".card", has=text).bounding_box()
    assert 322 >= box["height"]
    assert box["x"] + box["width"] <= card["x"] + card["width"]
    assert text.evaluate("one => one.scrollHeight > one.clientHeight")

    long = "".join(f'rotulus_jobs{{queue="{number:050}"}} 1\n' for number in range(1000))
    held = []
    page.route("**/metrics", lambda route: held.append(route))
    page.get_by_role("button", name="Read again").click()
    expect(page.locator("[aria-busy=true]", has=text)).to_be_visible()
    page.get_by_role("button", name="Reading…").click()
    [asked] = held
    asked.fulfill(body=long)
    expect(page.get_by_text(re.compile("^The first 6. kB of 7. kB"))).to_be_visible()
    assert text.inner_text().rstrip("\n") in long
    assert text.inner_text().endswith(" 1\n") or text.inner_text().endswith(" 1")


def test_causes_of_failures_have_the_width_of_a_phone(shop, serve, open_page):
    """The text reaches to the end of the card; the actions stand below it."""
    shop.fail.enqueue("no such mailbox")
    page = open_page(width=390, height=844)
    page.goto(f"{serve(shop.service).address}/console/failures")
    text, actions = page.locator(".group-text"), page.locator(".group-actions")
    expect(actions).to_be_visible()

    assert 280 < text.bounding_box()["width"]
    times = page.locator(".group-times").bounding_box()
    assert times["y"] + times["height"] <= actions.bounding_box()["y"]


def test_the_overview_says_of_a_paused_queue_how_long_its_jobs_wait(shop, serve, open_page):
    """And not that nothing waits."""
    shop.app.queues.pause("mail")
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(without_worker(shop)).address}/console/")
    line = page.locator(".queue-line", has_text="mail")

    expect(line).to_contain_text(re.compile(r"\d (ms|s), paused"))
    expect(page.locator(".figure").first).to_contain_text("nothing waits but in paused queues")
