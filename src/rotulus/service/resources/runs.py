"""`/api/v1/runs`: the runs of workflows and groups: found, read as trees, drawn, and steered."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from rotulus import Job, State
from rotulus import JobPage as FoundJobs
from rotulus._concurrency.pool import off_loop
from rotulus.filters import RUN_FILTERS
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.pages import (
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    After,
    Limit,
    Page,
    read_page,
    show_items,
)
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_ids import find_job
from rotulus.service.resources.job_models import JobPage
from rotulus.service.resources.job_query import (
    PAGE_PARAMETERS,
    Filters,
    WithArguments,
    filters_of,
)
from rotulus.service.resources.job_views import shown_in_list
from rotulus.service.resources.run_models import Graph, Run, Step, Timeline
from rotulus.service.resources.run_verbs import RunId, add_run_verbs, find_run
from rotulus.service.resources.run_views import show_run, show_step
from rotulus.service.resources.views import view_of

Found = Annotated[Filters, Depends(filters_of(RUN_FILTERS, *PAGE_PARAMETERS))]


class _StepsQuery(BaseModel):
    """Which parts of a run."""

    model_config = ConfigDict(extra="forbid")

    within: str = Field(
        "", description="The path of the step whose parts these are; empty: those of the run."
    )
    state: list[State] = Field([], description="Only those in this state, or in one of several.")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="The most of a page.")
    after: str | None = Field(None, description="The `next` of the page before.")


class _StepQuery(BaseModel):
    """Which step of a run."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field("", description="Its path, such as `parse/17`; empty: the run as a whole.")


class _TimelineQuery(BaseModel):
    """How much of a timeline."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(
        100, ge=1, le=1_000, description="The most rows: the steps that ran the longest."
    )


def make_runs_router(prefix: str = "/api/v1/runs", tags: Sequence[str] = ("Runs",)) -> APIRouter:
    """Returns the routes of runs: found, read as a tree, drawn, over time, and steered.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/runs", prefix, tags)
    page = answers(JobPage, "A page.")
    run, step = answers(Run, "The run."), answers(Step, "The step.")

    def get(
        path: str, read: Handling, statements: int, operation_id: str, summary: str, **options: Any
    ) -> None:
        router.add_api_route(
            path,
            read,
            methods=["GET"],
            operation_id=operation_id,
            summary=summary,
            route_class_override=shared_route(statements),
            **options,
        )

    one = "/{run_id}"
    get("", list_runs, 2, "list_runs", "Find runs", responses=page)
    get(one, get_run, 16, "get_run", "Get a run", responses=run)
    get(f"{one}/$steps", list_steps, 8, "list_run_steps", "List steps", responses=page)
    get(f"{one}/$step", get_step, 16, "get_run_step", "Get a step", responses=step)
    get(f"{one}/$graph", get_graph, 8, "get_run_graph", "Draw a run")
    get(f"{one}/$timeline", get_timeline, 12, "get_run_timeline", "A run over time")
    add_run_verbs(router)
    return router


Handling = Callable[..., Awaitable[Any]]
"""A function that answers requests."""


async def list_runs(
    request: Request,
    response: Response,
    filters: Found,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    arguments: WithArguments = False,
) -> Response:
    """The runs that match every given filter, the last one first, each as the job that ends it.

    A run that was enqueued with a delay is found once it has begun; a run that is a step of another
    one is not. `state=running` means every run that has not ended.
    """
    view = view_of(request)
    view.check_filters(filters.where)
    page = read_page(limit, after, {**filters.written, "runs": "1"})
    show = shown_in_list(view, page.limit, arguments=arguments)
    found = await view.app.runs.afind(**filters.where, limit=page.limit, after=page.after)
    return _paged(request, response, page, found, show)


async def get_run(request: Request, run_id: RunId) -> Response:
    """A run: the job that ends it, as `/api/v1/jobs/{job_id}` shows it, and its steps as a tree."""
    view = view_of(request)
    return JSONResponse(await off_loop(lambda: show_run(find_run(view, run_id), view)))


async def list_steps(
    request: Request, response: Response, run_id: RunId, query: Annotated[_StepsQuery, Query()]
) -> Response:
    """The jobs of one level of a run, the last one first: steps, branches, or the jobs of a group.

    The id may also be that of a step of a run.
    """
    view, states = view_of(request), sorted(query.state)
    where = {"steps": run_id, "within": query.within, "state": states}
    page = read_page(query.limit, query.after, where)

    def read() -> FoundJobs:
        return view.app.runs.parts(
            find_job(view, run_id).id,
            query.within,
            state=states or None,
            limit=page.limit,
            after=page.after,
        )

    show = shown_in_list(view, page.limit, arguments=False)
    return _paged(request, response, page, await off_loop(read), show)


async def get_step(
    request: Request, run_id: RunId, query: Annotated[_StepQuery, Query()]
) -> Response:
    """One step of a run, or a branch of one, or the run as a whole."""
    view = view_of(request)

    def read() -> dict[str, Any]:
        return show_step(view.app.runs.step(find_run(view, run_id).id, query.path), view)

    return JSONResponse(await off_loop(read))


async def get_graph(request: Request, run_id: RunId) -> Graph:
    """A run as boxes and the routes between them, with the states of its steps.

    The id may also be that of a step that is a workflow itself. All branches of a step are one box;
    of more than 150 steps, all steps of a level are.
    """
    view = view_of(request)
    graph = await off_loop(lambda: view.app.runs.graph(find_job(view, run_id).id))
    return Graph.model_validate(graph.to_dict())


async def get_timeline(
    request: Request, run_id: RunId, query: Annotated[_TimelineQuery, Query()]
) -> Timeline:
    """When each step of a run waited and ran.

    The id may also be that of a step that is a workflow itself.
    """
    view, limit = view_of(request), query.limit
    found = await off_loop(lambda: view.app.runs.timeline(find_job(view, run_id).id, limit))
    return Timeline.model_validate(found.to_dict())


def _paged(
    request: Request,
    response: Response,
    page: Page,
    found: FoundJobs,
    show: Callable[[Job[Any]], dict[str, Any]],
) -> Response:
    shown: dict[str, Any] = show_items(request, response, page, list(map(show, found)), found.last)
    to = found.looked_to
    looked_to = None if to is None else to.isoformat().replace("+00:00", "Z")
    return JSONResponse({**shown, "looked_to": looked_to}, headers=dict(response.headers))
