"""app.webhooks: receivers outside are told of what happens, each of each event once."""

import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from rotulus import App, Cancel, task
from rotulus.errors import (
    JobNotFoundError,
    OptionError,
    StoreError,
    TaskRegistrationError,
    WebhookConflictError,
    WebhookNotFoundError,
)
from rotulus.events import WebhookMissed, WebhookPaused
from rotulus.stores.shared import changes as shared_changes
from rotulus.testing import drain
from rotulus.webhooks import EVENTS
from rotulus.webhooks.delivering import RETRY
from statement_counter import StatementCounter
from webhook_receiver import LOOPBACK, Answer, Receiver

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture
def loopback(no_settings, monkeypatch):
    """Apps may send to this machine."""
    monkeypatch.setenv("ROTULUS_WEBHOOK_NETWORKS", ",".join(LOOPBACK))


@pytest.fixture
def receiver():
    """A receiver that is there."""
    with Receiver().running() as running:
        yield running


@pytest.fixture
def mail(registry):
    """A task that fails for some numbers, and is cancelled for others."""

    def mail(number: int) -> int:
        if number < 0:
            raise ValueError("too small")
        if number > 9:
            raise Cancel("too large")
        return number

    return task("mail.send", queue="post", registry=registry)(mail)


def deliver(app):
    """Run what is due, tell webhooks of it, and deliver that."""
    drain(app)
    app.tick()
    app.tick()  # the first one may leave it to the worker, which has told something just now
    return [job for job in drain(app) if job.task == "rotulus.deliver_webhook"]


def added(app, receiver, name="ops", events="job.failed", **options):
    """A webhook that leads to the receiver; its secret."""
    return app.webhooks.add(name, receiver.url, events=events, **options).secret


def test_a_receiver_is_told_of_a_job_that_failed(app, mail, receiver):
    """In a message that the package of Standard Webhooks finds to be right, without arguments."""
    secret = added(app, receiver)
    job = mail.using(labels={"customer": "7"}).enqueue(-1)
    mail.enqueue(1)
    deliver(app)

    [got] = receiver.received
    told = Webhook(secret).verify(got.body, got.headers)
    assert {
        "id": job.id,
        "task": "mail.send",
        "queue": "post",
        "state": "failed",
        "run": None,
        "step": None,
        "labels": {"customer": "7"},
    } == told["data"]
    assert "job.failed" == told["type"]
    assert told["timestamp"].endswith("Z")
    assert "/hooks?from=us" == got.path
    assert "application/json" == got.headers["content-type"]


def test_a_failure_that_is_muted_is_not_told(app, mail, receiver):
    """As long as it is muted; what else ends is, and a run that has failed by it."""
    added(app, receiver, events=["job.*", "run.*"])
    mail.enqueue(-1)
    deliver(app)
    [group] = app.failures.groups()
    app.failures.mute(group.fingerprint, until=60)
    receiver.received.clear()
    mail.enqueue(-1)
    mail.enqueue(1)
    deliver(app)
    assert ["job.succeeded"] == [json.loads(got.body)["type"] for got in receiver.received]

    app.failures.unmute(group.fingerprint)
    again = mail.enqueue(-1)
    deliver(app)
    assert again.id == json.loads(receiver.received[-1].body)["data"]["id"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"events": ["job.failed", "job.cancelled"]},
            ["job.cancelled", "job.failed", "job.failed"],
        ),
        ({"events": "job.*", "task": "mail.*"}, ["job.cancelled", "job.failed", "job.succeeded"]),
        ({"events": "job.*", "task": "other"}, ["job.failed"]),
        ({"events": "job.*", "queue": "post"}, ["job.cancelled", "job.failed", "job.succeeded"]),
        ({"events": "job.*", "label": {"a": "b"}}, ["job.failed", "job.succeeded"]),
        ({"events": "job.*", "label": {"a": "b", "c": "d"}, "task": "mail.*"}, ["job.succeeded"]),
        ({"events": "job.*", "label": {"a": "x"}}, []),
        ({"events": "job.dead"}, []),
        ({"events": "run.*"}, []),
    ],
)
def test_it_is_told_of_what_it_wants(app, mail, receiver, options, expected):
    """By the type of the event, the task, the queue and the labels, all together."""

    @task("other", registry=app.registry)
    def other():
        raise OSError

    secret = added(app, receiver, **options)
    mail.using(labels={"a": "b", "c": "d"}).enqueue(1)
    mail.enqueue(-1)
    mail.enqueue(10)
    other.using(labels={"a": "b"}).enqueue()
    deliver(app)

    assert expected == sorted(type_ for type_, _ in receiver.messages(secret))


