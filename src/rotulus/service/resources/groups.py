"""`/api/v1/groups`: jobs with one callback for all of them: opened, added to, closed."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from rotulus import Job, State
from rotulus._concurrency.pool import off_loop
from rotulus.errors import GroupNotFoundError
from rotulus.service.guard import ResourceRouter
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_models import Job as JobModel
from rotulus.service.resources.job_models import WholeNumber
from rotulus.service.resources.job_views import show_job
from rotulus.service.resources.views import View, view_of

GroupName = Annotated[str, Path(description="The name of a group.")]


class Group(BaseModel):
    """A group as it stands: the last one of its name."""

    name: str
    open: bool = Field(description="Whether jobs can be added.")
    jobs: dict[State, int] = Field(description="How many of its jobs are in each state.")
    job: JobModel = Field(description="The job of the callback; its id is that of the run.")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewGroup(_Body):
    """A group that is opened, or gone on with."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "import-7", "then": "report"}]}
    )

    name: str = Field(description="By which it is found: printable text.")
    then: str = Field(description="The task that is run when all of its jobs have ended.")


class AddOptions(_Body):
    """The options of the jobs that are added."""

    queue: str | None = None
    priority: WholeNumber = Field(0, ge=-1_000_000, le=1_000_000)
    delay: float = Field(0.0, ge=0, description="Seconds until they are due.")
    labels: dict[str, str] | None = None


class AddBody(_Body):
    """Jobs of one task for a group."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"task": "parse", "params": [{"line": "a"}, {"line": "b"}]}]
        }
    )

    task: str
    params: list[dict[str, Any]] = Field(
        min_length=1, max_length=500, description="The arguments of each job, by name."
    )
    options: AddOptions | None = None


class Added(BaseModel):
    """The jobs that were added, in order."""

    items: list[JobModel]


def make_groups_router(
    prefix: str = "/api/v1/groups", tags: Sequence[str] = ("Groups",)
) -> APIRouter:
    """Returns the routes of groups: open, get, add jobs, close. A group is a run, as well.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/groups", prefix, tags)
    post, one, group = router.post, "/{name}", answers(Group, "The group.")
    post("", operation_id="open_group", summary="Open a group", responses=group)(open_group)
    router.get(one, operation_id="get_group", summary="Get a group", responses=group)(get_group)
    added = answers(Added, "All of them are stored.", status=202)
    post(
        f"{one}/$add",
        operation_id="add_to_group",
        summary="Add jobs to a group",
        status_code=202,
        responses=added,
    )(add_to_group)
    post(f"{one}/$close", operation_id="close_group", summary="Close a group", responses=group)(
        close_group
    )
    return router


async def open_group(request: Request, body: NewGroup) -> Response:
    """Begin a group, or go on with the one of that name that is open.

    The task of `then` is called with the outcomes of all jobs once the group is closed and they
    have ended.
    """
    view = view_of(request)

    def act() -> dict[str, Any]:
        then = view.app.registry.get(body.then)
        return _show(view.app.group(body.name, then=then).open().job, view)

    return JSONResponse(await off_loop(act))


async def get_group(request: Request, name: GroupName) -> Response:
    """The last group of a name."""
    view = view_of(request)

    def read() -> dict[str, Any]:
        found = view.app.runs.find(group=name, limit=1)
        if not found:
            raise GroupNotFoundError(f"There is no group {name!r}")
        return _show(found[0], view)

    return JSONResponse(await off_loop(read))


async def add_to_group(request: Request, name: GroupName, body: AddBody) -> Response:
    """Store jobs of a task in an open group: all of them, or none."""
    view = view_of(request)
    options = (
        {}
        if body.options is None
        else body.options.model_dump(exclude_none=True, exclude_unset=True)
    )

    def add() -> list[dict[str, Any]]:
        task = view.app.registry.get(body.task)
        group = view.app.group(name).open()
        jobs = task.using(group=group, **options).enqueue_many(body.params)
        return [show_job(job, view) for job in jobs]

    return JSONResponse({"items": await off_loop(add)}, 202)


async def close_group(request: Request, name: GroupName) -> Response:
    """Let nobody add jobs any more: the callback runs once all of them have ended."""
    view = view_of(request)
    return JSONResponse(await off_loop(lambda: _show(view.app.group(name).close(), view)))


def _show(head: Job[Any], view: View) -> dict[str, Any]:
    jobs: dict[str, int] = {}
    for count in view.app.store.count("step", head.id):
        jobs[count.state.value] = jobs.get(count.state.value, 0) + count.jobs
    return {
        "name": head.group,
        "open": view.app.store.groups.is_open(head.id),
        "jobs": jobs,
        "job": show_job(head, view),
    }
