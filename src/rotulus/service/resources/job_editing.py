"""A job that waits is edited over HTTP, as its sender has seen it: hidden secrets stay."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

from rotulus import Job
from rotulus._concurrency.pool import off_loop
from rotulus.errors import ArgumentsError, JobConflictError
from rotulus.service.preconditions import ETAG_HEADER, show_version, wanted_version
from rotulus.service.problems import problem_of
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_ids import JobId, find_job
from rotulus.service.resources.job_models import EditBody, JobDetail
from rotulus.service.resources.job_views import show_whole, version_of
from rotulus.service.resources.views import View, view_of

_TRIES = 10

IfMatch = Annotated[
    str | None,
    Header(description="The `ETag` of the job as it was read: only that version is edited."),
]


def add_editing(router: APIRouter) -> None:
    """Add the route that edits a job to a router."""
    edited = answers(JobDetail, "The job after that.", headers=ETAG_HEADER)
    router.patch("/{job_id}", operation_id="edit_job", summary="Edit a job", responses=edited)(
        edit_job
    )


async def edit_job(
    request: Request, job_id: JobId, body: EditBody, if_match: IfMatch = None
) -> Response:
    """Change a job that waits: all of its arguments, its priority, or when it is due.

    What is not given stays, and so does a secret that comes back as `***`. 409: the job has begun,
    or has ended. 412: it is not as `If-Match` says any more.
    """
    del if_match  # read from all such headers
    view = view_of(request)

    def act() -> Response:
        job = _edit(request, view, job_id, body)
        answer = JSONResponse(show_whole(job, view))
        show_version(answer, version_of(job, view))
        return answer

    try:
        return await off_loop(act)
    except ArgumentsError as error:
        raise problem_of(error, arguments_at="/arguments") from None


def _edit(request: Request, view: View, job_id: str, body: EditBody) -> Job[Any]:
    """Edit a job; once more if somebody else has edited it since it was read here."""
    changes = body.model_dump(exclude_none=True)
    for tries_left in reversed(range(_TRIES)):
        job = find_job(view, job_id)
        wanted_version(request, version_of(job, view))
        if body.arguments is not None:
            changes["arguments"] = view.restored(job.task, body.arguments, job.arguments)
        try:
            return view.app.jobs.edit(job.id, version=job.version, **changes)
        except JobConflictError:
            if not tries_left or job.refresh().version == job.version:
                raise
    raise AssertionError