def test_a_run_is_told_as_a_run_and_as_a_job(app, build, receiver):
    """Its steps are jobs of it."""
    with build("etl") as builder:
        builder.add_task(task("load", registry=app.registry)(lambda: None))
    secret = added(app, receiver, events=["job.*", "run.*"])
    run = app.enqueue("etl")
    deliver(app)

    told = {(type_, data["id"] == run.id): data for type_, data in receiver.messages(secret)}
    assert {("job.succeeded", False), ("job.succeeded", True), ("run.succeeded", True)} == set(told)
    assert (run.id, "load") == (
        told["job.succeeded", False]["run"],
        told["job.succeeded", False]["step"],
    )


def test_what_waits_is_told_of_when_it_is_cancelled(app, mail, receiver):
    """By an operator."""
    secret = added(app, receiver, events="job.cancelled")
    job = mail.using(delay=60).enqueue(1)
    job.cancel()
    deliver(app)

    assert [("job.cancelled", job.id)] == [(t, d["id"]) for t, d in receiver.messages(secret)]


def test_what_was_before_is_not_told(app, mail, receiver):
    """Not even what has begun before, and ends later: that is told."""
    mail.enqueue(-1)
    drain(app)
    secret = added(app, receiver)
    later = mail.enqueue(-2)
    deliver(app)

    assert [later.id] == [data["id"] for _, data in receiver.messages(secret)]


def test_deliveries_are_not_told_of(app, mail, receiver):
    """They would never end."""
    added(app, receiver, events=["job.*", "run.*"])
    receiver.usual = Answer(410)
    mail.enqueue(1)
    deliver(app)
    app.webhooks.resume("ops")
    receiver.usual = Answer(204)
    mail.enqueue(1)
    for _ in range(3):
        deliver(app)

    assert 2 == len(receiver.received) == len(app.webhooks.deliveries())


def test_every_webhook_is_told_by_itself(app, mail, receiver):
    """One that was added later begins later; one whose receiver is away holds up no other."""
    first = added(app, receiver, "first", events="job.*")
    app.webhooks.add("away", "http://127.0.0.1:1/", events="job.*")
    mail.enqueue(1)
    deliver(app)
    second = added(app, receiver, "second", events="job.*")
    mail.enqueue(2)
    deliver(app)

    assert 3 == len(receiver.received)
    assert [1, 2] == [
        len(app.webhooks.deliveries(n, state="succeeded")) for n in ("second", "first")
    ]
    assert {"delayed"} == {str(one.state) for one in app.webhooks.deliveries("away")}
    [told] = app.webhooks.deliveries("second")
    assert told.message in [one.headers["webhook-id"] for one in receiver.received]
    assert first != second


