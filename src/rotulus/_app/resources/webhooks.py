"""The webhooks of an app: added, changed, paused and removed; their secrets replaced."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Any, TypedDict, Unpack

from rotulus._app.port import AppPort
from rotulus._app.resources.deliveries import Deliveries
from rotulus._app.resources.jobs import Jobs
from rotulus._app.resources.steering import steers
from rotulus._app.resources.webhook_infos import (
    WebhookInfo,
    changed_row,
    webhook_info,
)
from rotulus._app.resources.where import check_task_filter
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.labels import check_labels, write_texts
from rotulus._tasks.checks import check_options
from rotulus._text import jsontext
from rotulus._text.names import check_queue_name, check_task_name
from rotulus.errors import OptionError, StoreError, WebhookConflictError
from rotulus.store import Changes, WebhookEntry, WebhookRow
from rotulus.webhooks.addresses import Network, refusal
from rotulus.webhooks.event_types import check_events
from rotulus.webhooks.signing import check_secret, make_secret
from rotulus.webhooks.urls import read_url

_AT_ONCE = 10_000
_MOST_READS = 20
"""How many changes are passed by at once, and how often: they may come faster than that."""

OLD_SECRET_KEPT = 86_400.0
"""Seconds for which messages are signed with the old secret, too."""


class WebhookFilters(TypedDict, total=False):
    """Of what a webhook is told, beside the types of events.

    Attributes:
        task: only of this task; `mail.*` for all names that begin with `mail.`. None: of all.
        queue: only of this queue. None: of all.
        label: only of jobs with these labels, all of them. None: of all.
    """

    task: str | None
    queue: str | None
    label: Mapping[str, str] | None


class WebhookChanges(WebhookFilters, total=False):
    """What `app.webhooks.set` can change; what is not given stays.

    Attributes:
        url: where messages are sent.
        events: the types of events.
    """

    url: str
    events: str | Collection[str]


class Webhooks(Deliveries):
    """`app.webhooks`: who is told of what by HTTP, each verb also with an `a` in front.

    Webhooks live in the store. Workers see a change at their next delivery, and send.

    Args:
        port: gives the port of the app that answers.
        jobs: the jobs of the app.
        networks: those that messages may be sent to, beside public addresses.
    """

    def __init__(
        self, port: Callable[[], AppPort], jobs: Jobs, networks: Sequence[Network]
    ) -> None:
        super().__init__(port, jobs)
        self._networks = networks

    @steers("webhooks.add")
    def add(
        self,
        name: str,
        url: str,
        *,
        events: str | Collection[str],
        secret: str | None = None,
        **filters: Unpack[WebhookFilters],
    ) -> WebhookInfo:
        """Add a webhook, which is told of what happens from now on.

        Args:
            name: its name, unique in the store, made like that of a task.
            url: where its messages are sent: `https://`, or `http://` to a network of
                `webhook_networks`.
            events: the types of events; see `rotulus.webhooks.EVENTS`.
            secret: what its messages are signed with; made unless given.
            filters: see `WebhookFilters`.

        Returns:
            The webhook, with its secret: no other call shows it.

        Raises:
            WebhookConflictError: the name is taken.
            OptionError: something else is not allowed.
        """
        check_task_name(name, "Webhook")
        check_options(filters, WebhookFilters.__annotations__)
        given = {"url": url, "events": events, **filters}
        entry = WebhookEntry(name=name, **self._checked(given))
        made = make_secret() if secret is None else check_secret(secret)
        port = self._port()
        row = port.store().webhooks.add(entry, made, _position(port))
        if row is None:
            raise WebhookConflictError(
                f"There is a webhook {name!r} already: change it with "
                f"app.webhooks.set({name!r}, ...), or give another name"
            )
        return webhook_info(row, port.now(), made)

    @steers("webhooks.set")
    def set(
        self, name: str, *, version: int | None = None, **changes: Unpack[WebhookChanges]
    ) -> WebhookInfo:
        """Change a webhook; what is not given stays as it is. Deliveries that wait follow it.

        Args:
            name: its name.
            version: change it only if this is its version: nobody else has changed it since.
            changes: see `WebhookChanges`.

        Raises:
            WebhookNotFoundError: there is none of that name.
            WebhookConflictError: it is of another version, or is changed by others all the time.
            OptionError: a change is not known or not allowed, or there is none.
        """
        check_options(changes, WebhookChanges.__annotations__)
        if not changes:
            raise OptionError(
                f"Nothing to change of webhook {name!r}: give url=, events= or another option"
            )
        checked = self._checked(changes)
        return self._change(
            name,
            version,
            lambda port, row: port.store().webhooks.set(row.entry._replace(**checked), row.version),
        )

    @steers("webhooks.pause")
    def pause(self, name: str) -> WebhookInfo:
        """Send nothing more for a webhook, until `resume`. Raises `WebhookNotFoundError`.

        It is not told later of what happens meanwhile. Deliveries that wait are put off.
        """
        return self._change(
            name, None, lambda port, row: port.store().webhooks.pause(row.name, row.version)
        )

    @steers("webhooks.resume")
    def resume(self, name: str) -> WebhookInfo:
        """Tell a webhook again of what happens, from now on. Raises `WebhookNotFoundError`."""
        return self._change(
            name,
            None,
            lambda port, row: port.store().webhooks.resume(row.name, row.version, _position(port)),
        )

    @steers("webhooks.rotate")
    def rotate(
        self, name: str, secret: str | None = None, *, version: int | None = None
    ) -> WebhookInfo:
        """Give a webhook another secret; messages are signed with the old one, too, for a day.

        Args:
            name: its name.
            secret: the new one; made unless given.
            version: only if this is its version.

        Returns:
            The webhook, with its new secret: no other call shows it.

        Raises:
            WebhookNotFoundError: there is none of that name.
            WebhookConflictError: it is of another version.
            OptionError: the secret is not allowed.
        """
        made = make_secret() if secret is None else check_secret(secret)
        return self._change(
            name,
            version,
            lambda port, row: port.store().webhooks.rotate(
                row.name, row.version, made, OLD_SECRET_KEPT
            ),
            made,
        )

    @steers("webhooks.remove")
    def remove(self, name: str, *, version: int | None = None) -> None:
        """Remove a webhook. Its deliveries stay; those that wait are cancelled when they are due.

        Args:
            name: its name.
            version: only if this is its version.

        Raises:
            WebhookNotFoundError: there is none of that name.
            WebhookConflictError: it is of another version.
        """
        port = self._port()

        def change(row: WebhookRow) -> WebhookRow | None:
            return row if port.store().webhooks.remove(row.name, row.version) else None

        changed_row(port, name, version, change)

    async def aadd(
        self,
        name: str,
        url: str,
        *,
        events: str | Collection[str],
        secret: str | None = None,
        **filters: Unpack[WebhookFilters],
    ) -> WebhookInfo:
        """`add`, without blocking the event loop."""
        return await off_loop(partial(self.add, name, url, events=events, secret=secret, **filters))

    async def aset(
        self, name: str, *, version: int | None = None, **changes: Unpack[WebhookChanges]
    ) -> WebhookInfo:
        """`set`, without blocking the event loop."""
        return await off_loop(partial(self.set, name, version=version, **changes))

    async def apause(self, name: str) -> WebhookInfo:
        """`pause`, without blocking the event loop."""
        return await off_loop(self.pause, name)

    async def aresume(self, name: str) -> WebhookInfo:
        """`resume`, without blocking the event loop."""
        return await off_loop(self.resume, name)

    async def arotate(
        self, name: str, secret: str | None = None, *, version: int | None = None
    ) -> WebhookInfo:
        """`rotate`, without blocking the event loop."""
        return await off_loop(partial(self.rotate, name, secret, version=version))

    async def aremove(self, name: str, *, version: int | None = None) -> None:
        """`remove`, without blocking the event loop."""
        await off_loop(partial(self.remove, name, version=version))

    def _change(
        self,
        name: str,
        version: int | None,
        change: Callable[[AppPort, WebhookRow], WebhookRow | None],
        secret: str = "",
    ) -> WebhookInfo:
        port = self._port()
        row = changed_row(port, name, version, partial(change, port))
        return webhook_info(row, port.now(), secret)

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns options as fields of an entry. Raises `OptionError`."""
        fields: dict[str, Any] = {}
        if "url" in given:
            fields["url"] = self._checked_url(given["url"])
        if "events" in given:
            fields["events"] = jsontext.encode(check_events(given["events"]))
        for name, check in (("task", check_task_filter), ("queue", check_queue_name)):
            if name in given:
                fields[name] = None if given[name] is None else check(given[name])
        if "label" in given:
            label = None if given["label"] is None else check_labels(given["label"], "label")
            fields["labels"] = write_texts(label)
        return fields

    def _checked_url(self, url: object) -> str:
        target = read_url(url, plain=bool(self._networks))
        try:
            why = refusal(ip_address(target.host), self._networks)
        except ValueError:  # a name, which is looked up at each delivery
            why = None
        if why is None:
            return str(url)
        raise OptionError(
            f"url=… is not allowed: {target.host} {why}. If it is meant, allow its network with "
            f"webhook_networks=, such as '10.1.0.0/16'"
        )


def _position(port: AppPort) -> int:
    """Returns the position of the last change that has happened, and has further ones written."""
    changes, position = _listened(port)
    for _ in range(_MOST_READS):  # what was committed before may have no position yet
        later = changes.read(position, _AT_ONCE)
        if not later:
            break
        position = later[-1].position
    return position


def _listened(port: AppPort) -> tuple[Changes, int]:
    """Have changes written; returns them, and the last position that is known."""
    store = port.store()
    if store.in_transaction:
        raise StoreError(
            "A webhook cannot be added or resumed inside of an open transaction on the store's own "
            "database: changes are written for it when that is over. Do it before, or after"
        )
    return store.changes, store.changes.listen()
