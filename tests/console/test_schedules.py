"""The screens of schedules: added, read in English, paused, run, filled, changed, removed."""

import re

import pytest
from playwright.sync_api import expect

from console.shop import Shop
from rotulus._app.roles import Role

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.gate.set()
    made.app.close()


def field(page, name):
    """The field of an option."""
    return page.get_by_label(re.compile(f"^{name} "))


def test_a_schedule_is_added_and_read_in_english(shop, serve, open_page):
    """The server says what is wrong with it; then it is there, and can be removed."""
    page = open_page()
    page.expected = "422"
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/schedules")
    expect(page.get_by_text("No schedule is there.")).to_be_visible()
    page.get_by_role("link", name="Add a schedule").click()
    field(page, "name").fill("weekly")
    field(page, "task").fill("mail.send")
    page.get_by_role("radio", name="Form").click()
    field(page, "to").fill("all@example.org")
    field(page, "cron").fill("30 9 * * 8")
    field(page, "timezone").fill("Europe/Oslo")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status").get_by_text("30 9 * * 8")).to_be_visible()

    field(page, "cron").fill("30 9 * * 1")
    page.get_by_role("button", name="Add it").click()
    expect(page).to_have_title("weekly · Shop")
    expect(page.get_by_text("At 09:30 on Monday (Europe/Oslo)")).to_be_visible()
    expect(page.get_by_text('"all@example.org"')).to_be_visible()
    expect(page.locator(".instants li")).to_have_count(10)

    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page).to_have_title("Schedules · Shop")
    assert [] == shop.app.schedules.list()


PULSE = "**/api/v1/schedules/pulse"


def test_a_schedule_is_changed_and_read_again(shop, serve, open_page):
    """Its own screen has the change, also if the form has read the schedule a moment before."""
    shop.app.schedules.add("pulse", task="mail.send", every=3600, arguments={"to": "ada"})
    page = open_page()
    with page.expect_response(PULSE):
        page.goto(
            f"{serve(lambda: shop.service(worker=False)).address}/console/schedules/pulse/edit"
        )
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    with page.expect_response(PULSE):  # what happened during the pause is read
        page.keyboard.press("p")
    field(page, "every").fill("2h")
    page.get_by_role("button", name="Change it").click()

    expect(page.get_by_text("Every 2 hours")).to_be_visible()
    assert {"to": "ada"} == dict(shop.app.schedules.get("pulse").schedule.arguments)


def test_a_schedule_is_changed_unless_somebody_else_was_faster(shop, serve, open_page):
    """The version of what is edited is sent along, also if the page has read a later one."""
    shop.app.schedules.add("pulse", task="mail.send", every=3600, arguments={"to": "ada"})
    page = open_page()
    page.expected = "412"
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/schedules/pulse")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    expect(field(page, "every")).to_have_value("3600s")
    with page.expect_response(PULSE):
        shop.app.schedules.set("pulse", arguments={"to": "bob"})
    field(page, "every").fill("2h")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Somebody has changed it meanwhile")).to_be_visible()
    assert "@every 3600s" == shop.app.schedules.get("pulse").schedule.cron

    page.reload()
    field(page, "every").fill("2h")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Every 2 hours")).to_be_visible()
    assert {"to": "bob"} == dict(shop.app.schedules.get("pulse").schedule.arguments)


def test_a_schedule_is_paused_resumed_and_run(shop, serve, open_page):
    """From the list; the toast takes a pause back."""
    shop.app.schedules.add("pulse", task="mail.send", every=3600, arguments={"to": "ada"})
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/schedules")
    row = page.get_by_role("row", name="pulse")
    expect(row).to_contain_text("Every hour")
    row.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("pulse fires no more")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("pulse fires again.")).to_be_visible()
    assert not shop.app.schedules.get("pulse").paused
    expect(row.get_by_role("button", name="Pause")).to_be_visible()

    row.get_by_role("button", name="Run now").click()
    page.get_by_role("dialog").get_by_role("button", name="Run now").click()
    expect(page).to_have_title("mail.send · Shop")
    [job] = shop.app.jobs.find()
    assert "pulse" == job.schedule


def test_the_changes_of_a_clock_are_marked(shop, serve, open_page):
    """Of ten months each has two."""
    shop.app.schedules.add(
        "monthly",
        task="mail.send",
        cron="0 12 1 * *",
        timezone="Europe/Paris",
        arguments={"to": "a"},
    )
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/schedules/monthly")

    expect(page.locator(".instants li")).to_have_count(10)
    expect(page.get_by_text(re.compile("clock (forward|back) 1 h")).first).to_be_visible()


def test_a_time_that_is_over_is_filled_after_a_look(shop, serve, open_page):
    """First how many instants have no job, then a job for each."""
    shop.app.schedules.add("hourly", task="mail.send", every=3600, arguments={"to": "ada"})
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/schedules/hourly")
    page.get_by_label("since").fill("5h")
    page.get_by_role("button", name="Look what is missing").click()
    expect(page.get_by_text("5 instants have no job")).to_be_visible()
    assert 0 == shop.app.jobs.count()
    page.get_by_role("button", name="Add them").click()
    page.get_by_role("button", name="Add 5 jobs").click()
    expect(page.get_by_text("5 jobs added.")).to_be_visible()

    assert 5 == shop.app.jobs.count(schedule="hourly")
    expect(page.locator(".marks a")).to_have_count(5)


def test_a_viewer_sees_schedules_without_a_button(shop, serve, open_page, sent_by):
    """By keys alone."""
    sent_by(Role.VIEWER)
    shop.app.schedules.add("hourly", task="mail.send", every=3600, arguments={"to": "ada"})
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/")
    expect(page.get_by_text("viewer", exact=True)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("s")
    link = page.get_by_role("link", name="hourly")
    expect(link).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Run now|Pause)$"))).to_have_count(0)
    expect(page.get_by_role("link", name="Add a schedule")).to_have_count(0)
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("hourly · Shop")
    expect(page.get_by_text("Every hour")).to_be_visible()
    expect(
        page.get_by_role("button", name=re.compile("^(Run now|Pause|Remove|Look what is missing)$"))
    ).to_have_count(0)