def test_a_message_is_tried_for_three_days(still_app, mail, receiver):
    """At the times that Standard Webhooks proposes; then its delivery has failed."""
    clock = still_app._clock
    secret = added(still_app, receiver)
    mail.enqueue(-1)
    receiver.usual = Answer(500, text="no way")
    deliver(still_app)
    for failures, planned in enumerate(RETRY.delay, 1):
        [waiting] = still_app.webhooks.deliveries("ops")
        left = (waiting.next_at - clock.now()).total_seconds()
        assert planned * 0.75 <= left <= planned * 1.25
        assert (failures, "delayed") == (waiting.tries, waiting.state)
        clock.advance(left)
        drain(still_app)

    [ended] = still_app.webhooks.deliveries("ops", state="failed")
    assert "The receiver of 'ops' answered 500 to job.failed: no way" == ended.error
    assert 10 == len(receiver.received) == ended.tries
    assert [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400] == list(RETRY.delay)
    assert 1 == len({one.headers["webhook-id"] for one in receiver.received})
    assert 10 == len({one.headers["webhook-timestamp"] for one in receiver.received})
    now = int(receiver.received[-1].headers["webhook-timestamp"])
    receiver.received[:-1] = []
    assert receiver.messages(secret, now=now)


@pytest.mark.parametrize("status", [200, 201, 299, 300, 302, 400, 404])
def test_only_200_to_299_says_that_it_has_arrived(app, mail, receiver, status):
    """A redirect does not, and leads nowhere."""
    added(app, receiver)
    receiver.usual = Answer(status, {"Location": "/elsewhere"})
    mail.enqueue(-1)
    deliver(app)

    [told] = app.webhooks.deliveries()
    assert (told.state == "succeeded", told.status) == (
        status < 300,
        status if status < 300 else None,
    )
    assert 1 == len(receiver.received)


def test_a_receiver_that_is_gone_is_told_of_nothing_more(app, mail, receiver):
    """The answer 410 pauses its webhook, says so in the log, and cancels what waits for it."""
    heard = []
    app.events.subscribe(heard.append, WebhookPaused)
    secret = added(app, receiver)
    receiver.answers = [Answer(500), Answer(410)]
    mail.enqueue(-1)
    deliver(app)
    mail.enqueue(-2)
    deliver(app)
    mail.enqueue(-3)
    deliver(app)

    webhook = app.webhooks.get("ops")
    assert ("gone", True) == (webhook.state, webhook.paused)
    assert ["ops"] == [event.webhook for event in heard]
    assert "rotulus webhook resume ops" in heard[0].line()
    assert 2 == len(receiver.received)
    assert ["delayed", "failed"] == sorted(one.state for one in app.webhooks.deliveries())

    assert "active" == app.webhooks.resume("ops").state
    mail.enqueue(-4)
    deliver(app)
    assert 3 == len(receiver.messages(secret))


def test_what_waits_for_a_receiver_that_is_gone_is_cancelled(still_app, mail, receiver):
    """When it is due."""
    added(still_app, receiver)
    receiver.answers = [Answer(500), Answer(410)]
    for number in (-1, -2):
        mail.enqueue(number)
        deliver(still_app)
    still_app._clock.advance(10)
    drain(still_app)

    [cancelled] = still_app.webhooks.deliveries(state="cancelled")
    assert 1 == cancelled.tries
    assert "says that it is gone" in still_app.get(cancelled.id).reason


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "120"}, 120),
        (503, {"Retry-After": "Thu, 01 Jan 2026 00:10:00 GMT"}, 600),
        (502, {}, 60),
        (504, {"Retry-After": "soon"}, 60),
        (429, {"Retry-After": "Thu, 31 Feb 2026 00:10:00 GMT"}, 60),
        (429, {"Retry-After": "99999999"}, 86400),
    ],
)
def test_a_receiver_that_has_too_much_to_do_is_left_alone(
    still_app, mail, receiver, status, headers, seconds
):
    """For as long as it says, by all deliveries of its webhook, without a further try counted."""
    clock = still_app._clock
    added(still_app, receiver)
    receiver.answers = [Answer(status, headers)]
    mail.enqueue(-1)
    deliver(still_app)
    assert timedelta(seconds=seconds) == still_app.webhooks.get("ops").slow_until - clock.now()
    mail.enqueue(-2)
    clock.advance(10)
    deliver(still_app)
    assert 1 == len(receiver.received)
    assert [0, 1] == [one.tries for one in still_app.webhooks.deliveries()]

    clock.advance(seconds + 60)
    drain(still_app)
    assert 3 == len(receiver.received)
    assert [0, 1] == [one.tries for one in still_app.webhooks.deliveries(state="succeeded")]
    assert still_app.webhooks.get("ops").slow_until is None


