"""`/api/v1/failures`: jobs that failed or died, in groups of one cause, and steered so."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rotulus import FailureGroup as GroupInfo
from rotulus import MuteInfo
from rotulus._time.lengths import LONGEST
from rotulus.errors import JobNotFoundError, OptionError
from rotulus.filters import read_when
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.pages import DEFAULT_LIMIT, LARGEST_LIMIT
from rotulus.service.problems import ProblemError
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_models import Job
from rotulus.service.resources.job_views import show_job
from rotulus.service.resources.views import view_of
from rotulus.service.state import app_of

_MOST_GROUPS = 10_000
"""How many groups an answer has at most: there are no pages of groups, as all are read anyway."""

Fingerprint = Annotated[
    str,
    Path(
        description="The fingerprint of a group: that of the errors of its jobs.",
        pattern=r"^[0-9a-f]{12}$",
        examples=["0123456789ab"],
    ),
]


class Failure(BaseModel):
    """An error, without its traceback."""

    type: str
    message: str


class Mute(BaseModel):
    """A group is no news for a time."""

    until: datetime | None = Field(description="When it is news again by itself; null: never.")
    muted_at: datetime
    muted_by: str | None = Field(description="Who has muted it.")
    note: str | None = Field(description="Why.")

    @classmethod
    def of(cls, mute: MuteInfo) -> Self:
        """Returns the model of a mute."""
        return cls.model_validate(mute.to_dict())


class MuteBody(BaseModel):
    """How long a group is muted, and why. Without a time it is for good."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"seconds": 86_400, "note": "#1234"}]}
    )

    until: AwareDatetime | None = Field(None, description="Until then.")
    seconds: float | None = Field(
        None, gt=0, le=LONGEST, strict=True, description="For so long, in place of `until`."
    )
    note: str | None = Field(None, min_length=1, max_length=500, strict=True, description="Why.")

    def read(self) -> datetime | float | None:
        """Returns until when. Raises `OptionError` if that is said twice."""
        if self.until is not None and self.seconds is not None:
            raise OptionError("until, seconds: give one of the two")
        return self.seconds if self.until is None else self.until


class Unmuted(BaseModel):
    """A group is news again."""

    muted: bool = Field(description="Whether it was muted until now.")


class FailureGroup(BaseModel):
    """Jobs that failed or died of one kind of error, raised in one place."""

    fingerprint: str
    error: Failure = Field(description="The error of the last of them.")
    count: int = Field(description="How many there are; 10,000 are counted.")
    exact: bool = Field(description="Whether there are no more.")
    first_seen: datetime
    last_seen: datetime
    tasks: list[str] = Field(description="The tasks that they are of.")
    example: str = Field(description="The id of the last of them.")
    mute: Mute | None = Field(None, description="Null: it is not muted.")

    @classmethod
    def of(cls, group: GroupInfo) -> Self:
        """Returns the model of a group."""
        return cls.model_validate(group.to_dict())


class FailureGroups(BaseModel):
    """Groups of failures, the one that was seen last first."""

    items: list[FailureGroup]


class FailureBody(BaseModel):
    """How a verb goes about a group."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"dry_run": True}]}
    )

    dry_run: bool = Field(default=False, description="Change nothing; say what would be changed.")


class FailureChange(BaseModel):
    """What a verb has done to the jobs of a group, or would do."""

    verb: Literal["retry", "delete"]
    dry_run: bool
    count: int = Field(description="How many jobs were changed, or would be.")


class _ListQuery(BaseModel):
    """Which groups."""

    model_config = ConfigDict(extra="forbid")

    task: str | None = Field(None, description="Only of this task; 'mail.*': all that begin so.")
    since: str | None = Field(
        None, description="Only since then: 90, 15min, 2h or 7d ago, or 2026-11-20T09:30Z."
    )
    muted: bool | None = Field(
        None, description="true: only groups that are muted; false: only those that are not."
    )
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=_MOST_GROUPS, description="The most groups.")


class LatestFailures(BaseModel):
    """Jobs that failed or died, the one that ended last first."""

    items: list[Job]


class _LatestQuery(BaseModel):
    """How many jobs."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="The most jobs.")


