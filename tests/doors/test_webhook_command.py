"""`rotulus webhook`: what it prints and changes, and what it says about what cannot be."""

import json
import threading

import pytest

from doors.shops import BOTH, opened
from doors.test_cli import SHOP, lines
from rotulus.testing import drain
from webhook_receiver import LOOPBACK, Answer, Receiver

pytestmark = pytest.mark.anywhere


@pytest.fixture(params=BOTH)
def shop(request, no_settings, tmp_path, monkeypatch):
    """An app, and the program run on it; it may send to this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ROTULUS_WEBHOOK_NETWORKS", ",".join(LOOPBACK))
    with opened(tmp_path, SHOP, request.param) as made:
        made("migrate")
        yield made
        made.app.close()


@pytest.fixture
def receiver():
    """A receiver that is there."""
    with Receiver().running() as running:
        yield running


def shown(shop, name="ops"):
    """A webhook."""
    return json.loads(shop("webhook", "show", name, "--json"))


def test_a_webhook_from_its_beginning_to_its_end(shop):
    """Added, shown, changed, paused, resumed, given another secret, and removed."""
    words = ("--event", "job.failed", "--event", "run.*", "--task", "emails.*", "--label", "a=b")
    secret = shop("webhook", "add", "ops", "https://example.com/x", *words).strip()
    assert secret.startswith("whsec_")
    assert "shown this once" in shop.err
    assert secret not in shop("webhook", "ls") + shop("webhook", "ls", "--json")
    [row] = map(json.loads, lines(shop("webhook", "ls", "--json")))
    assert ("ops", ["job.failed", "run.*"], "emails.*", None, {"a": "b"}, "active", 1) == tuple(
        row[name] for name in ("name", "events", "task", "queue", "labels", "state", "version")
    )
    assert row == shown(shop)

    table = shop("webhook", "ls")
    assert "https://example.com/x  job.failed, run.*  emails.*, a=b  active" in table
    shop(
        "webhook",
        "set",
        "ops",
        "--to",
        "https://b.com/",
        "--any-task",
        "--any-label",
        "--queue",
        "mail",
    )
    row = shown(shop)
    assert ("https://b.com/", None, "mail", {}, 2) == tuple(
        row[name] for name in ("url", "task", "queue", "labels", "version")
    )
    shop("webhook", "set", "ops", "--event", "job.*", "--version", "1", code=3)
    assert "rotulus webhook resume ops" in shop("webhook", "pause", "ops")
    assert "paused" == shown(shop)["state"]
    assert "Resumed ops." in shop("webhook", "resume", "ops")
    other = shop("webhook", "rotate", "ops").strip()
    assert other.startswith("whsec_")
    assert other != secret
    assert "old secret until" in shop("webhook", "show", "ops")
    shop("webhook", "rm", "ops", "no", code=5)
    assert "Removed ops." in shop("webhook", "rm", "ops", "ops")
    assert "" == shop("webhook", "ls")
    assert "rotulus webhook add NAME URL" in shop.err


def test_what_is_delivered_is_listed_and_sent_again(shop, receiver):
    """Page by page; and whoever wants to know whether a message arrives can try."""
    shop("webhook", "add", "ops", receiver.url, "--event", "job.*")
    first = shop("webhook", "test", "ops").strip()
    second = shop("webhook", "test", "ops").strip()
    receiver.answers = [Answer(204), Answer(500, text="not now")]
    drain(shop.app, slots=1)
    told = shop("webhook", "deliveries", "ops")
    assert "webhook.test" in told
    assert "answered 204" in told
    assert "answered 500 to webhook.test: not now" in told
    [one] = map(json.loads, lines(shop("webhook", "deliveries", "--limit", "1", "--json")))
    assert (second, {"webhook": "ops"}) == (one["id"], one["body"]["data"])
    after = shop.err.split("--after ")[1].strip()
    rest = shop("webhook", "deliveries", "--limit", "1", "--after", after, "--json")
    assert [first] == [json.loads(line)["id"] for line in lines(rest)]
    assert "" == shop("webhook", "deliveries", "--state", "cancelled")

    again = shop("webhook", "replay", first).strip()
    drain(shop.app)
    assert 3 == len(receiver.received)
    assert receiver.received[2].headers["webhook-id"] == receiver.received[0].headers["webhook-id"]
    assert again != first


@pytest.mark.parametrize("shop", ["store"], indirect=True)  # its worker sees variables of commands
def test_a_test_may_wait_for_the_answer(shop, receiver):
    """That of the receiver, or why there was none."""
    shop("webhook", "add", "ops", receiver.url, "--event", "job.*")
    worker = threading.Thread(target=shop.app.run_worker)
    worker.start()
    try:
        assert "The receiver of ops answered 204." in shop("webhook", "test", "ops", "--wait")
        receiver.usual = Answer(410)
        shop("webhook", "test", "ops", "--wait", code=1)
    finally:
        shop.app.stop()
        worker.join()


def test_that_no_worker_delivers_is_said(shop, receiver):
    """Where workers run that serve other queues; where none runs, nothing is."""
    shop("webhook", "add", "ops", receiver.url, "--event", "job.*")
    assert "No worker serves" not in shop.err
    worker = threading.Thread(target=shop.app.run_worker, kwargs={"queues": ["mail"]})
    worker.start()
    try:
        while not shop.app.workers.list():
            pass
        shop("webhook", "ls")
        assert "rotulus worker --queues webhooks" in shop.err
    finally:
        shop.app.stop()
        worker.join()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("add", "a", "https://example.com/"), 2, "Which events?"),
        (("add", "a", "http://10.0.0.1/", "--event", "job.*"), 2, "private network"),
        (
            ("add", "a", "https://example.com/", "--event", "job.faild"),
            2,
            "did you mean 'job.failed'",
        ),
        (("set", "ops"), 2, "Nothing to change"),
        (("show", "opps"), 5, "did you mean 'ops'"),
        (("replay", "12345678"), 5, "No job"),
        (("add", "ops", "https://example.com/", "--event", "job.*"), 3, "already"),
    ],
)
def test_what_cannot_be_is_told(shop, words, code, says):
    """In one line that says what to do."""
    shop("webhook", "add", "ops", "https://example.com/", "--event", "job.*")
    shop("webhook", *words, code=code)

    assert says in shop.err