def test_a_paused_webhook_is_told_of_nothing(still_app, mail, receiver):
    """What waits is put off; what happens meanwhile is not told later."""
    secret = added(still_app, receiver)
    receiver.answers = [Answer(500)]
    mail.enqueue(-1)
    deliver(still_app)
    still_app.webhooks.pause("ops")
    mail.enqueue(-2)
    still_app._clock.advance(10)
    deliver(still_app)
    assert 1 == len(receiver.received)
    assert "paused" == still_app.webhooks.get("ops").state

    still_app.webhooks.resume("ops")
    later = mail.enqueue(-3)
    still_app._clock.advance(80)
    deliver(still_app)
    now = still_app._clock.now().timestamp()
    receiver.received[:1] = []
    assert 2 == len(receiver.messages(secret, now=now))
    assert later.id in [data["id"] for _, data in receiver.messages(secret, now=now)]


def test_what_waits_for_a_webhook_that_was_removed_is_cancelled(still_app, mail, receiver):
    """And says why."""
    added(still_app, receiver)
    receiver.answers = [Answer(500)]
    mail.enqueue(-1)
    deliver(still_app)
    still_app.webhooks.remove("ops")
    still_app._clock.advance(10)
    drain(still_app)

    [told] = still_app.webhooks.deliveries("ops")
    assert ("cancelled", "the webhook 'ops' was removed") == (
        told.state,
        still_app.get(told.id).reason,
    )
    assert 1 == len(receiver.received)


def test_a_secret_that_is_replaced_signs_for_another_day(still_app, mail, receiver):
    """Or until the next one is; what waits is signed with the new one."""
    app, clock = still_app, still_app._clock
    first = added(app, receiver)
    second = app.webhooks.rotate("ops")
    assert first != second.secret
    assert timedelta(days=1) == second.old_secret_until - clock.now()

    def signed_with(*secrets):
        receiver.received.clear()
        mail.enqueue(-1)
        clock.advance(10)
        deliver(app)
        [one] = receiver.received
        signatures = len(one.headers["webhook-signature"].split())
        return signatures, [
            receiver.messages(s, now=clock.now().timestamp()) != [] for s in secrets
        ]

    assert (2, [True, True]) == signed_with(first, second.secret)
    third = app.webhooks.rotate("ops", secret="whsec_" + "QUJD" * 10)
    assert (2, [True, True]) == signed_with(second.secret, third.secret)
    clock.advance(86_400)
    assert (1, [True]) == signed_with(third.secret)
    assert app.webhooks.get("ops").old_secret_until is None


def test_a_delivery_is_sent_again_under_the_same_id(app, mail, receiver):
    """By a delivery of its own; as often as one wants."""
    secret = added(app, receiver)
    mail.enqueue(-1)
    deliver(app)
    [told] = app.webhooks.deliveries("ops")
    again = app.webhooks.replay(told.id)
    app.webhooks.replay(again.id)
    drain(app)

    assert told.id != again.id
    assert {told.message} == {one.headers["webhook-id"] for one in receiver.received}
    assert 3 == len(receiver.messages(secret))
    assert 1 == len({one.body for one in receiver.received})
    assert ["job.failed"] * 3 == [one.event for one in app.webhooks.deliveries()]
    assert {told.subject} == {one.subject for one in app.webhooks.deliveries()}


