"""The screen of pushes: what is planned, what Google has when it is asked, and what was delivered."""

from threading import Thread

import pytest
from playwright.sync_api import expect

from console.shop import HOSTILE, Shop
from console.test_accessible import AXE, RUN
from pubsub.pushing import envelope, push
from rotulus._app.roles import Role
from rotulus.pubsub import (
    FakeGoogle,
    LocalVerifier,
    PubSubCarrier,
    PubSubSettings,
    PushHandler,
    TaskRoute,
    apply,
    plan,
)

pytestmark = pytest.mark.anywhere


@pytest.fixture
def google():
    """Pub/Sub and Cloud Scheduler, in this process."""
    with FakeGoogle() as made:
        yield made


class PushedShop(Shop):
    """A shop whose mails are pushed, with a schedule.

    Args:
        url: where its jobs live.
        google: the fake; without it no setting is there.
    """

    def __init__(self, url, google=None):
        super().__init__(url)
        self.settings = PubSubSettings()
        if google is not None:
            self.settings = PubSubSettings.from_env(
                {
                    **google.environment,
                    "GCP_PROJECT_ID": "shop-prod",
                    "CLOUD_RUN_SERVICE_URL": "https://shop.example",
                    "TASKS_SERVICE_ACCOUNT": "a@shop-prod.iam.gserviceaccount.com",
                    "TASKS_NAMESPACE": "shop",
                }
            )
        self.routes = [TaskRoute(self.send), TaskRoute(self.fail, schedule="0 3 * * *")]
        self.app.carry(PubSubCarrier(self.routes, self.settings))
        self.handler = PushHandler(
            self.app, self.routes, verifier=LocalVerifier(), settings=self.settings
        )

    def push(self, body, peer="127.0.0.1"):
        """Push a message beside the event loop of the browser."""
        pushing = Thread(target=self.handler.handle, args=[push(body, peer=peer)])
        pushing.start()
        pushing.join()

    def mail(self, to):
        """Push a message of `mail.send` that has no job yet."""
        told = {"task_name": "send", "args": [], "kwargs": {"to": to}}
        self.push(envelope(told, attributes={"task": "mail.send"}))


@pytest.fixture
def shop(tmp_path, google):
    """A shop that is pushed to."""
    made = PushedShop(f"sqlite:///{tmp_path}/shop.db", google)
    yield made
    made.gate.set()
    made.app.close()


def at(serve, shop):
    """The address of the screen."""
    return f"{serve(lambda: shop.service(worker=False)).address}/console/push"


def test_without_routes_the_screen_teaches(tmp_path, serve, open_page):
    """With lines to copy, also on a narrow page."""
    alone = Shop(f"sqlite:///{tmp_path}/alone.db")
    page = open_page(width=390)
    page.goto(at(serve, alone))

    expect(page.get_by_text("Nothing is pushed.")).to_be_visible()
    expect(page.get_by_text("app.carry(PubSubCarrier([TaskRoute(send_welcome)]))")).to_be_visible()
    expect(page.get_by_role("button", name="Ask Google")).to_have_count(0)
    right = page.locator(".empty").evaluate(
        "it => Math.max(...[...it.querySelectorAll('*')].map(x => x.getBoundingClientRect().right))"
    )
    assert right <= 390
    page.close()  # which asks no more
    alone.app.close()


def test_google_is_asked_when_somebody_wants_it(shop, serve, open_page):
    """What is planned is there at once; what is missing and what differs has a word each."""
    page = open_page()
    page.goto(at(serve, shop))
    expect(page.get_by_text("Google was not asked").first).to_be_visible()
    expect(page.get_by_text("dev--shop.tasks--console.shop.send-sub")).to_be_visible()
    assert not any("$plan" in url for url in page.asked)

    page.get_by_role("button", name="Ask Google").click()
    expect(page.get_by_text("8 of 8 resources are not as planned.")).to_be_visible()
    expect(page.get_by_text("missing", exact=True)).to_have_count(8)
    expect(page.get_by_text("rotulus gcp apply")).to_be_visible()

    old = [TaskRoute(self.func, ack_deadline=120) for self in shop.routes]
    apply(plan(old, shop.settings))
    page.get_by_role("button", name="Ask Google").click()
    expect(page.get_by_text("3 of 8 resources are not as planned.")).to_be_visible()
    page.get_by_role("radio", name="not as planned").click()
    expect(page.get_by_text("differs", exact=True)).to_have_count(2)
    expect(page.get_by_text("missing", exact=True)).to_have_count(1)
    changed = page.locator(".differs").first
    expect(changed).to_contain_text("ack deadline")
    assert ["120", "300"] == [changed.locator(one).inner_text() for one in ("del", "ins")]

    apply(plan(shop.routes, shop.settings))
    page.get_by_role("button", name="Ask Google").click()
    expect(page.get_by_text("Everything at Google is as planned.")).to_be_visible()
    expect(page.get_by_text("Everything is as planned.")).to_be_visible()


