"""`/api/v1/webhooks`: who is told of what by HTTP, and what was delivered. For admins."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from rotulus import App, WebhookInfo
from rotulus._text.segments import path_segment
from rotulus.errors import WebhookConflictError
from rotulus.service.guard import ResourceRouter
from rotulus.service.pages import read_page, show_items
from rotulus.service.preconditions import (
    ETAG_HEADER,
    IfMatch,
    changed_meanwhile,
    show_version,
    wanted_version,
)
from rotulus.service.resources.documented import answers
from rotulus.service.resources.webhook_models import (
    Delivery,
    DeliveryPage,
    DeliveryQuery,
    NewSecret,
    NewWebhook,
    Webhook,
    WebhookChange,
    Webhooks,
    WebhookSecret,
)
from rotulus.service.scope import path_outside
from rotulus.service.state import app_of

WebhookName = Annotated[str, Path(description="The name of a webhook.")]
DeliveryId = Annotated[str, Path(description="The id of a delivery.")]

_SECRET = {"Cache-Control": "no-store"}


def make_webhooks_router(
    prefix: str = "/api/v1/webhooks", tags: Sequence[str] = ("Webhooks",)
) -> APIRouter:
    """Returns the routes of webhooks: list, add, get, set, remove, and their deliveries.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/webhooks", prefix, tags)
    get, post, one = router.get, router.post, "/{name}"
    shown = answers(Webhook, "The webhook.", headers=ETAG_HEADER)
    secret = answers(WebhookSecret, "The webhook, with its secret.", headers=ETAG_HEADER)
    added = answers(WebhookSecret, "It was added.", status=201, headers=ETAG_HEADER)
    sent = answers(Delivery, "It is delivered.", status=202)
    page = answers(DeliveryPage, "A page.")
    get("", operation_id="list_webhooks", summary="List webhooks")(list_webhooks)
    post("", operation_id="add_webhook", summary="Add a webhook", status_code=201, responses=added)(
        add_webhook
    )
    get("/$deliveries", operation_id="list_deliveries", summary="List deliveries", responses=page)(
        list_deliveries
    )
    post(
        "/$deliveries/{delivery_id}/$replay",
        operation_id="replay_delivery",
        summary="Send a message again",
        status_code=202,
        responses=sent,
    )(replay_delivery)
    get(one, operation_id="get_webhook", summary="Get a webhook", responses=shown)(get_webhook)
    router.patch(one, operation_id="set_webhook", summary="Change a webhook", responses=shown)(
        set_webhook
    )
    router.delete(one, operation_id="remove_webhook", summary="Remove a webhook", status_code=204)(
        remove_webhook
    )
    post(f"{one}/$pause", operation_id="pause_webhook", summary="Pause it", responses=shown)(
        pause_webhook
    )
    post(f"{one}/$resume", operation_id="resume_webhook", summary="Resume it", responses=shown)(
        resume_webhook
    )
    post(f"{one}/$rotate", operation_id="rotate_webhook", summary="New secret", responses=secret)(
        rotate_webhook
    )
    post(
        f"{one}/$test",
        operation_id="test_webhook",
        summary="Send a message to see whether it arrives",
        status_code=202,
        responses=sent,
    )(send_test)
    return router


async def list_webhooks(request: Request) -> Webhooks:
    """All webhooks, by name."""
    found = await app_of(request).webhooks.alist()
    return Webhooks(items=[Webhook.of(webhook) for webhook in found])


async def add_webhook(request: Request, response: Response, body: NewWebhook) -> WebhookSecret:
    """Tell a receiver of what happens from now on. The answer has the secret, as `$rotate` has."""
    made = await app_of(request).webhooks.aadd(
        body.name,
        body.url,
        events=body.events,
        secret=body.secret,
        task=body.task,
        queue=body.queue,
        label=body.labels,
    )
    place = f"{path_outside(request.scope).rstrip('/')}/{path_segment(made.name)}"
    response.headers["Location"] = place
    response.headers.update(_SECRET)
    show_version(response, made.version)
    return WebhookSecret.of(made)


