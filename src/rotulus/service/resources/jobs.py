"""`/api/v1/jobs`: the jobs of an app, spawned jobs included."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from rotulus import Job
from rotulus._jobs.states import RETRYABLE
from rotulus._text import jsontext
from rotulus._text.ids import is_id
from rotulus.errors import JobFailedError, JobNotFoundError, ResultTimeoutError
from rotulus.service.event_streams import MEDIA_TYPE, most_streams
from rotulus.service.guard import ResourceRouter
from rotulus.service.pages import DEFAULT_LIMIT, After, Limit, read_page, show_items
from rotulus.service.problems import ProblemError
from rotulus.service.records import (
    JOB_SCHEMA,
    PAGE_SCHEMA,
    SPAWNED,
    STATUSES,
    JobStatus,
    description_of,
    states_of,
)
from rotulus.service.scheduler import JobScheduler
from rotulus.service.state import app_of, state_of
from rotulus.service.streams import stream

_CANCEL_TIMEOUT = 2.0
"""Seconds for a cancelled job to end before the request is answered."""

_TIMES = ("instant", "created_at", "run_at", "started_at", "ended_at")

States = Annotated[list[str] | None, Query(description="The state, or several.")]
Status = Annotated[JobStatus | None, Query(description="The same in the words of `status`.")]
Text = Annotated[str | None, Query()]
PollInterval = Annotated[
    float, Query(allow_inf_nan=False, description="Seconds between two looks, 0.05 to 10.")
]


def make_jobs_router(prefix: str = "/api/v1/jobs", tags: Sequence[str] = ("Jobs",)) -> APIRouter:
    """Returns the routes of jobs: list, get, cancel, retry, delete, and follow.

    The jobs are those of the service's app, else of the app that is open for the tasks of the
    global registry.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/jobs", prefix, tags)
    job = _answer("The job.", JOB_SCHEMA)
    page = _answer("A page.", PAGE_SCHEMA)
    get, post, one = router.get, router.post, "/{job_id}"
    get("", operation_id="list_jobs", summary="List jobs", responses=page)(list_jobs)
    get("/$schema", operation_id="get_job_schema", summary="The schema of a job")(get_schema)
    get(one, operation_id="get_job", summary="Get a job", responses=job)(get_job)
    router.delete(
        one, operation_id="delete_job", summary="Cancel and remove a job", status_code=204
    )(delete_job)
    post(f"{one}/$cancel", operation_id="cancel_job", summary="Cancel a job", responses=job)(
        cancel_job
    )
    post(f"{one}/$retry", operation_id="retry_job", summary="Send a job back", responses=job)(
        retry_job
    )
    events: dict[int | str, dict[str, Any]] = {
        200: {"description": "Server-sent events.", "content": {MEDIA_TYPE: {}}}
    }
    get(f"{one}/$stream", operation_id="stream_job", summary="Follow a job", responses=events)(
        stream_job
    )
    return router


