"""Signatures of webhooks: as Standard Webhooks has them, checked by its own package."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from rotulus.errors import OptionError, SignatureError
from rotulus.webhooks import verify
from rotulus.webhooks.signing import check_secret, make_secret, signed_headers

BODY = json.dumps({"type": "job.failed", "data": {"id": "é"}}, ensure_ascii=False).encode()


def secret_of(size):
    """A secret of so many bytes."""
    return "whsec_" + base64.b64encode(bytes(range(size))).decode()


@given(st.binary(min_size=24, max_size=64), st.text(st.characters(codec="utf-8")))
def test_what_is_signed_here_is_right_there(key, text):
    """Whatever the key and the body."""
    secret = "whsec_" + base64.b64encode(key).decode()
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    headers = signed_headers("msg_1", int(time.time()), body, [secret])

    assert {"text": text} == Webhook(secret).verify(body, headers)
    assert {"text": text} == verify(body, headers, secret)


def test_the_example_of_the_specification_is_signed_the_same():
    """Its secret, its message, its signature."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret])

    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == headers["webhook-signature"]
    assert "1614265330" == headers["webhook-timestamp"]
    assert "msg_p5jXN8AQM9LWM0D4loKWxJek" == headers["webhook-id"]


def test_while_a_secret_is_replaced_both_are_right():
    """One signature for each, with a space between them."""
    old, new = make_secret(), make_secret()
    headers = signed_headers("msg_1", int(time.time()), BODY, [new, old])

    assert 2 == len(headers["webhook-signature"].split(" "))
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers) == verify(BODY, headers, secret)
    assert verify(BODY, headers, make_secret(), old)
    with pytest.raises(SignatureError, match="another secret"):
        verify(BODY, headers, make_secret())


@pytest.mark.parametrize("change", ["id", "timestamp", "body", "signature", "version"])
def test_what_was_changed_on_its_way_is_not_right(change):
    """Neither here nor there."""
    secret, now = make_secret(), int(time.time())
    headers, body = signed_headers("msg_1", now, BODY, [secret]), BODY
    signature = headers["webhook-signature"]
    match change:
        case "id":
            headers["webhook-id"] = "msg_2"
        case "timestamp":
            headers["webhook-timestamp"] = str(now + 1)
        case "body":
            body = BODY.replace(b"failed", b"succeeded")
        case "signature":
            headers["webhook-signature"] = signature[:-4] + "AAA="
        case _:
            headers["webhook-signature"] = signature.replace("v1,", "v1a,")

    with pytest.raises(SignatureError):
        verify(body, headers, secret)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("stamp", [-301, 301, None, "", "now", "1e9", "²"])
def test_a_message_of_another_time_is_refused(stamp):
    """Five minutes before, or after, unless more are allowed."""
    secret, now = make_secret(), 1_800_000_000
    at = now + stamp if isinstance(stamp, int) else now
    headers = signed_headers("msg_1", at, BODY, [secret])
    if not isinstance(stamp, int):
        headers["webhook-timestamp"] = stamp or ""

    with pytest.raises(SignatureError):
        verify(BODY, headers, secret, now=now)
    if isinstance(stamp, int):
        assert verify(BODY, headers, secret, now=now, tolerance=301)


def test_headers_may_be_in_any_case_and_the_body_may_be_text():
    """As frameworks give them; one that is missing is named."""
    secret = make_secret()
    headers = signed_headers("msg_1", int(time.time()), BODY, [secret])

    assert verify(BODY.decode(), {name.title(): v for name, v in headers.items()}, secret)
    for name in headers:
        with pytest.raises(SignatureError, match=name):
            verify(BODY, {other: v for other, v in headers.items() if other != name}, secret)
    with pytest.raises(OptionError, match="needs the secret"):
        verify(BODY, headers)


def test_a_new_secret_is_allowed_and_is_never_the_same():
    """It has 32 bytes."""
    secret = make_secret()

    assert secret == check_secret(secret) != make_secret()
    assert 32 == len(base64.b64decode(secret.removeprefix("whsec_")))


@pytest.mark.parametrize("secret", [secret_of(24), secret_of(64)])
def test_secrets_have_24_to_64_bytes(secret):
    """As the specification says."""
    assert secret == check_secret(secret)


@pytest.mark.parametrize(
    "secret",
    [secret_of(23), secret_of(65), "whsec_é", "whsec_", "", None, 7, "x" * 40, secret_of(30)[6:]],
)
def test_what_is_no_secret_is_refused_and_not_repeated(secret):
    """A message may be logged."""
    with pytest.raises(OptionError, match=r"24 to 64 bytes") as refused:
        check_secret(secret)

    assert len(str(secret)) < 10 or str(secret) not in str(refused.value)