async def get_webhook(request: Request, response: Response, name: WebhookName) -> Webhook:
    """A webhook; its version is the `ETag`."""
    return _shown(response, await app_of(request).webhooks.aget(name))


async def set_webhook(
    request: Request,
    response: Response,
    name: WebhookName,
    body: WebhookChange,
    if_match: IfMatch = None,
) -> Webhook:
    """Change a webhook; with `If-Match` only that version of it. Deliveries that wait follow."""
    app = app_of(request)
    version = await _version(request, app, name, if_match)
    changes: dict[str, Any] = {field: getattr(body, field) for field in body.model_fields_set}
    if "labels" in changes:
        changes["label"] = changes.pop("labels")
    with _changed(version):
        return _shown(response, await app.webhooks.aset(name, version=version, **changes))


async def remove_webhook(request: Request, name: WebhookName, if_match: IfMatch = None) -> Response:
    """Remove a webhook; with `If-Match` only that version of it. Its deliveries stay."""
    app = app_of(request)
    version = await _version(request, app, name, if_match)
    with _changed(version):
        await app.webhooks.aremove(name, version=version)
    return Response(status_code=204)


async def pause_webhook(request: Request, response: Response, name: WebhookName) -> Webhook:
    """Send nothing more, until it is resumed; what happens meanwhile is not told later."""
    return _shown(response, await app_of(request).webhooks.apause(name))


async def resume_webhook(request: Request, response: Response, name: WebhookName) -> Webhook:
    """Tell a webhook again of what happens, from now on."""
    return _shown(response, await app_of(request).webhooks.aresume(name))


async def rotate_webhook(
    request: Request,
    response: Response,
    name: WebhookName,
    body: NewSecret | None = None,
    if_match: IfMatch = None,
) -> WebhookSecret:
    """Give a webhook another secret; for a day its messages are signed with the old one, too.

    With `If-Match` only that version of it.
    """
    app, secret = app_of(request), None if body is None else body.secret
    version = await _version(request, app, name, if_match)
    with _changed(version):
        made = await app.webhooks.arotate(name, secret, version=version)
    response.headers.update(_SECRET)
    show_version(response, made.version)
    return WebhookSecret.of(made)


async def send_test(request: Request, name: WebhookName) -> Delivery:
    """Have a message of the type `webhook.test` delivered."""
    return Delivery.of(await app_of(request).webhooks.atest(name))


async def list_deliveries(
    request: Request, response: Response, wanted: Annotated[DeliveryQuery, Query()]
) -> DeliveryPage:
    """What was delivered, or is still to be, the last added first; as long as it is kept."""
    where = {"webhook": wanted.webhook, "state": sorted(wanted.state)}
    page = read_page(wanted.limit, wanted.after, where)
    found = await app_of(request).webhooks.adeliveries(
        wanted.webhook, state=wanted.state or None, limit=page.limit, after=page.after
    )
    items = [Delivery.of(delivery) for delivery in found]
    return DeliveryPage.model_validate(show_items(request, response, page, items, found.next))


async def replay_delivery(request: Request, delivery_id: DeliveryId) -> Delivery:
    """Have the message of a delivery sent again, by a new one; its id stays the same."""
    return Delivery.of(await app_of(request).webhooks.areplay(delivery_id))


@contextmanager
def _changed(version: int | None) -> Generator[None]:
    """Answer 412 if a webhook is not of a version any more, which a request has named."""
    try:
        yield
    except WebhookConflictError:
        if version is None:
            raise
        raise changed_meanwhile() from None


async def _version(request: Request, app: App, name: str, if_match: str | None) -> int | None:
    """Returns the version that a request is for. Raises `ProblemError`: it is another one."""
    if if_match is None:
        return None
    return wanted_version(request, (await app.webhooks.aget(name)).version)


def _shown(response: Response, webhook: WebhookInfo) -> Webhook:
    show_version(response, webhook.version)
    return Webhook.of(webhook)
