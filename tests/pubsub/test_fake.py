"""What the fake does that Google's emulator does not, and what it does when the clock is set."""

import json
import urllib.request
from datetime import UTC, datetime

import jwt
import pytest
from google.api_core.exceptions import InvalidArgument, ServiceUnavailable
from google.cloud.scheduler_v1 import HttpTarget, Job, OidcToken, PubsubTarget, RetryConfig
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import (
    DeadLetterPolicy,
    PubsubMessage,
    PushConfig,
    RetryPolicy,
    Subscription,
)
from hypothesis import given
from hypothesis import strategies as st

from pubsub.receiver import Receiver
from rotulus.pubsub.fake import FakeGoogle, Faults
from rotulus.pubsub.fake.filters import read_filter
from rotulus.pubsub.fake.requests import Refused
from rotulus.testing import SettableClock

TOPIC = "projects/shop/topics/mail"
NAME = "projects/shop/subscriptions/mail-sub"
PARENT = "projects/shop/locations/europe-west2"


@pytest.fixture
def clock():
    """A clock that moves when it is told to."""
    return SettableClock(datetime(2026, 11, 1, 12, 0, 30, tzinfo=UTC))


@pytest.fixture
def still(clock):
    """A fake that does what is due when it is told to."""
    with FakeGoogle(clock) as made:
        yield made


@pytest.fixture
def shop(still, project):
    """Clients of the fake that stands still."""
    return project(still.host, still.host).clients


def subscribe(clients, url="", **settings):
    """A topic, and a subscription of it that pushes to a URL."""
    clients.publisher.create_topic(name=TOPIC)
    token = PushConfig.OidcToken(service_account_email="push@shop.example", audience="shop")
    request = Subscription(
        name=NAME,
        topic=TOPIC,
        push_config=PushConfig(push_endpoint=url, oidc_token=token),
        retry_policy=RetryPolicy(
            minimum_backoff=Duration(seconds=10), maximum_backoff=Duration(seconds=100)
        ),
        **settings,
    )
    clients.subscriber.create_subscription(request=request)


def publish(clients, data=b"x", **attributes):
    """One message."""
    message = PubsubMessage(data=data, attributes=attributes)
    [made] = clients.publisher.publish(topic=TOPIC, messages=[message], retry=None).message_ids
    return made


def test_a_push_has_a_token_that_the_key_set_proves(still, shop, clock):
    """Issuer, audience, account and times are as Google's are."""
    with Receiver() as receiver:
        subscribe(shop, receiver.url)
        publish(shop)
        assert 1 == still.tick()
        token = receiver.next()[0]["Authorization"].removeprefix("Bearer ")
    with urllib.request.urlopen(still.environment["ROTULUS_OIDC_JWKS_URL"]) as answer:
        keys = jwt.PyJWKSet.from_dict(json.load(answer))

    claims = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]].key,
        ["RS256"],
        audience="shop",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert "https://accounts.google.com" == claims["iss"]
    assert ("push@shop.example", True) == (claims["email"], claims["email_verified"])
    assert 3600 == claims["exp"] - claims["iat"]
    assert clock.now().timestamp() == claims["iat"]


def test_after_a_rotation_tokens_have_a_key_that_the_old_set_has_not(still):
    """A verifier that knows the old set has to ask again."""
    before = still.signer.keys["keys"][0]["kid"]
    still.signer.rotate()

    kid = jwt.get_unverified_header(still.signer.token("a", "b@c"))["kid"]
    assert before != kid == still.signer.keys["keys"][0]["kid"]


def test_a_refusal_is_tried_again_after_a_back_off_that_doubles(still, shop, clock):
    """After 10, 20, 40, 80, 100, 100 seconds; never earlier."""
    with Receiver(500) as receiver:
        subscribe(shop, receiver.url)
        publish(shop)
        assert 1 == still.tick()
        for seconds in (10, 20, 40, 80, 100, 100):
            clock.advance(seconds - 1)
            assert 0 == still.tick()
            clock.advance(1)
            assert 1 == still.tick()


def test_a_back_off_ends_at_the_longest_however_often_it_was_doubled(still, shop):
    """Also where no dead-letter topic ever takes the message away."""
    with Receiver(500) as receiver:
        subscribe(shop, receiver.url)
    [inbox] = still.broker.inboxes.values()

    assert 100 == inbox.back_off(5_000)


def test_an_answer_that_does_not_come_counts_as_none_after_the_deadline(still, shop, clock):
    """The message is pushed again while the first push is still on its way."""
    with Receiver() as receiver:
        subscribe(shop, receiver.url, ack_deadline_seconds=30)
        publish(shop)
        receiver.may_answer.clear()
        still.tick(wait=0)
        receiver.next()
        clock.advance(29)
        assert 0 == still.tick(wait=0)
        clock.advance(1)
        assert 0 == still.tick(wait=0)  # the deadline has passed, and the back-off begins
        clock.advance(10)
        assert 1 == still.tick(wait=0)
        receiver.next()
        receiver.may_answer.set()
        assert receiver.no_more(0.2)


