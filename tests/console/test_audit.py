"""The screen of the audit: what somebody does on other screens stands there, for admins."""

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


def test_what_is_done_in_the_console_stands_in_the_audit(shop, serve, open_page):
    """Who, what and to how many; by the noun, and by the actor."""
    job = shop.send.enqueue("ada")
    page = open_page()
    address = serve(lambda: shop.service(worker=False)).address
    page.goto(f"{address}/console/jobs/{job.id}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel 1 job").click()
    expect(page.get_by_text("1 job cancelled.")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_title("Audit · Shop")
    row = page.get_by_role("row", name="jobs.cancel").first
    expect(row).to_contain_text("local")
    expect(row).to_contain_text("http")

    page.get_by_role("radio", name="queues").click()
    expect(page.get_by_text("Nobody has done anything.")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="local").first.click()
    expect(page.get_by_text("Done by local")).to_be_visible()
    expect(row).to_be_visible()


def test_the_audit_is_not_asked_for_by_others(shop, serve, open_page, sent_by):
    """They are told for whom it is."""
    sent_by(Role.OPERATOR)
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/audit")

    expect(page.get_by_text("The audit is for admins.")).to_be_visible()
    assert not any("/api/v1/audit" in url for url in page.asked)
