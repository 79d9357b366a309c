"""`client.webhooks`: who is told of what by HTTP, shown and changed. For admins."""

from collections.abc import Collection
from typing import Any, Unpack

from rotulus import WebhookInfo
from rotulus._app.resources.webhooks import WebhookChanges, WebhookFilters
from rotulus.client.calls import Call, data_of, if_match, nothing, path_of, reader
from rotulus.client.deliveries import Deliveries

_webhook = reader(WebhookInfo)


class Webhooks(Deliveries):
    """The webhooks of a service, with the verbs of `app.webhooks`, each also with an `a` in front.

    A `version` that is given is the one to change: where it is another one by now, a
    `ServiceError` is raised whose code is `changed_meanwhile`.
    """

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
            name: its name.
            url: where its messages are sent.
            events: the types of events, such as `job.failed` or `run.*`.
            secret: what its messages are signed with; made unless given.
            filters: those of `app.webhooks.add`.

        Returns:
            The webhook, with its secret: no other call shows it.

        Raises:
            WebhookConflictError: the name is taken.
            OptionError: something else is not allowed.
        """
        return self._wire.send(_add(name, url, events, secret, filters))

    def set(
        self, name: str, *, version: int | None = None, **changes: Unpack[WebhookChanges]
    ) -> WebhookInfo:
        """Change a webhook; what is not given stays. Raises `WebhookNotFoundError`."""
        return self._wire.send(_set(name, version, changes))

    def pause(self, name: str) -> WebhookInfo:
        """Send nothing more for a webhook, until `resume`; that is not made up for."""
        return self._wire.send(_verb(name, "$pause"))

    def resume(self, name: str) -> WebhookInfo:
        """Tell a webhook again of what happens, from now on."""
        return self._wire.send(_verb(name, "$resume"))

    def rotate(
        self, name: str, secret: str | None = None, *, version: int | None = None
    ) -> WebhookInfo:
        """Give a webhook another secret; messages are signed with the old one, too, for a day."""
        return self._wire.send(_rotate(name, secret, version))

    def remove(self, name: str, *, version: int | None = None) -> None:
        """Remove a webhook. Its deliveries stay; those that wait are cancelled when due."""
        self._wire.send(_remove(name, version))

    async def aadd(
        self,
        name: str,
        url: str,
        *,
        events: str | Collection[str],
        secret: str | None = None,
        **filters: Unpack[WebhookFilters],
    ) -> WebhookInfo:
        """`add`, for coroutines."""
        return await self._wire.asend(_add(name, url, events, secret, filters))

    async def aset(
        self, name: str, *, version: int | None = None, **changes: Unpack[WebhookChanges]
    ) -> WebhookInfo:
        """`set`, for coroutines."""
        return await self._wire.asend(_set(name, version, changes))

    async def apause(self, name: str) -> WebhookInfo:
        """`pause`, for coroutines."""
        return await self._wire.asend(_verb(name, "$pause"))

    async def aresume(self, name: str) -> WebhookInfo:
        """`resume`, for coroutines."""
        return await self._wire.asend(_verb(name, "$resume"))

    async def arotate(
        self, name: str, secret: str | None = None, *, version: int | None = None
    ) -> WebhookInfo:
        """`rotate`, for coroutines."""
        return await self._wire.asend(_rotate(name, secret, version))

    async def aremove(self, name: str, *, version: int | None = None) -> None:
        """`remove`, for coroutines."""
        await self._wire.asend(_remove(name, version))


def _add(
    name: str,
    url: str,
    events: str | Collection[str],
    secret: str | None,
    filters: WebhookFilters,
) -> Call[WebhookInfo]:
    body = data_of(name=name, url=url, secret=secret, **_said({"events": events, **filters}))
    return Call("POST", "/webhooks", _webhook, body=body)


def _set(name: str, version: int | None, changes: WebhookChanges) -> Call[WebhookInfo]:
    path, headers = path_of("webhooks", name), if_match(version)
    return Call("PATCH", path, _webhook, body=_said(dict(changes)), headers=headers)


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """Returns options in the words of the JSON; None takes a filter away."""
    said = dict(given)
    if "label" in said:
        said["labels"] = said.pop("label")
    if "events" in said:
        events = said["events"]
        said["events"] = [events] if isinstance(events, str) else list(events)
    return said


def _verb(name: str, verb: str) -> Call[WebhookInfo]:
    return Call("POST", path_of("webhooks", name, verb), _webhook, repeatable=True)


def _rotate(name: str, secret: str | None, version: int | None) -> Call[WebhookInfo]:
    path, headers = path_of("webhooks", name, "$rotate"), if_match(version)
    return Call("POST", path, _webhook, body=data_of(secret=secret), headers=headers)


def _remove(name: str, version: int | None) -> Call[None]:
    return Call("DELETE", path_of("webhooks", name), nothing, headers=if_match(version))
