"""The console in a real browser, with a real server and a real worker."""

import re
from collections import Counter
from time import monotonic

import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from console.shop import HOSTILE, Shop

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.gate.set()
    made.app.close()


def test_a_job_comes_into_the_table_and_its_states_are_followed(shop, serve, open_page):
    """Without a reload, by the stream of changes."""
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/jobs")
    expect(page.get_by_text("No job yet.")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    shop.report.enqueue()

    row = page.get_by_role("row", name="report")
    expect(row).to_contain_text("running")
    expect(row).to_contain_text("30 %")
    shop.gate.set()
    expect(row).to_contain_text("succeeded")
    row.get_by_role("link", name="report").click()
    expect(page).to_have_title("report · Shop")
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    expect(page.get_by_text('"done"')).to_be_visible()


def test_nothing_changes_while_the_page_is_paused(shop, serve, open_page):
    """And all that was missed is there when it goes on."""
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.wait_for_timeout(500)  # the browser tells of requests a little later
    asked = [*page.asked]

    shop.send.enqueue("ada")
    page.wait_for_timeout(1500)

    assert asked == page.asked
    expect(page.get_by_text("No job yet.")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_role("row", name="mail.send")).to_contain_text("queued")


def test_all_of_it_can_be_done_by_keys(shop, serve, open_page):
    """To a screen, to a search, to a row and into it, to the keys, and to anything by its name."""
    for name in ("ada", "bob", "eve"):
        shop.send.enqueue(name)
    shop.report.enqueue()
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs?q=queue:reports")
    expect(page.get_by_role("row")).to_have_count(2)  # with the heads of the columns

    page.keyboard.press("/")
    page.keyboard.type("queue:mai")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No job matches.")).to_be_visible()
    assert page.url.endswith("?q=queue%3Amai")
    page.keyboard.press("/")
    page.keyboard.type("task:mail.s")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row")).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_title("mail.send · Shop")
    expect(page.get_by_text('"bob"')).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("repor")
    expect(page.get_by_role("option", name="report task")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_title("report · Shop")
    page.go_back()
    expect(page).to_have_title("mail.send · Shop")


def test_what_jobs_say_is_text_and_nothing_of_it_runs(shop, serve, open_page):
    """Names of labels, arguments, errors and long lines: shown as they are, in both lists."""
    printable = "".join(letter for letter in HOSTILE if letter.isprintable())
    shop.send.using(labels={"customer": printable}).enqueue(HOSTILE + "x" * 100_000)
    shop.fail.enqueue(HOSTILE)
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/jobs")
    expect(page.get_by_role("row", name="failed")).to_be_visible()
    expect(page.get_by_text(printable).first).to_be_visible()
    for name in ("mail.send", "mail.fail"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_text("onerror").first).to_be_visible()
        expect(page).to_have_title(f"{name} · Shop")
        page.go_back()
    assert 0 == page.locator("img, b, main script").count()


def test_numbers_are_shown_as_they_were_written(shop, serve, open_page):
    """A browser's own numbers end at 2 to the power of 53."""
    job = shop.send.enqueue("ada", 12345678901234567890)
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/jobs/{job.id}")

    expect(page.get_by_text("12345678901234567890")).to_be_visible()
    expect(page.get_by_text("9007199254740993")).to_be_visible()


def test_it_asks_its_own_server_only_and_has_the_policy(shop, serve, open_page):
    """On the page of every screen."""
    server = serve(shop.service)
    page = open_page()
    answer = page.goto(f"{server.address}/console/jobs")
    expect(page.get_by_text("No job yet.")).to_be_visible()

    assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]
    assert {True} == {url.startswith(server.address) for url in page.asked}
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>a</b>'")
    page.errors[:] = [text for text in page.errors if "TrustedHTML" not in text]


def test_it_works_below_a_prefix_and_at_any_depth(shop, serve, open_page):
    """Mounted in another application, from a link to a job, through a reload and back."""
    job = shop.send.enqueue("ada")

    def mounted():
        outer = FastAPI(lifespan=None)
        outer.mount("/tools/of the shop", shop.service(worker=False))
        return outer

    page = open_page()
    page.goto(f"{serve(mounted).address}/tools/of the shop/console/jobs/{job.id}")
    expect(page.get_by_text('"ada"')).to_be_visible()
    page.get_by_role("link", name="Jobs").first.click()
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    assert page.url.endswith("/tools/of%20the%20shop/console/jobs")
    page.reload()
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()


def test_when_the_server_goes_away_the_page_says_so_and_comes_back_by_itself(
    shop, serve, open_page
):
    """What it has shown stays meanwhile."""
    shop.send.enqueue("ada")
    server = serve(lambda: shop.service(worker=False))
    page = open_page()
    page.goto(f"{server.address}/console/jobs")
    row = page.get_by_role("row", name="mail.send")
    expect(row).to_contain_text("queued")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    server.stop()
    expect(page.get_by_text("No connection", exact=True)).to_be_visible()
    expect(row).to_contain_text("queued")
    shop.app.jobs.cancel(queue="mail")
    server.start()

    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(row).to_contain_text("cancelled")
    page.errors[:] = [text for text in page.errors if not re.match("Failed to load resource", text)]


def test_the_environment_is_named_on_every_screen(shop, serve, open_page):
    """In a colour of its own, and on a narrow page, too."""
    address = serve(lambda: shop.service(worker=False)).address
    page = open_page()
    page.goto(f"{address}/console/jobs")

    expect(page.get_by_text("staging", exact=True)).to_be_visible()
    colour = page.locator(".console").evaluate("one => getComputedStyle(one).borderTopColor")
    assert "rgb(138, 90, 0)" == colour


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_that_of_the_system_until_somebody_chooses(shop, serve, open_page, theme):
    """And the choice is kept."""
    page = open_page(theme=theme)
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/jobs")
    background = "getComputedStyle(document.body).backgroundColor"
    shown = {"light": "rgb(251, 251, 250)", "dark": "rgb(17, 18, 20)"}

    assert shown[theme] == page.evaluate(background)
    other = "dark" if theme == "light" else "light"
    page.get_by_title("How the console looks").click()
    page.get_by_role("radio", name=other).click()
    page.reload()
    expect(page.get_by_text("No job yet.")).to_be_visible()
    assert shown[other] == page.evaluate(background)


def test_statistics_are_not_read_with_each_job(shop, serve, open_page):
    """Charts are read when the page is opened, and at most each ten seconds while jobs end."""
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    began = monotonic()
    for number in range(80):
        shop.send.enqueue(f"ada {number}")
        page.wait_for_timeout(250)
        if sum(url.endswith("/api/v1/queues") for url in page.asked) >= 5:
            break
    rounds = 2 + (monotonic() - began) // 10
    series = Counter(url for url in page.asked if "/stats/series" in url)

    assert 5 == len(series)
    assert max(series.values()) <= rounds


def test_who_holds_a_limit_stands_below_the_queues(shop, serve, open_page):
    """With how many wait for it; nothing stands there while no job has a limit."""
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/queues")
    expect(page.get_by_text("No queue has jobs.")).to_be_visible()
    held = shop.report.using(limit=1, limit_key="customer:7")
    first = held.enqueue()
    held.enqueue()
    row = page.get_by_role("row", name="customer:7")
    expect(row).to_contain_text("1 of 1")
    row.get_by_role("link").first.click()

    expect(page).to_have_title("report · Shop")
    assert page.url.endswith(first.id)
    shop.gate.set()