def test_what_cannot_be_sent_again_is_refused(app, mail, receiver):
    """A job that is no delivery, and a webhook that is paused or gone."""
    added(app, receiver)
    told = app.webhooks.test("ops")
    with pytest.raises(JobNotFoundError, match=r"no delivery of a webhook"):
        app.webhooks.replay(mail.enqueue(1).id)
    with pytest.raises(JobNotFoundError):
        app.webhooks.replay("0" * 8)
    app.webhooks.pause("ops")
    for again in (lambda: app.webhooks.replay(told.id), lambda: app.webhooks.test("ops")):
        with pytest.raises(WebhookConflictError, match=r"app\.webhooks\.resume\('ops'\)"):
            again()
    app.webhooks.remove("ops")
    with pytest.raises(WebhookNotFoundError):
        app.webhooks.replay(told.id)


def test_somebody_may_try_whether_a_message_arrives(app, receiver):
    """With one of a type of its own."""
    secret = added(app, receiver)
    told = app.webhooks.test("ops")
    drain(app)

    assert [("webhook.test", {"webhook": "ops"})] == receiver.messages(secret)
    assert ("webhook.test", None, "queued") == (told.event, told.subject, told.state)


def test_deliveries_are_listed_page_by_page(app, receiver):
    """The last one first, of one webhook or of all, in one state or in several."""
    for name in ("a", "b"):
        added(app, receiver, name)
    ids = [app.webhooks.test(name).id for name in "aabab"]

    page = app.webhooks.deliveries(limit=2)
    following = app.webhooks.deliveries(limit=9, after=page.next)
    assert ids[::-1] == [one.id for one in [*page, *following]]
    assert following.next is None
    assert [ids[4], ids[2]] == [one.id for one in app.webhooks.deliveries("b", state="queued")]
    assert [] == app.webhooks.deliveries("b", state=["failed", "dead"])
    assert [] == app.webhooks.deliveries("no")


def test_a_webhook_is_changed_and_what_waits_follows(still_app, mail, receiver):
    """What is not given stays; a version that is not the last one is refused."""
    app = still_app
    app.webhooks.add(
        "ops", "http://127.0.0.1:1/", events="job.failed", task="mail.*", label={"a": "b"}
    )
    mail.using(labels={"a": "b"}).enqueue(-1)
    deliver(app)
    changed = app.webhooks.set("ops", url=receiver.url, label=None, events=["job.*"], version=1)
    assert (("job.*",), "mail.*", {}, 2) == (
        changed.events,
        changed.task,
        changed.labels,
        changed.version,
    )
    app._clock.advance(10)
    drain(app)

    assert 1 == len(receiver.received)
    with pytest.raises(WebhookConflictError, match="not of version 1"):
        app.webhooks.set("ops", task=None, version=1)
    with pytest.raises(WebhookConflictError, match="not of version 1"):
        app.webhooks.rotate("ops", version=1)
    with pytest.raises(WebhookConflictError, match="not of version 1"):
        app.webhooks.remove("ops", version=1)
    app.webhooks.set("ops", task=None, queue="post")
    assert (None, "post") == (app.webhooks.get("ops").task, app.webhooks.get("ops").queue)
    assert ["ops"] == [one.name for one in app.webhooks.list()]


def test_the_secret_is_shown_once(app, receiver):
    """By the call that gave it, and by no other; nor where a webhook is printed."""
    webhook = app.webhooks.add("ops", receiver.url, events="job.*")

    assert webhook.secret.startswith("whsec_")
    assert webhook.secret not in repr(webhook)
    assert webhook.secret == webhook.to_dict()["secret"]
    assert "" == app.webhooks.get("ops").secret
    assert "secret" not in app.webhooks.list()[0].to_dict()
    assert app.webhooks.rotate("ops").secret not in ("", webhook.secret)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "a b"}, "Webhook name"),
        ({"url": "https://10.0.0.1/"}, "private network.*webhook_networks"),
        ({"url": "https://169.254.169.254/"}, "credentials"),
        ({"url": "ftp://example.com"}, "url="),
        ({"events": []}, "job.failed"),
        ({"events": "job.faild"}, "did you mean 'job.failed'"),
        ({"events": ["run.skipped"]}, "There is no event"),
        ({"events": 7}, "events=7"),
        ({"task": "a b"}, "Task name"),
        ({"queue": ""}, "Queue name"),
        ({"label": {"a": ""}}, "label="),
        ({"secret": "short"}, "24 to 64 bytes"),
        ({"tsk": "mail"}, "did you mean 'task'"),
    ],
)
def test_what_makes_no_sense_is_refused(app, change, words):
    """In words that say what to do; nothing is added."""
    given = {"name": "ops", "url": "https://example.com/", "events": "job.*", **change}
    with pytest.raises(OptionError, match=words):
        app.webhooks.add(**given)

    assert [] == app.webhooks.list()


