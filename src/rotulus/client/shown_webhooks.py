"""Webhooks as a service shows them."""

from pydantic import TypeAdapter

from rotulus import WebhookInfo
from rotulus.client.calls import Call, get, path_of, reader
from rotulus.client.wire import Wire

WebhookInfos = list[WebhookInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""

_webhook, _webhooks = reader(WebhookInfo), TypeAdapter(WebhookInfos).validate_python


class ShownWebhooks:
    """The verbs of `client.webhooks` that only look.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> WebhookInfos:
        """Returns all webhooks, by name."""
        return self._wire.send(_list())

    def get(self, name: str) -> WebhookInfo:
        """Returns the webhook of that name. Raises `WebhookNotFoundError`."""
        return self._wire.send(get(path_of("webhooks", name), _webhook))

    async def alist(self) -> WebhookInfos:
        """`list`, for coroutines."""
        return await self._wire.asend(_list())

    async def aget(self, name: str) -> WebhookInfo:
        """`get`, for coroutines."""
        return await self._wire.asend(get(path_of("webhooks", name), _webhook))


def _list() -> Call[WebhookInfos]:
    return get("/webhooks", lambda body: _webhooks(body["items"]))
