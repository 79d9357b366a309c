"""`$enqueue`: a request stores one job, even if it is sent again, and may wait for its end."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from rotulus import Job, TaskRegistry
from rotulus.service.bodies import read_json
from rotulus.service.envelope import read_params
from rotulus.service.idempotency import enqueue_once, read_idempotency_key, scope_of
from rotulus.service.prefer import await_job, read_prefer
from rotulus.service.problems import ProblemError
from rotulus.service.resources.job_views import show_job, show_result
from rotulus.service.resources.moments import Moment
from rotulus.service.resources.views import view_of
from rotulus.service.scope import root_of
from rotulus.service.state import app_of


class EnqueueOptions(BaseModel):
    """The options of `task.using(...)`, as far as JSON has a form for them.

    Attributes:
        queue: the queue to wait under.
        priority: higher is sooner.
        delay: seconds until the job is due.
        at: the moment when the job is due, with its zone.
        expires: seconds after which a job that is due is no longer started.
        key: at most one live job has this key.
        labels: words by which people find the job, by name.
    """

    # Strict, because the document allows no text for a number, and no number for a moment.
    model_config = ConfigDict(extra="forbid", strict=True)

    queue: str | None = None
    priority: int | None = None
    delay: float | None = None
    at: Moment = None
    expires: float | None = None
    key: str | None = None
    labels: dict[str, str] | None = None


def add_enqueueing(router: APIRouter, registry: TaskRegistry, jobs_prefix: str) -> None:
    """Add the route that stores jobs.

    Args:
        router: the router of the tasks.
        registry: the tasks.
        jobs_prefix: the beginning of the paths of jobs.
    """

    # Each task has an operation of its own in the document.
    @router.post("/{name}/$enqueue", include_in_schema=False)
    async def enqueue(name: str, request: Request) -> Response:
        registry.get(name)  # an unknown task is 404, with any body
        prefer, key = read_prefer(request), read_idempotency_key(request)
        body = await read_json(request, optional=True)
        params, options = read_params(body, _OTHERS).params, _options(body)
        app = app_of(request, registry)
        if key is None:
            job, replayed = await app.using(**options).aenqueue(name, **params), False
        else:
            scope = scope_of(request)
            job, replayed = await enqueue_once(app, name, params, options, key, scope)
        job = await await_job(job, prefer.wait, request)
        return _stored(request, job, f"{jobs_prefix}/{job.id}", replayed, prefer.headers)


_OTHERS = frozenset({"options"})


def _options(body: Any) -> dict[str, Any]:
    """Returns the options in a body. Raises `ProblemError`: 422."""
    members = cast("dict[str, Any]", body).get("options", {})
    if members == {}:
        return {}
    try:
        options = EnqueueOptions.model_validate(members)
    except ValidationError as error:
        raise _unfit(error) from None
    return options.model_dump(exclude_none=True)


def _unfit(error: ValidationError) -> ProblemError:
    errors = [
        {"pointer": "".join(f"/{step}" for step in ("options", *one["loc"])), "detail": one["msg"]}
        for one in error.errors(include_url=False)
    ]
    known = ", ".join(EnqueueOptions.model_fields)
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
        "The request does not fit",
        "; ".join(f"{one['pointer']}: {one['detail']}" for one in errors),
        hint=f"The options are: {known}.",
        errors=errors,
    )


def _stored(
    request: Request, job: Job[Any], path: str, replayed: bool, applied: Mapping[str, str]
) -> Response:
    """200 for a job that has ended, with its result, or that was stored before; else 202."""
    view = view_of(request)
    shown = show_job(job, view)
    if job.state.ended:
        shown["result"] = show_result(job, view)
    done = job.state.ended or replayed
    headers = {"Location": root_of(request.scope) + path, **applied}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    status = HTTPStatus.OK if done else HTTPStatus.ACCEPTED
    return JSONResponse(shown, status, headers)