async def list_jobs(
    request: Request,
    response: Response,
    state: States = None,
    task: Text = None,
    queue: Text = None,
    status_filter: Status = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> dict[str, Any]:
    """The jobs that match every given filter, the last one first."""
    states = _states(state, status_filter)
    where = {"state": states, "task": task, "queue": queue}
    page = read_page(limit, after, where)
    found = await app_of(request).jobs.afind(
        state=states, task=task, queue=queue, limit=page.limit, after=page.after
    )
    return show_items(request, response, page, list(map(show_job, found)), found.last)


async def get_schema() -> dict[str, Any]:
    """The JSON schema of a job in a list. A single one has more."""
    return JOB_SCHEMA


async def get_job(request: Request, job_id: str) -> dict[str, Any]:
    """A job, with its arguments, result and earlier attempts, and the reasons for its state."""
    return await _whole(await _job(request, job_id))


async def cancel_job(request: Request, job_id: str) -> dict[str, Any]:
    """Cancel a job: at once if it waits; a running job is told to stop."""
    job = await _job(request, job_id)
    await _cancel(request, job)
    return await _whole(await job.arefresh())


async def retry_job(request: Request, job_id: str) -> dict[str, Any]:
    """Send a job that failed, was given up or was cancelled back to its queue."""
    job = await _job(request, job_id)
    if job.task == SPAWNED:
        raise ProblemError(
            409,
            "job_not_retryable",
            "The job cannot be retried",
            "A spawned job runs once, in the process that spawned it.",
            hint="Make it a task, and enqueue it.",
        )
    if not await app_of(request).jobs.aretry(job.id):
        raise ProblemError(
            409,
            "job_not_retryable",
            "The job cannot be retried",
            await _why_left(job),
        )
    return await _whole(await job.arefresh())


async def delete_job(request: Request, job_id: str) -> Response:
    """Cancel a job, if it is live, and remove it. 202: it still runs, and is told to stop."""
    job = await _job(request, job_id)
    if not job.state.ended:
        await _cancel(request, job)
        with suppress(JobFailedError, ResultTimeoutError):
            await job.aresult(_CANCEL_TIMEOUT)
    if not await app_of(request).jobs.adelete(job.id):
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


async def stream_job(request: Request, job_id: str, poll_interval: PollInterval = 0.5) -> Response:
    """Each change of a job as a server-sent event, until it has ended."""
    job = await _job(request, job_id)

    async def look() -> dict[str, Any]:
        return show_job(await job.arefresh())

    return stream(look, show_job(job), poll_interval, most_streams(request))


def show_job(job: Job[Any]) -> dict[str, Any]:
    """Returns the JSON of a job in a list: what the job says of itself, and more words for it."""
    shown = _public(job.to_dict(arguments=False))
    return shown | {
        "status": STATUSES[job.state].value,
        "description": description_of(job),
        "submitted_at": shown["created_at"],
        "finished_at": shown["ended_at"],
    }


def show_result(job: Job[Any]) -> Any:
    """Returns the result of a job as JSON; None until it has returned."""
    text = job.record.result
    return None if text is None else jsontext.decode(text)


async def _whole(job: Job[Any]) -> dict[str, Any]:
    """Returns the JSON of a single job."""
    shown = show_job(job)
    shown["arguments"] = job.arguments
    shown["headers"] = job.headers
    shown["result"] = show_result(job)
    shown["attempts"] = [_public(attempt.to_dict()) for attempt in job.attempts]
    shown["why"] = await job.awhy()
    return shown


async def _why_left(job: Job[Any]) -> str:
    """Returns why a job was not sent back."""
    if job.state in RETRYABLE:
        return (await job.awhy())[-1]
    return f"The job {job.state.words}: only failed, dead and cancelled ones go back."


def _states(state: list[str] | None, status: JobStatus | None) -> list[str] | None:
    """Returns the states to look for: the given ones that have the status."""
    named = None if state is None else [str(one) for one in state]
    if status is None:
        return named
    meant = [one.value for one in states_of(status)]
    return meant if named is None else [one for one in named if one in meant]


async def _job(request: Request, job_id: str) -> Job[Any]:
    if not is_id(job_id):
        raise JobNotFoundError("Job not found")
    try:
        return await app_of(request).jobs.aget(job_id)
    except JobNotFoundError:
        raise JobNotFoundError("Job not found") from None


async def _cancel(request: Request, job: Job[Any]) -> None:
    scheduler = _scheduler(request)
    if scheduler is None or job.task != SPAWNED:
        await app_of(request).jobs.acancel(job.id)
        return
    with suppress(TimeoutError):  # it does not stop, and has been told to
        async with asyncio.timeout(_CANCEL_TIMEOUT):
            await scheduler.cancel(job.id)


def _scheduler(request: Request) -> JobScheduler | None:
    state = state_of(request)
    return None if state is None else state.scheduler


def _public(said: dict[str, Any]) -> dict[str, Any]:
    """What a job or an attempt says of itself, for clients: times end with `Z`, no tracebacks."""
    times = {name: said[name] for name in _TIMES if said.get(name)}
    shown = said | {name: time.replace("+00:00", "Z") for name, time in times.items()}
    error = said["error"]
    return shown | {"error": error and {"type": error["type"], "message": error["message"]}}


def _answer(description: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": schema}}
    return {200: {"description": description, "content": content}}