def test_what_is_not_there_or_taken_is_told(app):
    """With the nearest name."""
    app.webhooks.add("ops", "https://example.com/", events="job.*")
    with pytest.raises(WebhookConflictError, match="already"):
        app.webhooks.add("ops", "https://example.com/", events="job.*")
    with pytest.raises(WebhookNotFoundError, match=r"did you mean 'ops'\? *Webhooks here: ops"):
        app.webhooks.get("opss")
    with pytest.raises(OptionError, match="Nothing to change"):
        app.webhooks.set("ops")
    with pytest.raises(OptionError, match="did you mean 'url'"):
        app.webhooks.set("ops", ulr="https://b.com/")
    for verb in ("pause", "resume", "rotate", "remove", "test"):
        with pytest.raises(WebhookNotFoundError):
            getattr(app.webhooks, verb)("no")


def test_plain_http_needs_a_network_that_is_named(registry, monkeypatch):
    """Else a message would cross the internet for everybody to read."""
    monkeypatch.delenv("ROTULUS_WEBHOOK_NETWORKS")
    app = App("sqlite://", registry=registry)
    with pytest.raises(OptionError, match="not encrypted"):
        app.webhooks.add("ops", "http://example.com/", events="job.*")
    app.close()

    with pytest.raises(OptionError, match=r"webhook_networks = .*10\.1\.2\.3/16 has host bits"):
        App("sqlite://", registry=registry, webhook_networks=["10.1.2.3/16"])


def test_a_receiver_at_a_private_address_is_not_sent_to(registry, mail, receiver, monkeypatch):
    """Unless the worker that sends allows it; it is tried again, as somebody may do so."""
    with App("sqlite://", registry=registry) as app:
        added(app, receiver)
        mail.enqueue(-1)
        monkeypatch.delenv("ROTULUS_WEBHOOK_NETWORKS")
        url = f"https://localhost:{receiver.url.split(':')[2]}"
        app.webhooks.set("ops", url=url)
        app._own.engine.own_tasks[0].function.__self__._sender.networks = ()
        deliver(app)

        [told] = app.webhooks.deliveries()
        assert ("delayed", 1) == (told.state, told.tries)
        assert "127.0.0.1 is this machine" in told.error
        assert [] == receiver.received


def test_events_that_are_missing_are_told(still_app, mail, receiver, monkeypatch):
    """In the log and with the webhook; what is still known is told, and what comes after that."""
    app, clock, heard = still_app, still_app._clock, []
    app.events.subscribe(heard.append, WebhookMissed)
    secret = added(app, receiver, events="job.cancelled")

    def cancelled():
        return mail.using(delay=9999).enqueue(1).cancel()

    cancelled()
    kept = cancelled()
    with monkeypatch.context() as patch:
        patch.setattr(shared_changes, "MOST_CHANGES_KEPT", 2)
        app.store.changes.prune()
    later = cancelled()
    deliver(app)

    now = clock.now().timestamp()
    assert ["ops"] == [event.webhook for event in heard]
    assert "webhook ops has missed events" in heard[0].line()
    assert clock.now() == app.webhooks.get("ops").missed_at
    assert {kept.id, later.id} == {d["id"] for _, d in receiver.messages(secret, now=now)}


