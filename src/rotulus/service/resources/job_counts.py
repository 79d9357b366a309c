"""`/api/v1/jobs/$count_by`: how many jobs match of each error, task, queue or worker."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from rotulus import AlikeJobs as Alike
from rotulus._app.resources.job_count import MOST_COUNTED
from rotulus.filters import JOB_FILTERS, CountedBy
from rotulus.service.guard import shared_route
from rotulus.service.pages import DEFAULT_LIMIT
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_models import Job
from rotulus.service.resources.job_query import Filters, filters_of
from rotulus.service.resources.job_views import show_job
from rotulus.service.resources.views import View, view_of

Meant = Annotated[Filters, Depends(filters_of(JOB_FILTERS, "by", "limit"))]
By = Annotated[CountedBy, Query(description="What jobs that are counted together have in common.")]
Most = Annotated[int, Query(ge=1, le=MOST_COUNTED, description="The most items.")]


class AlikeJobs(BaseModel):
    """Jobs that match, and have the same error, task, queue or worker."""

    value: str | None = Field(
        description="The fingerprint of the error, or a name; null: they have none."
    )
    count: int = Field(description="How many there are among the jobs that were counted.")
    exact: bool = Field(description="Whether all that match were counted: 10,000 are.")
    first_added: datetime
    last_added: datetime
    example: Job = Field(description="The last of them.")


class JobCounts(BaseModel):
    """How many jobs match of each error, task, queue or worker; the most first."""

    items: list[AlikeJobs]
    looked_to: datetime | None = Field(
        description="How far back was looked; null: all that match were counted."
    )


def add_counts(router: APIRouter) -> None:
    """Add the route to a router."""
    router.add_api_route(
        "/$count_by",
        count_jobs_by,
        methods=["GET"],
        operation_id="count_jobs_by",
        summary="Count jobs that are alike",
        responses=answers(JobCounts, "How many there are."),
        route_class_override=shared_route(4),
    )


async def count_jobs_by(
    request: Request, filters: Meant, by: By, limit: Most = DEFAULT_LIMIT
) -> Response:
    """How many jobs match of each error, task, queue or worker; the most first.

    The last 10,000 jobs that match are counted. Jobs have the same error if it has the same
    fingerprint.
    """
    view = view_of(request)
    view.check_filters(filters.where)
    found = await view.app.jobs.acount_by(by, limit=limit, **filters.where)
    to = found.looked_to
    return JSONResponse(
        {
            "items": [_shown(one, view) for one in found],
            "looked_to": None if to is None else _zulu(to),
        }
    )


def _shown(alike: Alike, view: View) -> dict[str, Any]:
    return alike.to_dict() | {
        "first_added": _zulu(alike.first_added),
        "last_added": _zulu(alike.last_added),
        "example": show_job(alike.example, view),
    }


def _zulu(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
