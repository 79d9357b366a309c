"""The lines that a job has logged, over HTTP: page by page, and as a stream while it runs."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from rotulus import Job, LogLine
from rotulus._concurrency.pool import off_loop
from rotulus._time.clock import monotonic
from rotulus.errors import JobNotFoundError, StoreError
from rotulus.service.event_streams import (
    KEEPALIVE,
    MEDIA_TYPE,
    RETRY,
    STILL_HERE,
    EventStream,
    event,
    most_streams,
)
from rotulus.service.pages import LARGEST_LIMIT
from rotulus.service.resources.documented import Answers, answers
from rotulus.service.resources.job_ids import JobId, job_of
from rotulus.service.resources.job_models import LogPage

_LOOK_EVERY = 0.5
"""Seconds between two looks for new lines."""

_LARGEST = 2**31 - 1
_PLACE = r"^[0-9]{1,10}:[0-9]{1,10}$"

Level = Annotated[
    Literal["debug", "info", "warning", "error", "critical"] | None,
    Query(description="Only lines of this level, or above."),
]
Number = Annotated[int | None, Query(ge=1, le=_LARGEST, description="Only lines of this attempt.")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="The most lines of a page.")]
Place = Annotated[
    str | None,
    Query(pattern=_PLACE, description="The `cursor` of a line: only those that follow it."),
]
LastEventID = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=_PLACE,
        description="The `cursor` of the last line that is known; it counts, and not `after`.",
    ),
]


class _Wanted(NamedTuple):
    """Which lines of a job are wanted."""

    attempt: int | None
    level: str | None


def add_logs(router: APIRouter) -> None:
    """Add the routes of log lines to a router."""
    path = "/{job_id}/$logs"
    page = answers(LogPage, "A page of lines.")
    router.get(path, operation_id="get_job_logs", summary="Read log lines", responses=page)(
        get_logs
    )
    lines: Answers = {
        200: {
            "description": "Server-sent events: the data of each `line` is a line, and `end` is "
            "the last one.",
            "content": {MEDIA_TYPE: {}},
        },
        204: {"description": "The job has ended, and all of its lines are known."},
    }
    router.get(
        f"{path}/$stream",
        operation_id="stream_job_logs",
        summary="Follow log lines",
        responses=lines,
    )(stream_logs)


async def get_logs(
    request: Request,
    job_id: JobId,
    attempt: Number = None,
    level: Level = None,
    limit: Limit = LARGEST_LIMIT,
    after: Place = None,
) -> Response:
    """The lines that the attempts of a job have logged, the oldest first.

    While an attempt runs, its lines come about a second later: ask again with the `cursor` of the
    last line.
    """
    job = await job_of(request, job_id)
    found = await job.alogs(attempt=attempt, level=level, after=after, limit=limit + 1)
    more = len(found) > limit
    items = [_show(line) for line in found[:limit]]
    return JSONResponse({"items": items, "next": items[-1]["cursor"] if more else None})


async def stream_logs(
    request: Request,
    job_id: JobId,
    attempt: Number = None,
    level: Level = None,
    after: Place = None,
    last_event_id: LastEventID = None,
) -> Response:
    """Each line as a server-sent event, also those that come while the job runs, until it ends."""
    job, wanted = await job_of(request, job_id), _Wanted(attempt, level)
    place = last_event_id or after
    if last_event_id is not None and job.state.ended and await _read(job, wanted, place, 1) == []:
        return Response(status_code=204)
    return EventStream(_events(job, wanted, place), most_streams(request))


async def _events(job: Job[Any], wanted: _Wanted, place: str | None) -> AsyncGenerator[str, None]:
    yield RETRY
    spoke = monotonic()
    while True:
        has_ended = await _has_ended(job)
        lines = await _read(job, wanted, place, LARGEST_LIMIT)
        for line in lines or ():
            place, spoke = line.cursor, monotonic()
            yield event(place, "line", _show(line))
        if lines is not None and len(lines) == LARGEST_LIMIT:
            continue
        if has_ended and lines is not None:
            yield event(place or "0:0", "end", {})
            return
        await asyncio.sleep(_LOOK_EVERY)
        if monotonic() - spoke >= KEEPALIVE:
            spoke = monotonic()
            yield STILL_HERE


async def _read(
    job: Job[Any], wanted: _Wanted, after: str | None, limit: int
) -> list[LogLine] | None:
    """Returns lines; None if the store fails, to try later."""
    try:
        return await off_loop(partial(job.logs, **wanted._asdict(), after=after, limit=limit))
    except StoreError:
        return None


async def _has_ended(job: Job[Any]) -> bool:
    """Returns whether a job has ended, or is gone. It is read anew."""
    try:
        return (await job.arefresh()).state.ended
    except JobNotFoundError:
        return True
    except StoreError:
        return False


def _show(line: LogLine) -> dict[str, Any]:
    shown = line.to_dict()
    return shown | {"at": shown["at"].replace("+00:00", "Z"), "cursor": line.cursor}
