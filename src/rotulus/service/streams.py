"""The changes of a job as server-sent events, until it has ended."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from rotulus._time.clock import monotonic
from rotulus.errors import JobNotFoundError, StoreError
from rotulus.service.event_streams import KEEPALIVE, RETRY, STILL_HERE, EventStream, event

SHORTEST, LONGEST = 0.05, 10.0
"""The least and the greatest time between two looks, in seconds."""

Look = Callable[[], Awaitable[dict[str, Any]]]
"""Reads the current state of a job, as JSON. Raises `JobNotFoundError`."""


def stream(look: Look, first: dict[str, Any], poll_interval: float, most: int) -> EventStream:
    """Returns an answer that streams each change of a job until it has ended, or is deleted.

    The server ends it when the client goes away: it holds nothing between two looks.

    Args:
        look: reads the job.
        first: the job as it is now.
        poll_interval: seconds between two looks, clamped to the allowed range.
        most: how many streams this process may have open.
    """
    pause = min(LONGEST, max(SHORTEST, poll_interval))
    return EventStream(_events(look, first, pause), most)


async def _events(look: Look, job: dict[str, Any], pause: float) -> AsyncGenerator[str, None]:
    yield RETRY
    told, number, spoke = None, 0, 0.0
    while True:
        if job != told:
            told, number, spoke = job, number + 1, monotonic()
            yield event(number, job["status"], job)
        if "ended_at" not in job or job["ended_at"] is not None:
            return
        await asyncio.sleep(pause)
        if monotonic() - spoke >= KEEPALIVE:  # reading the job may take long, too
            spoke = monotonic()
            yield STILL_HERE
        job = await _next(look, job)


async def _next(look: Look, job: dict[str, Any]) -> dict[str, Any]:
    """Returns the job as it is now; if the store fails, the job as it was, and try later."""
    try:
        return await look()
    except JobNotFoundError:
        return {"status": "deleted"}
    except StoreError:
        return job
