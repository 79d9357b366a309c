"""The jobs that deliver messages: their task, their terms, and what they are called with."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rotulus._jobs.labels import write_texts
from rotulus._text import jsontext
from rotulus.store import NewJob, Terms

TASK = "rotulus.deliver_webhook"
"""The name of the task that delivers a message."""

QUEUE = "webhooks"
"""The queue in which deliveries wait."""

LABEL = "webhook"
"""The label that has the name of the webhook."""

MOST_AT_ONCE = 5
"""How many messages of one webhook are sent at once: one that hangs leaves slots to others."""


class Message(NamedTuple):
    """A message of a webhook.

    Attributes:
        id: its id, by which a receiver knows one that comes again.
        event: the type of its event.
        subject: the id of the job that it is about; None: it is about none.
        body: what is sent, a JSON text.
    """

    id: str
    event: str
    subject: str | None
    body: str


def delivery(
    webhook: str, message: Message, new_id: Callable[[], str], key: str | None = None
) -> NewJob:
    """Returns the job that delivers a message.

    Args:
        webhook: the name of the webhook.
        message: the message.
        new_id: makes the id of the job.
        key: its key: nobody adds a second job with it meanwhile.
    """
    labels = {LABEL: webhook, "event": message.event}
    if message.subject is not None:
        labels["subject"] = message.subject
    return NewJob(
        new_id(),
        jsontext.encode_plain(
            {
                "webhook": webhook,
                "message": message.id,
                "event": message.event,
                "body": message.body,
            }
        ),
        Terms(TASK, QUEUE, limit_to=MOST_AT_ONCE),
        key,
        f"webhook:{webhook}",
        None,
        write_texts(labels),
    )


def new_message(event: str, subject: str | None, body: str, new_id: Callable[[], str]) -> Message:
    """Returns a message with an id of its own."""
    return Message(f"msg_{new_id()}", event, subject, body)


def message_of(arguments: str, labels: dict[str, str]) -> Message:
    """Returns the message that a job delivers, by its arguments and labels."""
    told: dict[str, Any] = jsontext.decode(arguments)
    return Message(told["message"], told["event"], labels.get("subject"), told["body"])