def test_a_worker_of_other_queues_delivers_nothing(app, mail, receiver):
    """It tells webhooks, as every worker does; deliveries wait in the queue `webhooks`."""
    added(app, receiver)
    mail.enqueue(-1)
    for _ in range(2):
        app.run_worker(queues=["post"], burst=True)
        app.tick()
        app.tick()

    assert [] == receiver.received
    assert ["queued"] == [one.state for one in app.webhooks.deliveries()]
    assert [] == app.check()
    app.run_worker(queues=["webhooks"], burst=True)
    assert 1 == len(receiver.received)


def test_a_message_of_any_job_is_short(app, registry, receiver):
    """At most 20 KB, whatever its labels are; and they are all there."""
    labels = {f"{number:02}" + "x" * 61: "\U0001f600" * 200 for number in range(16)}
    long = task("t" * 200, queue="q" * 200, registry=registry, labels=labels)(lambda: None)
    secret = added(app, receiver, events="job.*")
    long.enqueue()
    deliver(app)

    assert len(receiver.received[0].body) <= 20 * 1024
    assert labels == receiver.messages(secret)[0][1]["labels"]


def test_where_there_is_no_webhook_one_short_statement_is_sent_now_and_then(registry, monkeypatch):
    """And no change is written."""
    counter = StatementCounter(monkeypatch)
    with App("sqlite://", registry=registry) as app:
        app.tick()
        sent = len(counter.said)
        app.tick()

        ours = [text for text in counter.said[sent:] if "rotulus_webhooks" in text]
        assert 1 == len(ours)
        assert "SELECT name, url" in ours[0]
        assert not [text for text in counter.said[sent:] if "INSERT INTO rotulus_listening" in text]


def test_names_of_our_own_tasks_are_not_for_others(registry):
    """Nobody can register a task in their place."""
    with pytest.raises(TaskRegistrationError, match=r"names that begin with 'rotulus\.'"):
        task("rotulus.deliver_webhook", registry=registry)(lambda: None)

    assert [] == registry.list_all()


def test_the_types_of_events_are_the_ends_of_jobs_and_runs():
    """In the words of their states."""
    assert {
        *("job.succeeded", "job.failed", "job.dead", "job.cancelled", "job.skipped"),
        *("run.succeeded", "run.failed", "run.dead", "run.cancelled"),
    } == set(EVENTS)


def test_inside_of_a_transaction_no_webhook_is_added(app, monkeypatch):
    """It would not be told of what happens before the end of that."""
    monkeypatch.setattr(type(app.store), "in_transaction", True)
    with pytest.raises(StoreError, match="inside of an open transaction"):
        app.webhooks.add("ops", "https://example.com/", events="job.*")


def test_coroutines_have_the_same_verbs(app, receiver):
    """With an `a` in front."""
    import asyncio

    async def verbs():
        webhooks = app.webhooks
        await webhooks.aadd("ops", receiver.url, events="job.*", label={"a": "b"})
        await webhooks.aset("ops", label=None)
        await webhooks.apause("ops")
        await webhooks.aresume("ops")
        rotated = await webhooks.arotate("ops")
        told = await webhooks.atest("ops")
        again = await webhooks.areplay(told.id)
        page = await webhooks.adeliveries("ops", state="queued")
        assert [again.id, told.id] == [one.id for one in page]
        assert rotated.version == (await webhooks.aget("ops")).version
        await webhooks.aremove("ops")
        return await webhooks.alist()

    assert [] == asyncio.run(verbs())


def test_the_secret_is_not_in_the_audit(app):
    """That somebody gave a webhook one is."""
    with app.acting_as("ada"):
        secret = app.webhooks.add(
            "ops", "https://example.com/", events="job.*", secret="whsec_" + "QUJD" * 10
        ).secret
        app.webhooks.rotate("ops", "whsec_" + "REVG" * 10)
    told = [entry.detail for entry in app.audit.find()]

    assert ["…", "…"] == [detail["secret"] for detail in told]
    assert secret not in str(told)
