"""The deliveries of webhooks: listed, sent again, and tried."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, cast

from rotulus._app.port import AppPort
from rotulus._app.resources.jobs import Jobs
from rotulus._app.resources.pages import Page
from rotulus._app.resources.steering import steers
from rotulus._app.resources.webhook_infos import ShownWebhooks, webhook_row
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.encrypted import check_readable
from rotulus._jobs.job import Job
from rotulus._jobs.states import State
from rotulus._text import jsontext
from rotulus.errors import JobNotFoundError, WebhookConflictError
from rotulus.store import WebhookRow
from rotulus.webhooks.delivery_jobs import LABEL, TASK, Message, delivery, message_of, new_message
from rotulus.webhooks.event_types import TEST, message


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of a webhook, and how far it has got: one job.

    Attributes:
        id: the id of the job.
        webhook: the name of the webhook.
        message: the id of the message: the same in every try, and when it is sent again; "" if the
            message is encrypted, and cannot be decrypted here.
        event: the type of the event.
        subject: the id of the job, or run, that it is about; None: it is a test.
        state: the state of the job: `succeeded` once the receiver has taken the message.
        tries: how many tries have failed.
        status: what the receiver answered when it took the message.
        error: why the last try failed.
        next_at: when it is tried next; None: never, or now.
        created_at: when it was added.
        ended_at: when it ended.
        body: what is sent, as JSON text; if it cannot be decrypted here, what is stored.
    """

    id: str
    webhook: str
    message: str
    event: str
    subject: str | None
    state: State
    tries: int
    status: int | None
    error: str | None
    next_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    body: str

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data; moments as ISO 8601 text, the body as JSON data."""
        return {
            "id": self.id,
            "webhook": self.webhook,
            "message": self.message,
            "event": self.event,
            "subject": self.subject,
            "state": str(self.state),
            "tries": self.tries,
            "status": self.status,
            "error": self.error,
            "next_at": _iso(self.next_at),
            "created_at": _iso(self.created_at),
            "ended_at": _iso(self.ended_at),
            "body": jsontext.decode(self.body),
        }


class DeliveryPage(Page[Delivery]):
    """Deliveries that match, the last added first: a list that knows how it goes on."""


class Deliveries(ShownWebhooks):
    """The verbs of `app.webhooks` that are about messages.

    Args:
        port: gives the port of the app that answers.
        jobs: the jobs of the app, among which the deliveries are.
    """

    def __init__(self, port: Callable[[], AppPort], jobs: Jobs) -> None:
        super().__init__(port)
        self._jobs = jobs

    def deliveries(
        self,
        name: str | None = None,
        *,
        state: State | str | Collection[State | str] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> DeliveryPage:
        """Returns deliveries, the last added first: as long as their jobs are kept.

        Args:
            name: only of this webhook, which may have been removed.
            state: only in this state, or in one of several.
            limit: at most so many.
            after: `page.next` of the page before, with the same filters.

        Raises:
            OptionError: a value is not allowed.
        """
        label = None if name is None else {LABEL: name}
        found = self._jobs.find(task=TASK, label=label, state=state, limit=limit, after=after)
        return DeliveryPage(map(_delivery, found), found.next)

    @steers("webhooks.test")
    def test(self, name: str) -> Delivery:
        """Have a message of the type `webhook.test` delivered, to see whether it arrives.

        Raises:
            WebhookNotFoundError: there is no such webhook.
            WebhookConflictError: it is paused.
        """
        port = self._port()
        row = _active(port, name)
        body = message(TEST, port.now(), {"webhook": name})
        return self._add(port, row, new_message(TEST, None, body, port.new_id))

    @steers("webhooks.replay")
    def replay(self, delivery_id: str) -> Delivery:
        """Have the message of a delivery sent again, by a new one; as often as one wants.

        The id of the message stays the same, so that a receiver can know it again.

        Args:
            delivery_id: the id of the delivery, or a beginning of it that no other job has.

        Raises:
            JobNotFoundError: there is no such delivery, or there are several.
            WebhookNotFoundError: its webhook has been removed.
            WebhookConflictError: its webhook is paused.
            CipherError: its message is encrypted, and cannot be decrypted here.
        """
        port, job = self._port(), self._jobs.get(delivery_id)
        if job.task != TASK:
            raise JobNotFoundError(
                f"Job {job.id} is of task {job.task!r}, and no delivery of a webhook: "
                f"app.webhooks.deliveries() lists these"
            )
        check_readable(job.record.arguments, f"The message of delivery {job.id}")
        row = _active(port, job.arguments["webhook"])
        return self._add(port, row, message_of(job.record.arguments, job.labels))

    async def adeliveries(
        self,
        name: str | None = None,
        *,
        state: State | str | Collection[State | str] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> DeliveryPage:
        """`deliveries`, without blocking the event loop."""
        return await off_loop(partial(self.deliveries, name, state=state, limit=limit, after=after))

    async def atest(self, name: str) -> Delivery:
        """`test`, without blocking the event loop."""
        return await off_loop(self.test, name)

    async def areplay(self, delivery_id: str) -> Delivery:
        """`replay`, without blocking the event loop."""
        return await off_loop(self.replay, delivery_id)

    def _add(self, port: AppPort, row: WebhookRow, wanted: Message) -> Delivery:
        [record] = port.store().add([delivery(row.name, wanted, port.new_id)])
        return _delivery(Job(record, port))


def _active(port: AppPort, name: str) -> WebhookRow:
    row = webhook_row(port, name)
    if row.paused_at is None:
        return row
    raise WebhookConflictError(
        f"Webhook {name!r} is paused, and nothing is sent for it: app.webhooks.resume({name!r})"
    )


def _delivery(job: Job[Any]) -> Delivery:
    told, waits = job.arguments, job.state in (State.DELAYED, State.BLOCKED)
    result = jsontext.decode(job.record.result) if job.record.result else None
    status = cast("dict[str, Any]", result).get("status") if isinstance(result, dict) else None
    return Delivery(
        id=job.id,
        webhook=job.labels[LABEL],
        message=told.get("message", ""),
        event=job.labels["event"],
        subject=job.labels.get("subject"),
        state=job.state,
        tries=job.record.failures,
        status=status,
        error=None if job.error is None else job.error.message,
        next_at=job.run_at if waits else None,
        created_at=job.created_at,
        ended_at=job.ended_at,
        body=told.get("body", job.record.arguments),
    )


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
