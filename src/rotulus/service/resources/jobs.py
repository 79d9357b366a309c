"""`/api/v1/jobs`: the jobs of an app, spawned jobs included, as they are found and read."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from rotulus import Job, State
from rotulus.filters import JOB_FILTERS
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.pages import DEFAULT_LIMIT, After, Limit, read_page, show_items
from rotulus.service.preconditions import ETAG_HEADER, show_version
from rotulus.service.prefer import await_job, read_prefer
from rotulus.service.problems import ProblemError
from rotulus.service.records import JobStatus, states_of
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_bulk import add_bulk_verbs
from rotulus.service.resources.job_counts import add_counts
from rotulus.service.resources.job_editing import add_editing
from rotulus.service.resources.job_ids import JobId, job_of, with_job
from rotulus.service.resources.job_logs import add_logs
from rotulus.service.resources.job_models import Job as JobModel
from rotulus.service.resources.job_models import JobCount, JobDetail, JobPage, JobResult
from rotulus.service.resources.job_query import (
    PAGE_PARAMETERS,
    Filters,
    WithArguments,
    filters_of,
)
from rotulus.service.resources.job_verbs import add_verbs
from rotulus.service.resources.job_views import (
    show_job,
    show_result,
    show_whole,
    shown_in_list,
    version_of,
)
from rotulus.service.resources.views import View, view_of

Status = Annotated[JobStatus | None, Query(description="The states with this `status`.")]
Prefer = Annotated[str | None, Header(description="`wait=10`: seconds to wait for its end.")]
Found = Annotated[Filters, Depends(filters_of(JOB_FILTERS, "status_filter", *PAGE_PARAMETERS))]
Counted = Annotated[Filters, Depends(filters_of(JOB_FILTERS))]


def make_jobs_router(prefix: str = "/api/v1/jobs", tags: Sequence[str] = ("Jobs",)) -> APIRouter:
    """Returns the routes of jobs: found, counted, read, followed and steered, alone and together.

    The jobs are those of the service's app, else of the app that is open for the tasks of the
    global registry.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/jobs", prefix, tags, route_class=shared_route(2))
    get, one = router.get, "/{job_id}"
    get("", operation_id="list_jobs", summary="Find jobs", responses=answers(JobPage, "A page."))(
        list_jobs
    )
    counted = answers(JobCount, "How many there are.")
    get("/$count", operation_id="count_jobs", summary="Count jobs", responses=counted)(count_jobs)
    add_counts(router)
    get("/$schema", operation_id="get_job_schema", summary="The schema of a job")(get_schema)
    detail = answers(JobDetail, "The job.", headers=ETAG_HEADER)
    get(one, operation_id="get_job", summary="Get a job", responses=detail)(get_job)
    result = answers(JobResult, "The result.")
    result |= answers(JobModel, "The job has not ended.", status=202)
    get(f"{one}/$result", operation_id="get_job_result", summary="Get a result", responses=result)(
        get_result
    )
    add_logs(router)
    add_verbs(router)
    add_editing(router)
    add_bulk_verbs(router)
    return router


async def list_jobs(
    request: Request,
    response: Response,
    filters: Found,
    status_filter: Status = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    arguments: WithArguments = False,
) -> Response:
    """The jobs that match every given filter, the last one first.

    A label is given as `label=customer=7` or as `label.customer=7`, and a value in the arguments as
    `args=order.id=42` or as `args.order.id=42`.
    """
    view, where = view_of(request), filters.where
    view.check_filters(where)
    where["state"] = _states(where.get("state"), status_filter)
    page = read_page(limit, after, {**filters.written, "status": status_filter})
    show = shown_in_list(view, page.limit, arguments=arguments)
    found = await view.app.jobs.afind(**where, limit=page.limit, after=page.after)
    shown = show_items(request, response, page, list(map(show, found)), found.last)
    looked_to = None if found.looked_to is None else _zulu(found.looked_to.isoformat())
    return JSONResponse({**shown, "looked_to": looked_to}, headers=dict(response.headers))


async def count_jobs(request: Request, filters: Counted) -> Response:
    """How many jobs match every given filter: exact up to 10,000, and then at least that many."""
    view = view_of(request)
    view.check_filters(filters.where)
    count = await view.app.jobs.acount(**filters.where)
    return JSONResponse({"count": int(count), "exact": count.exact})


async def get_schema() -> dict[str, Any]:
    """The JSON schema of a single job. One in a list has less."""
    return JobDetail.model_json_schema(mode="serialization")


async def get_job(request: Request, job_id: JobId) -> Response:
    """A job, with its arguments, result and earlier attempts, and the reasons for its state.

    Its `ETag` is that of what can be edited: its arguments, its priority, and when it is due.
    """

    def show(job: Job[Any], view: View) -> Response:
        answer = JSONResponse(show_whole(job, view))
        show_version(answer, version_of(job, view))
        return answer

    return await with_job(request, job_id, show)


async def get_result(request: Request, job_id: JobId, prefer: Prefer = None) -> Response:
    """The result of a job that has succeeded; 202 until it has ended, 409 if it has no result.

    `Prefer: wait=10` waits for its end, 60 seconds at most.
    """
    del prefer  # read from all such headers
    asked, view = read_prefer(request), view_of(request)
    job = await await_job(await job_of(request, job_id), asked.wait, request)
    headers = dict(asked.headers)
    if not job.state.ended:
        return JSONResponse(show_job(job, view), 202, {**headers, "Retry-After": "1"})
    if job.state is not State.SUCCEEDED:
        raise _no_result(job)
    result = {"id": job.id, "state": job.state.value, "result": show_result(job, view)}
    return JSONResponse(result, headers=headers)


def _no_result(job: Job[Any]) -> ProblemError:
    """Returns the problem of a job that has ended without a result."""
    error = f": {job.error}" if job.error else ""
    reason = f" ({job.reason})" if job.reason else ""
    return ProblemError(
        409,
        "job_failed",
        "The job has no result",
        f"The job {job.state.words}{reason}{error}",
        hint="The job itself says how it ended.",
        members={"state": job.state.value, "reason": job.reason},
    )


def _states(states: list[str] | None, status: JobStatus | None) -> list[str] | None:
    """Returns the states to look for: the given ones that have the status."""
    if status is None:
        return states
    meant = [one.value for one in states_of(status)]
    return meant if states is None else [one for one in states if one in meant]


def _zulu(time: str) -> str:
    return time.replace("+00:00", "Z")
