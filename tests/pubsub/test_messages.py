"""Messages: what is published of a job is what is read of its push, and nothing else is read."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pubsub.pushing import envelope, push
from rotulus._jobs.record import JobRecord, micros
from rotulus._text import jsontext
from rotulus.pubsub.http import PushRequest
from rotulus.pubsub.messages import (
    MessageError,
    key_of,
    most_bytes,
    read_push,
    write_message,
    write_scheduled,
)

JOB = "0197f3a0-0000-7000-8000-000000000001"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def record(arguments, task="mail.send"):
    """A job as its store has it."""
    return JobRecord(
        id=JOB,
        arguments=arguments,
        key=None,
        limit_key=None,
        instant=None,
        labels=None,
        headers=None,
        task=task,
        queue="_pubsub",
        priority=0,
        state="queued",
        created_at=micros(datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
        run_at=0,
    )


@pytest.mark.requirement("G-32")
def test_a_message_is_what_the_document_shows():
    """Five keys, and a time with its offset; the attribute is the registered name."""
    message = write_message(record('{"user_id":7,"locale":"en"}'), "send")

    assert json.loads(message.data) == {
        "task_id": JOB,
        "task_name": "send",
        "args": [],
        "kwargs": {"user_id": 7, "locale": "en"},
        "enqueued_at": "2024-01-15T10:30:00+00:00",
    }
    assert {"task": "mail.send", "job": JOB} == message.attributes
    assert timedelta(0) == datetime.fromisoformat("2024-01-15T10:30:00+00:00").utcoffset()


@pytest.mark.requirement("G-33")
def test_a_scheduled_message_has_an_id_of_its_own_and_no_time():
    """The id begins with `scheduled-`."""
    data = write_scheduled("7f000000-0000-4000-8000-000000000000", "cleanup")
    told = read_push(push(envelope(data)))

    assert "enqueued_at" not in json.loads(data)
    assert "scheduled-7f000000-0000-4000-8000-000000000000" == told.task_id
    assert told.is_scheduled
    assert ([], {}) == (told.args, told.kwargs)


def test_further_arguments_stand_where_a_call_has_them():
    """Those by position in `args`, those of any name among the others."""
    message = write_message(record('{"a":1,"*":[2,3],"**":{"b":4}}'), "send")
    told = read_push(push(envelope(message.data)))

    assert ([2, 3], {"a": 1, "b": 4}) == (told.args, told.kwargs)


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=8), JSON, max_size=4))
def test_whatever_a_job_can_hold_comes_back(arguments):
    """Character by character."""
    message = write_message(record(jsontext.encode(arguments)), "send")
    told = read_push(push(envelope(message.data, attributes=message.attributes)))

    assert arguments == told.kwargs
    assert JOB == told.task_id


def test_the_deepest_and_the_largest_arguments_come_back():
    """What a store takes is not refused by who reads the message."""
    deep = []
    for _ in range(jsontext.MAX_DEPTH - 2):
        deep = [deep]
    text = jsontext.encode({"deep": deep})
    large = jsontext.encode({"large": "ä" * (jsontext.MAX_BYTES // 2 - 10)})
    for arguments in (text, large):
        body = envelope(write_message(record(arguments), "send").data)
        assert json.loads(arguments) == read_push(push(body)).kwargs

    with pytest.raises(jsontext.NotJSONError):
        jsontext.encode({"deep": [[deep]]})


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b'{"message": {}, "message": {}}', "Invalid JSON"),
        (b'{"message": NaN}', "Invalid JSON"),
        (b"[" * 5000, "Invalid JSON"),
        ([], "Invalid message format"),
        (None, "Invalid message format"),
        ("text", "Invalid message format"),
        ({}, "Invalid message format"),
        ({"message": None}, "Invalid message format"),
        ({"message": []}, "Invalid message format"),
        ({"message": {}}, "Missing data field"),
        ({"message": {"data": ""}}, "Missing data field"),
        ({"message": {"data": None}}, "Missing data field"),
        ({"message": {"data": 7}}, "Invalid message data"),
        ({"message": {"data": ["e30="]}}, "Invalid message data"),
        ({"message": {"data": "e30"}}, "Invalid message data"),
        ({"message": {"data": "no base64!"}}, "Invalid message data"),
        ({"message": {"data": "ä"}}, "Invalid message data"),
        ({"message": {"data": base64.b64encode(b"{").decode()}}, "Invalid message data"),
        ({"message": {"data": base64.b64encode(b"\xff").decode()}}, "Invalid message data"),
        (envelope([]), "Invalid message format"),
        (envelope({"task_name": "a", "args": {}}), "Invalid message format"),
        (envelope({"task_name": "a", "kwargs": []}), "Invalid message format"),
        (envelope({"task_name": "a", "kwargs": None}), "Invalid message format"),
        (envelope({"task_name": "a", "task_id": 7}), "Invalid message format"),
        (envelope({}), "Missing task_name"),
        (envelope({"task_name": ""}), "Missing task_name"),
        (envelope({"task_name": ["a"]}), "Missing task_name"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_told_in_a_few_words(body, answer):
    """None of them from the body."""
    with pytest.raises(MessageError) as refused:
        read_push(push(body))

    assert answer == str(refused.value)


def test_a_message_that_is_too_large_is_not_read():
    """Nor looked into."""
    with pytest.raises(MessageError, match="Message too large"):
        read_push(push(b" " * (most_bytes() + 1)))


def test_the_id_of_a_message_is_found_in_what_is_wrong():
    """So that it is known again: by its id, or by its body if it has none."""

    def refused(body):
        with pytest.raises(MessageError) as error:
            read_push(push(body))
        return error.value.envelope

    assert "pubsub:a-sub:17" == key_of(refused(envelope([], message_id="17")))
    assert refused(b"{") == refused(b"{")
    assert refused(b"{") != refused(b"[")


@pytest.mark.parametrize("weird", ["x" * 5000, "ä", "a\nb", "a\0b", "", 7, None, {}])
def test_ids_of_any_kind_make_keys(weird):
    """Of printable text, and of no more than 400 characters."""
    body = envelope({"task_name": "a", "task_id": weird if isinstance(weird, str) else ""})
    body["message"]["messageId"] = weird
    body["subscription"] = weird
    key = read_push(push(body)).key

    assert key.isprintable()
    assert len(key) <= 400


def test_each_firing_has_a_key_of_its_own():
    """By the message id, as the payload is the same; its redelivery has the same key."""
    data = write_scheduled("7f000000-0000-4000-8000-000000000000", "cleanup")
    first, second = (read_push(push(envelope(data, message_id=i))) for i in ("1", "2"))
    again = read_push(push(envelope(data, message_id="1", deliveryAttempt=2)))

    assert first.key != second.key
    assert first.key == again.key
    assert first.task_id == second.task_id


def test_a_message_of_another_publisher_has_the_key_of_its_task_id():
    """Published twice, it is one, whatever ids Pub/Sub gave it."""
    data = {"task_id": "order-7", "task_name": "a"}
    keys = {read_push(push(envelope(data, message_id=i))).key for i in ("1", "2")}

    assert {"pubsub:order-7"} == keys


def test_a_push_without_an_envelope_is_read_by_its_headers():
    """As Pub/Sub sends it when it is told not to wrap."""
    message = write_message(record('{"n":1}'), "send")
    told = read_push(
        PushRequest(
            [
                ("X-Goog-Pubsub-Message-Id", "17"),
                ("X-Goog-Pubsub-Subscription-Name", "projects/p/subscriptions/a-sub"),
                ("task", "mail.send"),
            ],
            message.data,
        )
    )

    assert ("17", "a-sub") == (told.envelope.message_id, told.envelope.subscription)
    assert "mail.send" == told.envelope.attributes["task"]
    assert {"n": 1} == told.kwargs
