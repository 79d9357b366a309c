"""The screens of tasks and workers: what can be run is run from its form, and followed."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from console.shop import Shop
from rotulus._app.roles import Role
from rotulus.testing import drain

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


def test_a_task_is_found_and_enqueued_from_its_form(shop, serve, open_page):
    """The server says beside a field what is wrong with it; the job is followed to its end."""
    page = open_page()
    page.expected = "422"
    page.goto(f"{serve(shop.service).address}/console/tasks")
    expect(page.get_by_role("row")).to_have_count(4)  # with the heads of the columns

    page.get_by_label("Find tasks").fill("one mail")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="mail.send").click()
    expect(page).to_have_title("mail.send · Shop")
    field(page, "size").fill("large")
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_role("alert").first).to_contain_text("to")
    expect(field(page, "size")).to_have_attribute("aria-invalid", "true")
    assert 0 == shop.app.jobs.count()

    field(page, "to").fill("ada")
    field(page, "size").fill("12345678901234567890")
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_role("status").get_by_text("succeeded")).to_be_visible()
    expect(page.get_by_text("9007199254740993", exact=True)).to_be_visible()
    [job] = shop.app.jobs.find()
    assert {"to": "ada", "size": 12345678901234567890} == job.arguments


def test_a_task_is_run_within_the_request(shop, serve, open_page):
    """Its result, or what it raised, is on the page, and nothing is stored."""
    page = open_page()
    address = serve(lambda: shop.service(worker=False)).address
    page.goto(f"{address}/console/tasks/mail.send")
    field(page, "to").fill("ada")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("9007199254740993", exact=True)).to_be_visible()

    page.goto(f"{address}/console/tasks/mail.fail")
    field(page, "message").fill("nobody is there")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("RuntimeError", exact=True)).to_be_visible()
    expect(page.get_by_text("nobody is there", exact=True)).to_be_visible()
    assert 0 == shop.app.jobs.count()


def test_the_form_and_its_json_are_the_same_and_can_be_copied(shop, serve, open_page):
    """Also a number that a browser could not hold."""
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/tasks/mail.send")
    field(page, "to").fill("it's")
    field(page, "size").fill("9007199254740993")
    page.get_by_role("radio", name="JSON").click()
    text = page.get_by_label("Arguments, as one JSON object")
    expect(text).to_have_value('{\n  "to": "it\'s",\n  "size": 9007199254740993\n}')
    text.fill('{"to": "bob", "size": 9007199254740995}')
    page.get_by_role("radio", name="Form").click()
    expect(field(page, "size")).to_have_value("9007199254740995")

    page.get_by_text("Later, or otherwise").click()
    field(page, "priority").fill("5")
    page.get_by_text("Copy the call").click()
    call = 'app.using(priority=5).enqueue("mail.send", to="bob", size=9007199254740995)'
    expect(page.get_by_text(call)).to_be_visible()
    page.get_by_role("radio", name="Command").click()
    expect(page.get_by_text("rotulus enqueue mail.send --json-args")).to_be_visible()


def test_a_job_is_enqueued_for_later_by_keys_alone(shop, serve, open_page):
    """From the overview to the task, through its fields, and back."""
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_title("Tasks · Shop")
    expect(page.get_by_role("link", name="report", exact=True)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("send")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_title("mail.send · Shop")
    field(page, "to").focus()
    page.keyboard.type("ada")
    page.get_by_text("Later, or otherwise").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("2h")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").get_by_text("delayed")).to_be_visible()
    [job] = shop.app.jobs.find(state="delayed")
    assert 7100 < (job.run_at - job.created_at).total_seconds() < 7300


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMIN])
def test_an_admin_reads_the_source_of_a_task(shop, serve, open_page, sent_by, role):
    """Nobody else is shown that there is one."""
    sent_by(role)
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/tasks/mail.send")
    expect(page.get_by_text("How it runs")).to_be_visible()
    source = page.get_by_text("Source", exact=True)
    expect(source).to_have_count(1 if role is Role.ADMIN else 0)
    if role is Role.ADMIN:
        source.click()
        expect(page.get_by_text("def send(")).to_be_visible()


def test_a_viewer_sees_tasks_and_workers_without_a_button(shop, serve, open_page, sent_by):
    """The call can be copied all the same."""
    sent_by(Role.VIEWER)
    page = open_page()
    address = serve(shop.service).address
    page.goto(f"{address}/console/tasks/mail.send")
    expect(page.get_by_text("viewer", exact=True)).to_be_visible()
    expect(page.get_by_text("Copy the call")).to_be_visible()
    expect(page.get_by_role("button", name="Enqueue")).to_have_count(0)
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)
    field(page, "to").fill("ada")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert 0 == shop.app.jobs.count()


def test_a_worker_is_shown_with_what_it_runs(shop, serve, open_page):
    """And how many of its slots are busy."""
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/workers")
    shop.report.enqueue()

    expect(page.get_by_text("1, with 1 of 2 slots busy")).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_contain_text("1/2")
    page.get_by_role("link", name="report").click()
    expect(page).to_have_title("report · Shop")


def test_a_schedule_is_begun_from_a_task(shop, serve, open_page):
    """Its form has the task and the arguments already."""
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/tasks/mail.send")
    field(page, "to").fill("ada")
    page.get_by_role("link", name="Schedule…").click()
    expect(page).to_have_title("Add a schedule · Shop")
    expect(page.get_by_label(re.compile("^task "))).to_have_value("mail.send")
    field(page, "name").fill("greeting")
    field(page, "cron").fill("@daily")
    page.get_by_role("button", name="Add it").click()
    expect(page).to_have_title("greeting · Shop")

    added = shop.app.schedules.get("greeting")
    assert ("mail.send", {"to": "ada"}) == (added.task, dict(added.schedule.arguments))


def test_a_task_shows_how_long_it_ran(shop, serve, open_page):
    """A bar for each length of time."""
    address = serve(lambda: shop.service(worker=False)).address
    for name in ("ada", "bob"):
        shop.send.enqueue(name)
    with ThreadPoolExecutor() as threads:  # this one has the event loop of the browser
        threads.submit(drain, shop.app).result()
    page = open_page()
    page.goto(f"{address}/console/tasks/mail.send")
    bars = page.locator(".lengths li")

    expect(bars).to_have_count(5)
    expect(bars.filter(has_text="2")).not_to_have_count(0)
