"""What a client is given and cannot send, it refuses: without a secret in the message."""

import asyncio

import pytest

from rotulus.client import Client
from rotulus.errors import ArgumentsError, OptionError

JOB_ID = "01a22777-9b2c-77e8-bace-f84ca8c6b4e6"


@pytest.mark.parametrize("token", ["rot_SECRET\n", "rot SECRET", "rot_SECRETé", "\x00SECRET"])
def test_a_token_that_no_header_can_have_is_refused_without_being_shown(token):
    """Such as one with the newline of its file."""
    with pytest.raises(OptionError, match="token has characters") as told:
        Client("http://127.0.0.1:1", token=token)
    assert "SECRET" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        *("http://u:PASSW@host", "HTTPS://PASSW@host/jobs", "ftp://u:PASSW@host", "u:PASSW@host"),
        *("http://u:PA/PASSW@host", "http://u:PASSW#@host", "http://u:PASSW?@host"),
    ],
)
def test_an_address_with_a_password_is_refused_without_being_shown(url):
    """As commands refuse it: a token says who sends."""
    with pytest.raises(OptionError, match="address of a service") as told:
        Client(url)
    assert "PASSW" not in str(told.value)


@pytest.mark.parametrize(
    ("error", "send"),
    [
        (ArgumentsError, lambda asking: asking.enqueue("hi", n=object())),
        (ArgumentsError, lambda asking: asking.enqueue("hi", n="\ud800")),
        (ArgumentsError, lambda asking: asking.enqueue("hi", n=float("nan"))),
        (ArgumentsError, lambda asking: asyncio.run(asking.aenqueue("hi", n=object()))),
        (ArgumentsError, lambda asking: asking.tasks.execute("hi", n=object())),
        (ArgumentsError, lambda asking: asking.groups.add("g", "hi", [{"n": object()}])),
        (ArgumentsError, lambda asking: asking.jobs.edit(JOB_ID, arguments={"n": object()})),
        (
            ArgumentsError,
            lambda asking: asking.schedules.set("s", arguments={"n": object()}),
        ),
        (OptionError, lambda asking: asking.using(queue="\ud800").enqueue("hi")),
        (OptionError, lambda asking: asyncio.run(asking.using(queue=object()).aenqueue("hi"))),
        (OptionError, lambda asking: asking.jobs.find(args={"n": object()})),
        (OptionError, lambda asking: asking.jobs.find(queue="\ud800")),
        (OptionError, lambda asking: asking.queues.pause("\ud800")),
        (OptionError, lambda asking: asking.queues.pause(7)),
        (OptionError, lambda asking: asking.jobs.edit(JOB_ID, priority=1, version="é")),
        (OptionError, lambda asking: asking.jobs.edit(JOB_ID, priority=1, version="3\r\n")),
        (OptionError, lambda asking: asking.jobs.edit(JOB_ID, priority=1, version="")),
        (OptionError, lambda asking: asking.jobs.result(JOB_ID, timeout=float("nan"))),
        (OptionError, lambda asking: asking.jobs.result(JOB_ID, timeout="x")),
        (OptionError, lambda asking: asking.push.plan(patience="x")),
    ],
)
def test_what_cannot_be_sent_is_refused(error, send):
    """With an error of the library, before anything is sent."""
    with Client("http://127.0.0.1:1", retries=0) as asking, pytest.raises(error):
        send(asking)
