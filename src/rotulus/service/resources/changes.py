"""`/api/v1/changes`: what happens to jobs, queues, schedules, workers, limits and failures."""

from collections.abc import AsyncGenerator, Sequence
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rotulus._app.change_stream import ChangeStream
from rotulus._time.clock import monotonic
from rotulus.service.event_streams import (
    KEEPALIVE,
    MEDIA_TYPE,
    RETRY,
    STILL_HERE,
    EventStream,
    event,
    most_streams,
)
from rotulus.service.guard import ResourceRouter
from rotulus.service.state import app_of
from rotulus.store import Change

_LARGEST = 2**63 - 1
_LONGEST = 86_400.0

LastEventID = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=_LARGEST,
        description="The position of the last change that is known; browsers send it by themselves "
        "when they come back. It counts, and not `after`.",
    ),
]


class Wanted(BaseModel):
    """Which changes are wanted."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(
        None,
        ge=0,
        le=_LARGEST,
        description="The position of the last change that is known; from now on unless given.",
    )
    jobs: list[str] | None = Field(None, description="Only changes of these jobs, by id.")
    queues: list[str] | None = Field(
        None,
        description="Only changes of these queues, and of the jobs in them. With `jobs`, both.",
    )
    seconds: float = Field(
        _LONGEST,
        gt=0,
        le=_LONGEST,
        description="Seconds after which the stream ends; a client that comes back goes on.",
    )


def make_changes_router(
    prefix: str = "/api/v1/changes", tags: Sequence[str] = ("Changes",)
) -> APIRouter:
    """Returns the route of changes.

    Args:
        prefix: the path.
        tags: the tags of the operation.
    """
    router = ResourceRouter("/api/v1/changes", prefix, tags)
    events: dict[int | str, dict[str, Any]] = {
        200: {"description": "Server-sent events.", "content": {MEDIA_TYPE: {"schema": _EVENTS}}}
    }
    router.get("", operation_id="follow_changes", summary="Follow what happens", responses=events)(
        follow_changes
    )
    return router


async def follow_changes(
    request: Request, wanted: Annotated[Wanted, Query()], last_event_id: LastEventID = None
) -> Response:
    """What happens to jobs, queues, schedules, workers, limits and failures, as server-sent events.

    The `id` of an event is the position of the change, its type is the `kind`, and its data is a
    JSON object with `position`, `at`, `kind`, `name`, `what`, `task` and `queue`. An event of the
    type `reset` says that changes before it are missing: look how things stand, and go on. Each 15
    seconds there is a comment at least.
    """
    known = wanted.after if last_event_id is None else last_event_id
    changes = app_of(request).changes
    stream = changes(after=known, jobs=wanted.jobs, queues=wanted.queues)
    return EventStream(_events(stream, monotonic() + wanted.seconds), most_streams(request))


async def _events(stream: ChangeStream, end: float) -> AsyncGenerator[str, None]:
    """The events of a stream until it ends, or a moment comes.

    Events without data tell clients a position, and nothing else. So a client that comes back
    after a time in which nothing of what it wants has happened misses nothing.
    """
    try:
        async with stream:
            yield f"{RETRY}{_position(stream)}"
            while (left := end - monotonic()) > 0:
                changes = await stream.take(min(left, KEEPALIVE))
                if changes is None:
                    return
                yield "".join(map(_text, changes)) or f"{STILL_HERE}{_position(stream)}"
    finally:
        stream.close()  # also when it was left while it began


def _position(stream: ChangeStream) -> str:
    return f"id: {stream.position}\n\n"


@lru_cache(1024)  # many clients are told the same
def _text(change: Change) -> str:
    at = change.at.isoformat().replace("+00:00", "Z")
    return event(change.position, change.kind, {**change._asdict(), "at": at})


_EVENTS = {
    "type": "string",
    "description": "`id`: the position; `event`: the kind; `data`: the change as JSON.",
}
