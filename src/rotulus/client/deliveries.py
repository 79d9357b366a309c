"""The messages of webhooks: listed, sent again, and tried."""

from collections.abc import Collection
from typing import Any

from pydantic import TypeAdapter

from rotulus import Delivery, DeliveryPage, State
from rotulus._text import jsontext
from rotulus.client.calls import Call, get, path_of, query_of
from rotulus.client.shown_webhooks import ShownWebhooks

_delivery = TypeAdapter(Delivery).validate_python


class Deliveries(ShownWebhooks):
    """The verbs of `client.webhooks` that are about messages."""

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
            limit: at most so many: up to 500.
            after: `page.next` of the page before, with the same filters.
        """
        query = query_of(webhook=name, state=state, limit=limit, after=after)
        return self._wire.send(get("/webhooks/$deliveries", _page, query))

    def test(self, name: str) -> Delivery:
        """Have a message of the type `webhook.test` delivered, to see whether it arrives.

        Raises:
            WebhookNotFoundError: there is no such webhook.
            WebhookConflictError: it is paused.
        """
        return self._wire.send(_test(name))

    def replay(self, delivery_id: str) -> Delivery:
        """Have the message of a delivery sent again, by a new one, under the id that it had.

        Raises:
            JobNotFoundError: there is no such delivery.
            WebhookNotFoundError: its webhook has been removed.
            WebhookConflictError: its webhook is paused.
        """
        return self._wire.send(_replay(delivery_id))

    async def adeliveries(
        self,
        name: str | None = None,
        *,
        state: State | str | Collection[State | str] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> DeliveryPage:
        """`deliveries`, for coroutines."""
        query = query_of(webhook=name, state=state, limit=limit, after=after)
        return await self._wire.asend(get("/webhooks/$deliveries", _page, query))

    async def atest(self, name: str) -> Delivery:
        """`test`, for coroutines."""
        return await self._wire.asend(_test(name))

    async def areplay(self, delivery_id: str) -> Delivery:
        """`replay`, for coroutines."""
        return await self._wire.asend(_replay(delivery_id))


def _read(body: Any) -> Delivery:
    """Returns a delivery, whose body is the text that is sent."""
    return _delivery({**body, "body": jsontext.encode(body["body"])})


def _page(body: Any) -> DeliveryPage:
    return DeliveryPage(map(_read, body["items"]), body["next"])


def _test(name: str) -> Call[Delivery]:
    return Call("POST", path_of("webhooks", name, "$test"), _read)


def _replay(delivery_id: str) -> Call[Delivery]:
    return Call("POST", path_of("webhooks", "$deliveries", delivery_id, "$replay"), _read)
