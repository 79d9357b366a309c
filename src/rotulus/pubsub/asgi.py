"""Pushes over ASGI: routes for a FastAPI application."""

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from rotulus.pubsub.http import PUSH_PATH, TICK_PATH, PushAnswer, PushRequest
from rotulus.pubsub.push import PushHandler


def make_push_router(
    handler: PushHandler, *, push_path: str = PUSH_PATH, tick_path: str = TICK_PATH
) -> APIRouter:
    """Returns the routes for pushes of Pub/Sub and ticks of Cloud Scheduler.

    Args:
        handler: answers the requests.
        push_path: the path for pushes.
        tick_path: the path for ticks.
    """
    router = APIRouter(include_in_schema=False)

    async def push(request: Request) -> Response:
        try:
            body = await _read(request, handler.most_bytes)
        except ClientDisconnect:
            return Response(status_code=400)  # the client has gone
        return _response(await handler.ahandle(_request(request, body)))

    async def tick(request: Request) -> Response:
        return _response(await handler.atick(_request(request, b"")))

    router.add_api_route(push_path, push, methods=["POST"])
    router.add_api_route(tick_path, tick, methods=["POST"])
    return router


async def _read(request: Request, most: int) -> bytes:
    """Returns the body; of a too large one, enough bytes to see that."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > most:
            break
    return b"".join(parts)


def _request(request: Request, body: bytes) -> PushRequest:
    headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw]
    return PushRequest(headers, body, request.client.host if request.client else None)


def _response(answer: PushAnswer) -> Response:
    headers = dict(answer.headers)
    return Response(answer.text, answer.status, headers, media_type="text/plain")
