"""What is done to one job over HTTP: cancel, retry, delete, reprioritise, and follow."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from rotulus import Job
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.states import RETRYABLE
from rotulus.errors import JobFailedError, ResultTimeoutError
from rotulus.service.event_streams import MEDIA_TYPE, most_streams
from rotulus.service.problems import ProblemError
from rotulus.service.records import SPAWNED
from rotulus.service.resources.documented import Answers, answers
from rotulus.service.resources.job_ids import JobId, job_of
from rotulus.service.resources.job_models import JobDetail, ReprioritiseBody
from rotulus.service.resources.job_views import show_job, show_whole
from rotulus.service.resources.views import View, view_of
from rotulus.service.scheduler import JobScheduler
from rotulus.service.state import state_of
from rotulus.service.streams import stream

_CANCEL_TIMEOUT = 2.0
"""Seconds for a cancelled job to end before the request is answered."""

PollInterval = Annotated[
    float, Query(allow_inf_nan=False, description="Seconds between two looks, 0.05 to 10.")
]


def add_verbs(router: APIRouter) -> None:
    """Add the routes of the verbs for one job to a router."""
    post, one, job = router.post, "/{job_id}", answers(JobDetail, "The job after that.")
    gone: Answers = {
        204: {"description": "The job is gone."},
        202: {"description": "The job still runs, and is told to stop."},
    }
    router.delete(
        one,
        operation_id="delete_job",
        summary="Cancel and remove a job",
        status_code=204,
        responses=gone,
    )(delete_job)
    post(f"{one}/$cancel", operation_id="cancel_job", summary="Cancel a job", responses=job)(
        cancel_job
    )
    post(f"{one}/$retry", operation_id="retry_job", summary="Send a job back", responses=job)(
        retry_job
    )
    post(
        f"{one}/$reprioritise",
        operation_id="reprioritise_job",
        summary="Give a job another priority",
        responses=job,
    )(reprioritise_job)
    events: Answers = {
        200: {
            "description": "Server-sent events: the data of each is the job.",
            "content": {MEDIA_TYPE: {}},
        }
    }
    router.get(
        f"{one}/$stream", operation_id="stream_job", summary="Follow a job", responses=events
    )(stream_job)


async def cancel_job(request: Request, job_id: JobId) -> Response:
    """Cancel a job: at once if it waits; a running job is told to stop."""
    job = await job_of(request, job_id)
    await _cancel(request, job)
    return await _now(request, job)


async def retry_job(request: Request, job_id: JobId) -> Response:
    """Send a job that failed, was given up or was cancelled back to its queue."""
    job = await job_of(request, job_id)
    if job.task == SPAWNED:
        raise ProblemError(
            409,
            "job_not_retryable",
            "The job cannot be retried",
            "A spawned job runs once, in the process that spawned it.",
            hint="Make it a task, and enqueue it.",
        )
    if not await view_of(request).app.jobs.aretry(job.id):
        raise ProblemError(
            409,
            "job_not_retryable",
            "The job cannot be retried",
            await _why_left(await job.arefresh()),
        )
    return await _now(request, job)


async def reprioritise_job(request: Request, job_id: JobId, body: ReprioritiseBody) -> Response:
    """Give a job that waits another priority; a run with its steps that wait."""
    job = await job_of(request, job_id)
    jobs = view_of(request).app.jobs
    if not await jobs.areprioritise(job.id, priority=body.priority):
        raise _not_waiting(await job.arefresh())
    return await _now(request, job)


async def delete_job(request: Request, job_id: JobId) -> Response:
    """Cancel a job, if it is live, and remove it. 202: it still runs, and is told to stop."""
    job = await job_of(request, job_id)
    if not job.state.ended:
        await _cancel(request, job)
        with suppress(JobFailedError, ResultTimeoutError):
            await job.aresult(_CANCEL_TIMEOUT)
    if not await view_of(request).app.jobs.adelete(job.id):
        if not (await job.arefresh()).state.ended:
            return Response(status_code=202)
        raise ProblemError(
            409,
            "job_kept",
            "The job cannot be removed",
            "It is a step of a run, or its key is still held.",
            hint="Remove the run; a key is free when its window is over.",
        )
    return Response(status_code=204)


async def stream_job(
    request: Request, job_id: JobId, poll_interval: PollInterval = 0.5
) -> Response:
    """Each change of a job as a server-sent event, until it has ended."""
    job, view = await job_of(request, job_id), view_of(request)

    async def look() -> dict[str, Any]:
        return show_job(await job.arefresh(), view)

    return stream(look, show_job(job, view), poll_interval, most_streams(request))


async def _now(request: Request, job: Job[Any]) -> Response:
    """Returns the answer with a job as it is now."""

    def read(view: View) -> dict[str, Any]:
        return show_whole(job.refresh(), view)

    return JSONResponse(await off_loop(read, view_of(request)))


def _not_waiting(job: Job[Any]) -> ProblemError:
    return ProblemError(
        409,
        "job_not_waiting",
        "The job does not wait",
        f"The job {job.state.words}: only one that waits can be changed.",
        hint="Look at the state of the job.",
    )


async def _why_left(job: Job[Any]) -> str:
    """Returns why a job was not sent back."""
    if job.state in RETRYABLE:
        return (await job.awhy())[-1]
    return f"The job {job.state.words}: only failed, dead and cancelled ones go back."


async def _cancel(request: Request, job: Job[Any]) -> None:
    scheduler = _scheduler(request)
    if scheduler is None or job.task != SPAWNED:
        await view_of(request).app.jobs.acancel(job.id)
        return
    with suppress(TimeoutError):  # it does not stop, and has been told to
        async with asyncio.timeout(_CANCEL_TIMEOUT):
            await scheduler.cancel(job.id)


def _scheduler(request: Request) -> JobScheduler | None:
    state = state_of(request)
    return None if state is None else state.scheduler
