"""Webhooks as an app shows them: what each says, and how it stands; and how one is changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from rotulus._app.port import AppPort
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.labels import read_texts
from rotulus._jobs.record import micros, moment
from rotulus._text.jsontext import decode
from rotulus._text.names import did_you_mean
from rotulus.errors import WebhookConflictError, WebhookNotFoundError
from rotulus.store import WebhookRow

Standing = Literal["active", "paused", "gone"]

_TRIES = 10


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """A webhook as it stands.

    Attributes:
        name: its name.
        url: where its messages are sent; it may hold a secret of the receiver.
        events: the types of events that it is told of; `job.*` and `run.*` are all of a kind.
        task: only of this task; `mail.*` for all names that begin so.
        queue: only of this queue.
        labels: only of jobs with these labels.
        state: `"active"`; `"paused"`: somebody has paused it; `"gone"`: it was paused because its
            receiver says that it is gone.
        paused_at: since when it is paused; None when it is not.
        missed_at: when it was found last that events are missing of which it was not told.
        slow_until: until when nothing is sent, as the receiver has asked for that.
        old_secret_until: until when its messages are signed with its old secret, too.
        version: one more with each change.
        created_at: when it was added.
        updated_at: when it was changed last.
        secret: what its messages are signed with; "" but in the answer of the call that gave it.
    """

    name: str
    url: str
    events: tuple[str, ...]
    task: str | None
    queue: str | None
    labels: Mapping[str, str]
    state: Standing
    paused_at: datetime | None
    missed_at: datetime | None
    slow_until: datetime | None
    old_secret_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime | None
    secret: str = field(default="", repr=False)

    @property
    def paused(self) -> bool:
        """Whether it is told of nothing."""
        return self.paused_at is not None

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data; moments as ISO 8601 text. The secret if it is there."""
        return {
            "name": self.name,
            "url": self.url,
            "events": list(self.events),
            "task": self.task,
            "queue": self.queue,
            "labels": dict(self.labels),
            "state": self.state,
            "paused_at": _iso(self.paused_at),
            "missed_at": _iso(self.missed_at),
            "slow_until": _iso(self.slow_until),
            "old_secret_until": _iso(self.old_secret_until),
            "version": self.version,
            "created_at": _iso(self.created_at),
            "updated_at": _iso(self.updated_at),
            **({"secret": self.secret} if self.secret else {}),
        }


WebhookInfos = list[WebhookInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class ShownWebhooks:
    """The verbs of `app.webhooks` that only look.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> WebhookInfos:
        """Returns all webhooks, by name."""
        port = self._port()
        return [webhook_info(row, port.now()) for row in port.store().webhooks.read()]

    def get(self, name: str) -> WebhookInfo:
        """Returns the webhook of that name. Raises `WebhookNotFoundError`."""
        port = self._port()
        return webhook_info(webhook_row(port, name), port.now())

    async def alist(self) -> WebhookInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def aget(self, name: str) -> WebhookInfo:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, name)


def webhook_info(row: WebhookRow, now: datetime, secret: str = "") -> WebhookInfo:
    """Returns how a webhook stands.

    Args:
        row: the webhook.
        now: the present moment: what was until an earlier one is over.
        secret: its secret, if it is to be shown.
    """
    state: Standing = "active"
    if row.paused_at is not None:
        state = "gone" if row.reason == "gone" else "paused"
    return WebhookInfo(
        name=row.name,
        url=row.url,
        events=tuple(decode(row.events)),
        task=row.task,
        queue=row.queue,
        labels=read_texts(row.labels),
        state=state,
        paused_at=_moment(row.paused_at),
        missed_at=_moment(row.missed_at),
        slow_until=_later(row.slow_until, now),
        old_secret_until=_later(row.old_until, now),
        version=row.version,
        created_at=moment(row.created_at),
        updated_at=_moment(row.updated_at),
        secret=secret,
    )


def webhook_row(port: AppPort, name: str) -> WebhookRow:
    """Returns the webhook of that name. Raises `WebhookNotFoundError`, with the nearest name."""
    webhooks = port.store().webhooks
    for row in webhooks.read([name]):
        return row
    known = [row.name for row in webhooks.read()]
    there = ", ".join(known[:12]) or "none"
    raise WebhookNotFoundError(
        f"There is no webhook {name!r} in {port.store().url}{did_you_mean(name, known) or '.'} "
        f"Webhooks here: {there}{', …' if len(known) > 12 else ''}"
    )


def changed_row(
    port: AppPort,
    name: str,
    version: int | None,
    change: Callable[[WebhookRow], WebhookRow | None],
) -> WebhookRow:
    """Change a webhook, again if others change it meanwhile; returns it as it stands then.

    Args:
        port: the port of the app.
        name: its name.
        version: change it only if this is its version; None: whatever that is.
        change: changes it as it stands; returns None if it does not stand so any more.

    Raises:
        WebhookNotFoundError: there is none of that name.
        WebhookConflictError: it is of another version, or others change it all the time.
    """
    for _ in range(_TRIES):
        row = webhook_row(port, name)
        if version is not None and row.version != version:
            raise WebhookConflictError(
                f"Webhook {name!r} has been changed meanwhile, and is not of version {version} "
                f"any more: read it again with app.webhooks.get({name!r})"
            )
        changed = change(row)
        if changed is not None:
            return changed
    raise WebhookConflictError(
        f"Webhook {name!r} was changed by others while it was being changed here, {_TRIES} times "
        f"in a row: look what they do, and try again"
    )


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def _later(at: int | None, now: datetime) -> datetime | None:
    return None if at is None or at <= micros(now) else moment(at)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
