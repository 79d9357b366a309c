"""The screens of the system and of webhooks: how they stand, and what an admin may do."""

import platform
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from console.shop import Shop
from rotulus._app.roles import Role
from rotulus.service import service_of
from rotulus.store import WorkerInfo

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop on a file."""
    made = Shop(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.gate.set()
    made.app.close()


def test_the_system_says_what_runs_where(shop, serve, open_page, sent_by):
    """To a viewer, too."""
    sent_by(Role.VIEWER)
    shop.send.enqueue("ada")
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/system")

    expect(page.get_by_text(platform.python_version())).to_be_visible()
    expect(page.get_by_text("staging").last).to_be_visible()
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()


def test_the_system_says_how_the_store_grows_and_what_prometheus_is_told(
    shop, serve, open_page, sent_by
):
    """The jobs of the last thirty days, and the text of `/metrics`, to a viewer, too."""
    sent_by(Role.VIEWER)
    for name in ("ada", "bob"):
        shop.send.enqueue(name)
    page = open_page()
    page.goto(f"{serve(lambda: service_of(shop.app)).address}/console/system")

    expect(page.get_by_text("2 jobs added in 30 days")).to_be_visible()
    page.get_by_role("button", name="Read /metrics").click()
    expect(page.get_by_text('state="queued"} 2')).to_be_visible()
    shop.send.enqueue("eve")
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_text('state="queued"} 3')).to_be_visible()


def test_a_webhook_is_paused_and_resumed(shop, serve, open_page):
    """By an admin; it stands there who is told of what."""
    shop.app.webhooks.add("chat", "https://example.org/hook", events=["job.failed"])
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/webhooks")
    row = page.get_by_role("row", name="chat")
    expect(row).to_contain_text("job.failed")
    expect(page.get_by_text("Nothing was sent so far.")).to_be_visible()
    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_role("button", name="Resume")).to_be_visible()
    assert shop.app.webhooks.get("chat").paused
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_role("button", name="Pause")).to_be_visible()


def test_webhooks_are_not_asked_for_by_others(shop, serve, open_page, sent_by):
    """They are told for whom they are."""
    sent_by(Role.OPERATOR)
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/webhooks")

    expect(page.get_by_text("Webhooks are for admins.")).to_be_visible()
    assert not any("/api/v1/webhooks" in url for url in page.asked)


def test_settings_say_where_they_come_from(shop, serve, open_page, sent_by, monkeypatch):
    """Those that somebody has set come first; a secret is shown to nobody."""
    monkeypatch.setenv("ROTULUS_TOKEN", "correct-horse")
    monkeypatch.setenv("ROTULUS_LEASE", "45")
    shop.app.close()
    other = Shop(shop.app.url)
    sent_by(Role.VIEWER)
    page = open_page()
    page.goto(f"{serve(lambda: other.service(worker=False)).address}/console/system")
    settings = page.locator("section", has=page.get_by_role("heading", name="Settings"))
    lease = settings.get_by_role("row", name="lease")

    expect(lease).to_contain_text("45 s")
    expect(lease).to_contain_text("ROTULUS_LEASE")
    expect(settings.get_by_role("row", name="token The secret")).to_contain_text("***")
    expect(settings.get_by_role("row", name="slots")).to_contain_text("default")
    assert "url" in settings.get_by_role("row").nth(1).inner_text()
    assert "correct-horse" not in page.content()
    page.close()  # which asks no more
    other.app.close()


def test_the_store_says_how_large_it_is(shop, serve, open_page):
    """And how many rows its tables have."""
    for name in ("ada", "bob", "eve"):
        shop.send.enqueue(name)
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/system")
    store = page.locator("section", has=page.get_by_role("heading", name="Store"))

    expect(store.get_by_role("row", name="jobs")).to_contain_text("3")
    expect(store).to_contain_text("kB")
    expect(store).to_contain_text("5 of 5")


def test_a_worker_is_drained(shop, serve, open_page):
    """After a question; then it says that it ends."""
    page = open_page()
    page.goto(f"{serve(shop.service).address}/console/workers")
    page.get_by_role("button", name="Drain").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("has none to finish")
    question.get_by_role("button", name="Drain it").click()

    expect(page.get_by_text("takes no more jobs, and ends.")).to_be_visible()
    expect(page.get_by_role("button", name="Drain")).to_have_count(0)
    assert all(one.draining_at for one in shop.app.workers.list())


def test_a_webhook_is_added_changed_and_removed(shop, serve, open_page):
    """What is wrong stands beside its field; the secret is shown once."""
    page = open_page()
    page.expected = "422"
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/webhooks")
    page.get_by_role("link", name="Add a webhook").click()
    page.get_by_label("name ").fill("ops-chat")
    page.get_by_label("url ").fill("ftp://example.org")
    page.get_by_label("labels ").fill("customer=7, plan=gold")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".toast")).to_contain_text("give https://")

    page.get_by_label("url ").fill("https://example.org/hook")
    runs = page.get_by_role("group", name="A run has")
    runs.get_by_label("failed").check()
    runs.get_by_label("ended in any way").check()
    expect(runs.get_by_label("failed")).to_be_disabled()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="The secret of ops-chat")).to_be_visible()
    expect(page.get_by_text("whsec_")).to_be_visible()
    added = shop.app.webhooks.get("ops-chat")
    assert {"job.failed", "job.dead", "run.*"} == set(added.events)
    assert {"customer": "7", "plan": "gold"} == dict(added.labels)

    page.get_by_role("link", name="The receiver has it").click()
    row = page.get_by_role("row", name="ops-chat")
    row.get_by_role("link", name="Change").click()
    expect(page.get_by_label("labels ")).to_have_value("customer=7, plan=gold")
    page.get_by_label("labels ").fill("")
    page.get_by_label("task ").fill("mail.*")
    page.get_by_role("button", name="Change it").click()
    expect(row).to_contain_text("of mail.*")
    changed = shop.app.webhooks.get("ops-chat")
    assert ({}, "mail.*", added.events) == (dict(changed.labels), changed.task, changed.events)

    row.get_by_role("link", name="Change").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Nobody is told of anything.")).to_be_visible()
    assert [] == shop.app.webhooks.list()


@pytest.fixture
def fleet(shop):
    """Two workers that are alive, of two versions."""
    for name, version, minutes in (("old", "2026.1", 40), ("new", "2026.2", 20)):
        since = datetime.now(UTC) - timedelta(minutes=minutes)
        info = WorkerInfo(name, "here", 7, None, 4, since, version=version)
        told = info._replace(rotulus="0.1.0", python="3.11.2", memory=250_000_000)
        shop.app.store.extend([], 600.0, told)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
def test_the_overview_marks_deploys_and_pauses_and_says_which_versions_run(
    shop, fleet, serve, open_page, sent_by, role
):
    """To everybody; a pause that is over is told by the audit, to those who may see it."""
    sent_by(role)
    shop.send.enqueue("ada")
    shop.app.queues.pause("mail")
    with shop.app.acting_as("ada"):
        shop.app.queues.pause("other")
        shop.app.queues.resume("other")
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/")

    marks = page.locator(".chart .event")
    for mark in ("2026.1 deployed", "2026.2 deployed", "mail paused"):
        expect(marks.filter(has_text=mark)).to_have_count(1)
    expect(marks.filter(has_text="other")).to_have_count(2 if role is Role.ADMIN else 0)
    page.get_by_role("link", name="Workers run 2 versions: 2026.2 on 1, 2026.1 on 1").click()
    row = page.get_by_role("row", name="old")
    expect(row).to_contain_text("2026.1")
    expect(row).to_contain_text("Rotulus 0.1.0, Python 3.11.2")
    expect(row).to_contain_text("250 MB")


def test_jobs_of_a_queue_that_nobody_serves_come_first(shop, serve, open_page):
    """However many queues have older jobs."""
    shop.app.store.extend([], 600.0, WorkerInfo("w", "here", 7, ("mail",), 4, datetime.now(UTC)))
    shop.send.enqueue("ada")
    shop.send.using(queue="nobodys").enqueue("ben")
    page = open_page()
    page.goto(f"{serve(lambda: shop.service(worker=False)).address}/console/")

    first = page.locator(".queue-line").first
    expect(first).to_contain_text("nobodys")
    expect(first).to_contain_text("no worker")