def test_deliveries_appear_as_they_come(shop, serve, open_page):
    """With verdict, answer and job; those that were refused say why."""
    page = open_page()
    page.goto(at(serve, shop))
    expect(page.get_by_text("Nothing was pushed to this process so far.")).to_be_visible()

    shop.mail("ada")
    row = page.get_by_role("row", name="mail.send")
    expect(row).to_contain_text("this machine")
    expect(row).to_contain_text("200 OK")
    shop.push({}, peer="10.1.2.3")
    refused = page.get_by_role("row", name="refused")
    expect(refused).to_contain_text("403 Unauthorized")
    expect(refused).to_contain_text("The request comes from 10.1.2.3")

    page.get_by_role("radio", name="refused").click()
    expect(row).to_have_count(0)
    assert page.url.endswith("?sender=refused")
    page.go_back()
    row.get_by_role("link").click()
    expect(page).to_have_title("mail.send · Shop")


def test_what_a_message_says_is_text(shop, serve, open_page):
    """However hostile its names are."""
    page = open_page()
    shop.push(envelope({"task_name": HOSTILE.replace("\0", ""), "args": [], "kwargs": {}}))
    page.goto(at(serve, shop))

    expect(page.get_by_text("<img src=x").first).to_be_visible()
    expect(page).to_have_title("Push · Shop")


def test_only_the_first_deliveries_are_shown(shop, serve, open_page):
    """Until somebody wants all of them: the resources stand below."""
    page = open_page()
    for number in range(15):
        shop.mail(f"ada-{number}")
    page.goto(at(serve, shop))

    expect(page.get_by_role("row", name="mail.send")).to_have_count(10)
    page.get_by_role("button", name="Show all 15").click()
    expect(page.get_by_role("row", name="mail.send")).to_have_count(15)


def test_settings_that_are_missing_are_named(tmp_path, serve, open_page):
    """Each with a line to copy; Google cannot be asked without them."""
    shop = PushedShop(f"sqlite:///{tmp_path}/shop.db")
    page = open_page()
    page.goto(at(serve, shop))

    expect(page.get_by_text("GCP_PROJECT_ID=shop-prod")).to_be_visible()
    expect(page.get_by_text("planned", exact=True).first).to_be_visible()
    expect(page.get_by_role("button", name="Ask Google")).to_have_count(0)
    page.close()  # which asks no more
    shop.app.close()


def test_why_google_was_not_asked_is_said(shop, serve, open_page):
    """And what was found before stays."""
    page = open_page()
    page.expected = "ERR_"
    server = serve(lambda: shop.service(worker=False))
    page.goto(f"{server.address}/console/push")
    page.get_by_role("button", name="Ask Google").click()
    expect(page.get_by_text("missing", exact=True)).to_have_count(8)
    server.stop()
    page.get_by_role("button", name="Ask Google").click()
    expect(page.get_by_role("alert").first).to_contain_text("The server does not answer.")
    expect(page.get_by_text("missing", exact=True)).to_have_count(8)
    server.start()


def test_a_viewer_looks_and_asks_nobody(shop, serve, open_page, sent_by):
    """There is no button that would be refused."""
    sent_by(Role.VIEWER)
    shop.mail("ada")
    page = open_page()
    page.goto(at(serve, shop))

    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    expect(page.get_by_role("button", name="Ask Google")).to_have_count(0)


def test_the_keys_lead_to_it(shop, serve, open_page):
    """`g` and `p`, and not the pause."""
    page = open_page()
    page.goto(at(serve, shop).replace("/push", "/system"))
    expect(page).to_have_title("System · Shop")
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_title("Push · Shop")
    expect(page.get_by_text("Live")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(shop, serve, open_page, theme, width):
    """Before and after Google was asked, with deliveries of each kind."""
    shop.mail("ada")
    shop.push({}, peer="10.1.2.3")
    apply(plan([TaskRoute(shop.send, ack_deadline=120)], shop.settings))
    page = open_page(theme=theme, width=width, bypass_csp=True, reduced_motion="reduce")
    page.goto(at(serve, shop))
    expect(page.get_by_text("Google was not asked").first).to_be_visible()
    page.add_script_tag(path=AXE)
    before = page.evaluate(RUN)
    page.get_by_role("button", name="Ask Google").click()
    expect(page.get_by_text("differs", exact=True).first).to_be_visible()

    assert ([], []) == (before, page.evaluate(RUN))
