"""The changes of a job as server-sent events, until it has ended."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.responses import StreamingResponse

from rotulus._time.clock import monotonic
from rotulus.errors import JobNotFoundError, StoreError

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

SHORTEST, LONGEST = 0.05, 10.0
"""The least and the greatest time between two looks, in seconds."""

KEEPALIVE = 15.0
"""Seconds of silence after which a comment is sent, which keeps proxies from ending the stream."""

_RETRY = 2000
"""Milliseconds after which a client should connect again."""

Look = Callable[[], Awaitable[dict[str, Any]]]
"""Reads the current state of a job, as JSON. Raises `JobNotFoundError`."""


def stream(look: Look, first: dict[str, Any], poll_interval: float) -> StreamingResponse:
    """Returns an answer that streams each change of a job until it has ended, or is deleted.

    The server ends it when the client goes away: it holds nothing between two looks.

    Args:
        look: reads the job.
        first: the job as it is now.
        poll_interval: seconds between two looks, clamped to the allowed range.
    """
    pause = min(LONGEST, max(SHORTEST, poll_interval))
    return StreamingResponse(_events(look, first, pause), headers=HEADERS, media_type=MEDIA_TYPE)


async def _events(look: Look, job: dict[str, Any], pause: float) -> AsyncIterator[str]:
    yield f"retry: {_RETRY}\n\n"
    told, number, spoke = None, 0, 0.0
    while True:
        if job != told:
            told, number, spoke = job, number + 1, monotonic()
            yield _event(number, job)
        if "ended_at" not in job or job["ended_at"] is not None:
            return
        await asyncio.sleep(pause)
        if monotonic() - spoke >= KEEPALIVE:  # reading the job may take long, too
            spoke = monotonic()
            yield ": still here\n\n"
        job = await _next(look, job)


async def _next(look: Look, job: dict[str, Any]) -> dict[str, Any]:
    """Returns the job as it is now; if the store fails, the job as it was, and try later."""
    try:
        return await look()
    except JobNotFoundError:
        return {"status": "deleted"}
    except StoreError:
        return job


def _event(number: int, job: dict[str, Any]) -> str:
    # JSON has no line feeds, so one line of data is enough.
    return f"id: {number}\nevent: {job['status']}\ndata: {json.dumps(job)}\n\n"
