"""`/api/v1/schedules`: when which task is fired; added, changed, paused, and fired by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rotulus import ScheduleInfo
from rotulus._text.segments import path_segment
from rotulus.errors import OptionError, ScheduleConflictError
from rotulus.filters import read_when
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.pages import DEFAULT_LIMIT, LARGEST_LIMIT, read_page, show_page
from rotulus.service.preconditions import (
    ETAG_HEADER,
    IfMatch,
    changed_meanwhile,
    show_version,
    wanted_version,
)
from rotulus.service.problems import ProblemError
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_models import Job as JobModel
from rotulus.service.resources.job_views import show_job
from rotulus.service.resources.schedule_models import (
    Backfill,
    BackfillBody,
    Instants,
    NewSchedule,
    Schedule,
    ScheduleChange,
    SchedulePage,
)
from rotulus.service.resources.views import View, view_of
from rotulus.service.scope import root_of
from rotulus.service.state import app_of

ScheduleName = Annotated[str, Path(description="The name of a schedule.")]

_MOST_SHOWN = 1_000


class _ListQuery(BaseModel):
    """Which schedules."""

    model_config = ConfigDict(extra="forbid")

    task: str | None = Field(None, description="Only of this task; 'mail.*': all that begin so.")
    state: list[str] = Field([], description="Only those in this state, or in one of several.")
    origin: Literal["code", "added"] | None = Field(None, description="Only of this origin.")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="The most of a page.")
    after: str | None = Field(None, description="The `next` of the page before.")


class _InstantsQuery(BaseModel):
    """Which instants."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(5, ge=1, le=1_000, description="How many at most.")
    after: AwareDatetime | None = Field(
        None, description="The moment after which they are; now unless given."
    )


