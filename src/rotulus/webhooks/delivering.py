"""The task that delivers a message: signs it, sends it, and judges the answer."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypedDict

from rotulus._jobs.record import micros
from rotulus._jobs.retry import Retry
from rotulus._jobs.signals import Cancel, Snooze
from rotulus._tasks.options import JobOptions
from rotulus._tasks.task import PortOwner, Task
from rotulus.errors import DeliveryError, OptionError, ReceiverGoneError
from rotulus.events import Events, WebhookPaused
from rotulus.store import Store, WebhookRow
from rotulus.webhooks.delivery_jobs import MOST_AT_ONCE, QUEUE, TASK
from rotulus.webhooks.sending import Answer, Sender
from rotulus.webhooks.signing import signed_headers
from rotulus.webhooks.urls import read_url

RETRY = Retry(
    attempts=10,
    delay=(5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
    not_on=ReceiverGoneError,
)
"""At once, and then for about three days: what Standard Webhooks proposes."""

GONE = "gone"
"""The reason of a webhook that was paused because its receiver says that it is gone."""

_LOOK_EVERY = 60.0
"""Seconds after which a delivery of a paused webhook looks again."""

_SLOW = 60.0
"""Seconds for which nothing is sent to a receiver that has too much to do and says no time."""

_LONGEST_WAIT = 86_400.0
"""The longest time that a receiver may ask for, in seconds."""

_BACKSTOP = 25.0
"""Seconds after which a try is given up that does not end by itself: a name that is looked up."""

_BUSY = frozenset({429, 502, 503, 504})
"""What a receiver, or what stands before it, answers when it has too much to do."""

_DATE = re.compile(r"[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""A moment in a header."""

_MESSAGE = re.compile(r"[!-~]{1,200}")


class Delivered(TypedDict):
    """The result of a delivery.

    Attributes:
        status: what the receiver answered, such as 200.
        milliseconds: how long that took.
    """

    status: int
    milliseconds: int


class Deliverer:
    """Delivers messages.

    Args:
        store: opens the store, where the webhooks are.
        sender: sends.
        now: the clock.
        monotonic: the clock by which tries are measured, in seconds.
        chance: random numbers from 0 to 1, so that deliveries that wait do not return together.
        events: where it is told that a webhook is paused.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        sender: Sender,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        events: Events,
    ) -> None:
        self._store = store
        self._sender = sender
        self._now = now
        self._monotonic = monotonic
        self._chance = chance
        self._events = events

    def task(self, home: PortOwner) -> Task[..., Delivered, Delivered]:
        """Returns the task, as it is run by every worker."""
        options = JobOptions(queue=QUEUE, limit=MOST_AT_ONCE)
        return Task(
            self.deliver,
            TASK,
            home,
            retry=RETRY,
            timeout=_BACKSTOP,
            result="trust",
            options=options,
        )

    def deliver(self, webhook: str, message: str, event: str, body: str) -> Delivered:
        """Deliver a message; returns once the receiver has taken it.

        Args:
            webhook: the name of the webhook.
            message: the id of the message.
            event: the type of its event.
            body: what is sent.

        Raises:
            DeliveryError: it did not arrive; `ReceiverGoneError`: it never will.
            Snooze: nothing is to be sent now.
            Cancel: there is no such webhook any more.
        """
        row = self._row(webhook)
        self._wait(row)
        if not _MESSAGE.fullmatch(message):
            raise OptionError(f"message={message!r} is not allowed: it is no id of a message")
        content, now = body.encode(), self._now()
        secrets = [row.secret]
        if row.old_secret is not None and micros(now) < (row.old_until or 0):
            secrets.append(row.old_secret)
        headers = signed_headers(message, int(now.timestamp()), content, secrets)
        began = self._monotonic()
        answer = self._sender.send(read_url(row.url, plain=True), headers, content)
        if not 200 <= answer.status < 300:
            self._refused(row, event, answer)
        return Delivered(
            status=answer.status, milliseconds=round((self._monotonic() - began) * 1000)
        )

    def _row(self, webhook: str) -> WebhookRow:
        for row in self._store().webhooks.read([webhook]):
            return row
        raise Cancel(f"the webhook {webhook!r} was removed")

    def _wait(self, row: WebhookRow) -> None:
        """Put the delivery off, if nothing is to be sent now."""
        if row.paused_at is not None:
            if row.reason == GONE:
                raise Cancel(f"the receiver of {row.name!r} says that it is gone")
            raise Snooze(_LOOK_EVERY * (0.75 + 0.5 * self._chance()))
        left = ((row.slow_until or 0) - micros(self._now())) / 1e6
        if left > 0:
            raise Snooze(left + self._chance() * min(left, _SLOW))

    def _refused(self, row: WebhookRow, event: str, answer: Answer) -> None:
        """Raise what an answer means that does not say that the message has arrived."""
        shown = " ".join(answer.text.split())[:200]
        error = DeliveryError(
            f"The receiver of {row.name!r} answered {answer.status} to {event}"
            f"{f': {shown}' if shown else ''}"
        )
        if answer.status == 410:
            store = self._store()
            if store.webhooks.pause(row.name, row.version, GONE) is not None:
                self._events.emit(WebhookPaused(row.name, "its receiver says that it is gone"))
            raise ReceiverGoneError(str(error))
        if answer.status in _BUSY:
            # This delivery, too, finds that when it is tried again.
            self._store().webhooks.slow(row.name, _asked_for(answer, self._now()))
        raise error


def _asked_for(answer: Answer, now: datetime) -> float:
    """The seconds for which a receiver asks to be left alone; some, if it does not say."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdecimal():
        return min(float(text), _LONGEST_WAIT)
    found = _DATE.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        return _SLOW
    day, month, year, *time = found.groups()
    try:
        at = datetime(int(year), _MONTHS.index(month) + 1, int(day), *map(int, time), tzinfo=UTC)
    except ValueError:
        return _SLOW
    return min(max(0.0, (at - now).total_seconds()), _LONGEST_WAIT)