def make_failures_router(
    prefix: str = "/api/v1/failures", tags: Sequence[str] = ("Failures",)
) -> APIRouter:
    """Returns the routes of failures: groups, one of them, and its jobs sent back or deleted.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/failures", prefix, tags, route_class=shared_route(4))
    get, post, one = router.get, router.post, "/{fingerprint}"
    get("", operation_id="list_failures", summary="What fails?")(list_failures)
    latest = answers(LatestFailures, "The jobs.")
    get(
        "/$latest",
        operation_id="list_latest_failures",
        summary="What failed last?",
        responses=latest,
    )(list_latest)
    get(one, operation_id="get_failure", summary="Get a group")(get_failure)
    post(f"{one}/$retry", operation_id="retry_failures", summary="Send the jobs of a group back")(
        retry_failures
    )
    post(f"{one}/$delete", operation_id="delete_failures", summary="Delete the jobs of a group")(
        delete_failures
    )
    post(f"{one}/$mute", operation_id="mute_failures", summary="Mute a group")(mute_failures)
    post(f"{one}/$unmute", operation_id="unmute_failures", summary="Unmute a group")(
        unmute_failures
    )
    return router


async def list_failures(request: Request, query: Annotated[_ListQuery, Query()]) -> FailureGroups:
    """The groups of failures, the one that was seen last first.

    It takes as long as there are groups, however many jobs have failed.
    """
    found = await app_of(request).failures.agroups(
        since=_since(query.since), task=query.task, muted=query.muted, limit=query.limit
    )
    return FailureGroups(items=[FailureGroup.of(group) for group in found])


async def list_latest(request: Request, query: Annotated[_LatestQuery, Query()]) -> Response:
    """The jobs that failed or died last, the one that ended last first.

    It takes no longer however many jobs have failed.
    """
    view = view_of(request)
    found = await view.app.failures.alatest(limit=query.limit)
    return JSONResponse({"items": [show_job(job, view) for job in found]})


async def get_failure(request: Request, fingerprint: Fingerprint) -> FailureGroup:
    """One group of failures. Its jobs are those of `/api/v1/jobs?fingerprint=`."""
    try:
        return FailureGroup.of(await app_of(request).failures.aget(fingerprint))
    except JobNotFoundError:
        raise ProblemError(
            404,
            "failure_not_found",
            "No such failure",
            f"No failed job has the fingerprint {fingerprint}: they were retried or deleted.",
            hint="GET /api/v1/failures lists the groups there are.",
        ) from None


async def retry_failures(
    request: Request, fingerprint: Fingerprint, body: FailureBody | None = None
) -> FailureChange:
    """Send the jobs of a group back to their queues; those that fail again meanwhile are left."""
    return await _change("retry", app_of(request).failures.aretry, fingerprint, body)


async def delete_failures(
    request: Request, fingerprint: Fingerprint, body: FailureBody | None = None
) -> FailureChange:
    """Delete the jobs of a group; steps of runs are left."""
    return await _change("delete", app_of(request).failures.adelete, fingerprint, body)


async def mute_failures(
    request: Request, fingerprint: Fingerprint, body: MuteBody | None = None
) -> Mute:
    """Have a group be no news for a time: webhooks are not told of its jobs any more.

    Its jobs fail, are counted and are kept as before. What is muted already is muted anew.
    """
    asked = body or MuteBody.model_construct()
    return Mute.of(
        await app_of(request).failures.amute(fingerprint, until=asked.read(), note=asked.note)
    )


async def unmute_failures(request: Request, fingerprint: Fingerprint) -> Unmuted:
    """Have a group be news again."""
    return Unmuted(muted=await app_of(request).failures.aunmute(fingerprint))


async def _change(
    verb: Literal["retry", "delete"],
    act: Callable[..., Coroutine[Any, Any, int]],
    fingerprint: str,
    body: FailureBody | None,
) -> FailureChange:
    dry_run = body is not None and body.dry_run
    count = await act(fingerprint, dry_run=dry_run)
    return FailureChange(verb=verb, dry_run=dry_run, count=count)


def _since(text: str | None) -> datetime | float | None:
    try:
        return None if text is None else read_when(text)
    except OptionError as error:
        raise OptionError(f"since: {error}") from None