def test_dead_letters_leave_after_their_last_try(still, shop, clock):
    """With how often they were tried, which each push says, too."""
    dead = "projects/shop/topics/dead"
    shop.publisher.create_topic(name=dead)
    shop.subscriber.create_subscription(name="projects/shop/subscriptions/dead", topic=dead)
    policy = DeadLetterPolicy(dead_letter_topic=dead, max_delivery_attempts=5)
    with Receiver(429) as receiver:
        subscribe(shop, receiver.url, dead_letter_policy=policy)
        publish(shop, b"letter", task="mail")
        counted = []
        for _ in range(7):
            still.tick()
            clock.advance(100)
        counted = [receiver.next()[1]["deliveryAttempt"] for _ in range(5)]
        assert receiver.no_more(0.2)
    got = shop.subscriber.pull(subscription="projects/shop/subscriptions/dead", max_messages=5)
    [letter] = got.received_messages

    assert [1, 2, 3, 4, 5] == counted
    assert b"letter" == letter.message.data
    assert "mail" == letter.message.attributes["task"]
    assert "5" == letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"]


def test_without_its_dead_letter_topic_a_message_is_tried_for_ever(still, shop, clock):
    """As Google does: nothing is lost because a topic is missing."""
    policy = DeadLetterPolicy(
        dead_letter_topic="projects/shop/topics/none", max_delivery_attempts=5
    )
    with Receiver(500) as receiver:
        subscribe(shop, receiver.url, dead_letter_policy=policy)
        publish(shop)
        for _ in range(8):
            assert 1 == still.tick()
            clock.advance(100)


FILTERS = {
    'attributes.kind = "a"': [True, False, False],
    'attributes.kind != "a"': [False, True, False],
    "attributes:kind": [True, True, False],
    "NOT attributes:kind": [False, False, True],
    "-attributes:kind": [False, False, True],
    'hasPrefix(attributes.kind, "b")': [False, True, False],
    'attributes.kind = "a" OR attributes.other = "c"': [True, False, True],
    'attributes:kind AND NOT (attributes.kind = "a")': [False, True, False],
    'attributes."kind" = "a"': [True, False, False],
    "": [True, True, True],
}


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_lets_through_what_it_says(text):
    """By attributes, as Google's language of filters has it."""
    messages = [{"kind": "a"}, {"kind": "bb"}, {"other": "c"}]

    assert FILTERS[text] == list(map(read_filter(text), messages))


@given(st.text('attributes.:="ab ()-!ANDORNT,', max_size=30))
def test_a_filter_that_cannot_be_read_is_refused(text):
    """Whatever it is, it is read or refused."""
    try:
        read_filter(text)({"a": "b"})
    except Refused as refused:
        assert text in refused.text


def test_what_a_filter_keeps_out_is_never_pushed(still, shop):
    """The subscription does not have it at all."""
    with Receiver() as receiver:
        subscribe(shop, receiver.url, filter='attributes.kind = "a"')
        publish(shop, kind="b")
        publish(shop, kind="a")
        assert 1 == still.tick()
        assert "a" == receiver.next()[1]["message"]["attributes"]["kind"]


def test_a_lost_push_is_sent_again_after_its_deadline(still, shop, clock):
    """The fault is asked for, once."""
    still.faults.next("drop")
    with Receiver() as receiver:
        subscribe(shop, receiver.url, ack_deadline_seconds=60)
        publish(shop)
        assert 0 == still.tick()
        clock.advance(60)
        still.tick()
        clock.advance(10)
        assert 1 == still.tick()
        receiver.next()


def test_a_doubled_push_arrives_twice(still, shop):
    """With one and the same message id."""
    still.faults.next("duplicate")
    with Receiver() as receiver:
        subscribe(shop, receiver.url)
        made = publish(shop)
        assert 2 == still.tick()
        assert [made] * 2 == [receiver.next()[1]["message"]["messageId"] for _ in range(2)]


def test_publishing_is_refused_when_it_is_told_to(still, shop):
    """So often, and then it works again."""
    subscribe(shop)
    still.faults.next("refuse")

    with pytest.raises(ServiceUnavailable):
        publish(shop)
    assert publish(shop)


def test_faults_come_at_their_rate_and_come_back_by_their_seed():
    """Two with the same seed do the same."""
    one, other = (Faults(drop=0.3, seed=7) for _ in range(2))
    happened = [one.happens("drop") for _ in range(1000)]

    assert happened == [other.happens("drop") for _ in range(1000)]
    assert 240 < sum(happened) < 360
    assert not any(one.happens("duplicate") for _ in range(100))