def make_schedules_router(
    prefix: str = "/api/v1/schedules", tags: Sequence[str] = ("Schedules",)
) -> APIRouter:
    """Returns the routes of schedules: list, get, add, set, remove, pause, resume, run, backfill.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/schedules", prefix, tags, route_class=shared_route(1))
    get, post, one = router.get, router.post, "/{name}"
    shown = answers(Schedule, "The schedule.", headers=ETAG_HEADER)
    added = answers(Schedule, "It was added.", status=201, headers=_LOCATED)
    get("", operation_id="list_schedules", summary="List schedules")(list_schedules)
    post("", operation_id="add_schedule", summary="Add one", status_code=201, responses=added)(
        add_schedule
    )
    get(one, operation_id="get_schedule", summary="Get a schedule", responses=shown)(get_schedule)
    router.patch(one, operation_id="set_schedule", summary="Change one", responses=shown)(
        set_schedule
    )
    router.delete(one, operation_id="remove_schedule", summary="Remove one", status_code=204)(
        remove_schedule
    )
    get(f"{one}/$instants", operation_id="get_instants", summary="When does it fire?")(get_instants)
    _add_verbs(router, one)
    return router


_LOCATED = {**ETAG_HEADER, "Location": {"schema": {"type": "string"}}}


def _add_verbs(router: APIRouter, one: str) -> None:
    post, shown = router.post, answers(Schedule, "The schedule after that.", headers=ETAG_HEADER)
    post(f"{one}/$pause", operation_id="pause_schedule", summary="Pause one", responses=shown)(
        pause_schedule
    )
    post(f"{one}/$resume", operation_id="resume_schedule", summary="Resume one", responses=shown)(
        resume_schedule
    )
    stored = answers(JobModel, "The job.", status=202, headers={"Location": _LOCATED["Location"]})
    post(
        f"{one}/$run",
        operation_id="run_schedule",
        summary="Fire it now",
        status_code=202,
        responses=stored,
    )(run_schedule)
    post(f"{one}/$backfill", operation_id="backfill_schedule", summary="Fire for the past")(
        backfill_schedule
    )


async def list_schedules(
    request: Request, response: Response, query: Annotated[_ListQuery, Query()]
) -> SchedulePage:
    """The schedules that match every given filter, those of the code included, by name."""
    view = view_of(request)
    where = query.model_dump(exclude={"limit", "after"})
    page = read_page(query.limit, query.after, where)
    found = sorted(await view.app.schedules.alist(), key=lambda info: info.name)
    meant = [info for info in found if _fits(info, query) and info.name > (page.after or "")]
    shown = show_page(
        request,
        response,
        page,
        meant[: page.read_limit],
        lambda info: info.name,
        lambda info: Schedule.of(info, view),
    )
    return SchedulePage(**shown)


async def add_schedule(request: Request, response: Response, body: NewSchedule) -> Schedule:
    """Add a schedule, which fires from now on. A task may have several."""
    view, options = view_of(request), body.given()
    made = await view.app.schedules.aadd(options.pop("name"), **options)
    response.headers["Location"] = f"{request.url.path.rstrip('/')}/{path_segment(made.name)}"
    return _shown(response, made, view)


async def get_schedule(request: Request, response: Response, name: ScheduleName) -> Schedule:
    """A schedule; its version is the `ETag`."""
    view = view_of(request)
    return _shown(response, await view.app.schedules.aget(name), view)


async def set_schedule(
    request: Request,
    response: Response,
    name: ScheduleName,
    body: ScheduleChange,
    if_match: IfMatch = None,
) -> Schedule:
    """Change a schedule that was added; with `If-Match` only that version of it.

    A change of its instants counts from now on. Arguments are given whole; a `***` that stands for
    a secret keeps the stored one.
    """
    view, changes = view_of(request), body.given()
    stands = await view.app.schedules.aget(name)
    if stands.origin == "code":
        raise _in_code(name)
    version = None if if_match is None else wanted_version(request, stands.version)
    wanted = version
    if not view.whole and changes.keys() & {"task", "arguments"}:
        changes["arguments"] = _restored(view, stands, changes)
        wanted = stands.version  # what was restored is of that version
    try:
        return _shown(
            response, await view.app.schedules.aset(name, version=wanted, **changes), view
        )
    except ScheduleConflictError:
        if version is not None:
            raise changed_meanwhile() from None
        raise


async def remove_schedule(
    request: Request, name: ScheduleName, if_match: IfMatch = None
) -> Response:
    """Remove a schedule that was added; with `If-Match` only that version. Its jobs stay."""
    schedules = app_of(request).schedules
    stands = await schedules.aget(name)
    if stands.origin == "code" and stands.state != "retired":
        raise _in_code(name)
    version = None if if_match is None else wanted_version(request, stands.version)
    try:
        await schedules.aremove(name, version=version)
    except ScheduleConflictError:
        if version is not None:
            raise changed_meanwhile() from None
        raise
    return Response(status_code=204)


async def pause_schedule(request: Request, response: Response, name: ScheduleName) -> Schedule:
    """Fire a schedule no more until it is resumed; what is due meanwhile is not fired later."""
    view = view_of(request)
    return _shown(response, await view.app.schedules.apause(name), view)


async def resume_schedule(request: Request, response: Response, name: ScheduleName) -> Schedule:
    """Fire a schedule again, from now on."""
    view = view_of(request)
    return _shown(response, await view.app.schedules.aresume(name), view)


async def run_schedule(request: Request, name: ScheduleName) -> Response:
    """Store a job of a schedule now, whatever its instants are, also while it is paused."""
    view = view_of(request)
    job = await view.app.schedules.arun_now(name)
    location = f"{root_of(request.scope)}/api/v1/jobs/{job.id}"
    return JSONResponse(show_job(job, view), 202, {"Location": location})


async def backfill_schedule(request: Request, name: ScheduleName, body: BackfillBody) -> Backfill:
    """Store a job for each instant of a time that is over, unless there is one already."""
    since, until = _when("since", body.since), None
    if body.until is not None:
        until = _when("until", body.until)
    found = await app_of(request).schedules.abackfill(name, since, until, dry_run=body.dry_run)
    return Backfill(dry_run=body.dry_run, count=len(found), items=_utc(found[:_MOST_SHOWN]))


async def get_instants(
    request: Request, name: ScheduleName, query: Annotated[_InstantsQuery, Query()]
) -> Instants:
    """The next instants of a schedule as it stands now, also while it is paused."""
    found = await app_of(request).schedules.ainstants(name, query.count, query.after)
    return Instants(items=_utc(found))


def _in_code(name: str) -> ProblemError:
    return ProblemError(
        409,
        "schedule_conflict",
        "The schedule cannot be changed so",
        f"Schedule {name!r} is declared in code: change it there.",
        hint="Here it can be paused, resumed and run.",
    )


def _shown(response: Response, info: ScheduleInfo, view: View) -> Schedule:
    show_version(response, info.version)
    return Schedule.of(info, view)


def _fits(info: ScheduleInfo, query: _ListQuery) -> bool:
    if query.task is not None:
        beginning = query.task.removesuffix("*")
        if not (
            info.task.startswith(beginning) if query.task != beginning else info.task == beginning
        ):
            return False
    return (not query.state or info.state in query.state) and query.origin in (None, info.origin)


def _restored(view: View, stands: ScheduleInfo, changes: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments that somebody means who has seen them masked.

    Raises:
        OptionError: another task would get secrets, and might show them.
    """
    stored, task = stands.schedule.arguments, changes.get("task", stands.task)
    if task != stands.task and view.arguments(stands.task, stored) != dict(stored):
        if "arguments" not in changes:
            raise OptionError(
                f"task={task!r} is not allowed by itself: the arguments of schedule "
                f"{stands.name!r} have secrets, so give arguments for the other task, too"
            )
        stored = dict[str, Any]()
    return view.restored(task, changes.get("arguments", stored), stored)


def _when(name: str, text: str) -> datetime | float:
    try:
        return read_when(text)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None


def _utc(instants: Sequence[datetime]) -> list[datetime]:
    return [at.astimezone(UTC) for at in instants]