def make_job(clients, **fields):
    """A job of Cloud Scheduler."""
    job = Job(name=f"{PARENT}/jobs/a-job", time_zone="Europe/London", **fields)
    return clients.scheduler.create_job(parent=PARENT, job=job)


def test_a_job_publishes_when_its_time_has_come(still, shop, clock):
    """Each time the very same message, in the zone of its schedule."""
    subscribe(shop)
    target = PubsubTarget(topic_name=TOPIC, data=b"now", attributes={"task": "mail"})
    made = make_job(shop, schedule="30 14 * * *", pubsub_target=target)
    assert datetime(2026, 11, 1, 14, 30, tzinfo=UTC) == made.schedule_time

    clock.set(datetime(2026, 11, 1, 14, 29, 59, tzinfo=UTC))
    still.tick()
    assert not shop.subscriber.pull(subscription=NAME, max_messages=5).received_messages
    clock.advance(1)
    still.tick()
    clock.advance(24 * 3600)
    still.tick()
    got = shop.subscriber.pull(subscription=NAME, max_messages=5).received_messages

    assert [b"now", b"now"] == [one.message.data for one in got]
    assert 2 == len({one.message.message_id for one in got})


def test_a_job_that_is_paused_does_not_fire(still, shop, clock):
    """Until it is resumed; what it has missed is missed."""
    subscribe(shop)
    target = PubsubTarget(topic_name=TOPIC, data=b"now")
    name = make_job(shop, schedule="* * * * *", pubsub_target=target).name
    shop.scheduler.pause_job(name=name)
    clock.advance(600)
    still.tick()
    shop.scheduler.resume_job(name=name)
    clock.advance(60)
    still.tick()

    got = shop.subscriber.pull(subscription=NAME, max_messages=5).received_messages
    assert 1 == len(got)


def test_a_job_that_calls_an_endpoint_has_a_token_and_is_tried_again(still, shop, clock):
    """As often as it says, after 5, 10 and 20 seconds."""
    token = OidcToken(service_account_email="push@shop.example", audience="shop")
    retry = RetryConfig(
        retry_count=3,
        min_backoff_duration=Duration(seconds=5),
        max_backoff_duration=Duration(seconds=300),
    )
    with Receiver(503) as receiver:
        url = receiver.url
        target = HttpTarget(uri=url, oidc_token=token, body=b"{}")
        make_job(shop, schedule="0 13 * * *", http_target=target, retry_config=retry)
        clock.set(datetime(2026, 11, 1, 13, 0, tzinfo=UTC))
        still.tick()
        assert receiver.next()[0]["Authorization"].startswith("Bearer ey")
        for seconds in (5, 10, 20):
            clock.advance(seconds - 1)
            still.tick()
            clock.advance(1)
            still.tick()
            receiver.next()
        clock.advance(3600)
        still.tick()
        assert receiver.no_more(0.2)


def test_a_job_that_google_would_refuse_is_refused(shop):
    """A wrong schedule, zone, name, number of retries, or no target."""
    target = PubsubTarget(topic_name=TOPIC, data=b"now")
    wrong = [
        {"schedule": "0 25 * * *", "pubsub_target": target},
        {"schedule": "* * * * * *", "pubsub_target": target},
        {"schedule": "* * * * *"},
        {
            "schedule": "* * * * *",
            "pubsub_target": target,
            "retry_config": RetryConfig(retry_count=9),
        },
    ]

    for fields in wrong:
        with pytest.raises(InvalidArgument):
            make_job(shop, **fields)
    for name in ("with.dots", "with space", "x" * 501):
        job = Job(name=f"{PARENT}/jobs/{name}", schedule="* * * * *", pubsub_target=target)
        with pytest.raises(InvalidArgument):
            shop.scheduler.create_job(parent=PARENT, job=job)


def test_on_the_clock_of_the_machine_everything_happens_by_itself(faked):
    """Nobody has to tell the fake what is due."""
    with Receiver(500, 200) as receiver:
        faked.clients.publisher.create_topic(name=TOPIC)
        soon = RetryPolicy(
            minimum_backoff=Duration(nanos=50_000_000), maximum_backoff=Duration(seconds=1)
        )
        push = PushConfig(push_endpoint=receiver.url)
        request = Subscription(name=NAME, topic=TOPIC, push_config=push, retry_policy=soon)
        faked.clients.subscriber.create_subscription(request=request)
        made = publish(faked.clients)

        assert [made] * 2 == [receiver.next()[1]["message"]["messageId"] for _ in range(2)]
        assert receiver.no_more(0.5)
