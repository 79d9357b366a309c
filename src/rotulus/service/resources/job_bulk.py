"""What is done to many jobs over HTTP, by ids or by filters."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from rotulus import Changed
from rotulus._concurrency.pool import off_loop
from rotulus.filters import JOB_FILTERS
from rotulus.service.problems import ProblemError
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_models import BulkBody, BulkChange, BulkReprioritiseBody
from rotulus.service.resources.job_query import Filters, filters_of
from rotulus.service.resources.job_views import show_job
from rotulus.service.resources.views import View, view_of

Chosen = Annotated[Filters, Depends(filters_of(JOB_FILTERS))]


def add_bulk_verbs(router: APIRouter) -> None:
    """Add the routes of the verbs for many jobs to a router."""
    verbs: Mapping[str, tuple[Callable[..., Any], str]] = {
        "cancel": (cancel_jobs, "Cancel jobs"),
        "retry": (retry_jobs, "Send jobs back"),
        "delete": (delete_jobs, "Delete jobs"),
        "reprioritise": (reprioritise_jobs, "Give jobs another priority"),
    }
    changed = answers(BulkChange, "The jobs that were changed, or would be.")
    for verb, (endpoint, summary) in verbs.items():
        router.post(f"/${verb}", operation_id=f"{verb}_jobs", summary=summary, responses=changed)(
            endpoint
        )


async def cancel_jobs(request: Request, filters: Chosen, body: BulkBody | None = None) -> Response:
    """Cancel jobs: at once those that wait; those that run are asked to stop."""
    view = view_of(request)
    return await _change("cancel", view.app.jobs.cancel, view, filters, body or BulkBody())


async def retry_jobs(request: Request, filters: Chosen, body: BulkBody | None = None) -> Response:
    """Send jobs back to their queues: of filters, failed and dead ones, unless `state` is given."""
    view = view_of(request)
    return await _change("retry", view.app.jobs.retry, view, filters, body or BulkBody())


async def delete_jobs(request: Request, filters: Chosen, body: BulkBody | None = None) -> Response:
    """Delete jobs that have ended; a run goes whole, steps by themselves are left."""
    view = view_of(request)
    return await _change("delete", view.app.jobs.delete, view, filters, body or BulkBody())


async def reprioritise_jobs(
    request: Request, filters: Chosen, body: BulkReprioritiseBody
) -> Response:
    """Give jobs that wait another priority."""
    view = view_of(request)
    act = partial(view.app.jobs.reprioritise, priority=body.priority)
    return await _change("reprioritise", act, view, filters, body)


async def _change(
    verb: str, act: Callable[..., Changed], view: View, filters: Filters, body: BulkBody
) -> Response:
    """Do something to jobs, batch by batch, and answer which were changed."""
    view.check_filters(filters.where)
    if body.ids is not None and filters.where:
        raise ProblemError(
            422,
            "invalid_option",
            "A value is not allowed",
            "ids: give ids in the body, or filters in the query, and not both.",
            errors=[{"pointer": "/ids", "detail": "the query has filters"}],
        )
    how: dict[str, Any] = {"dry_run": body.dry_run}
    if body.ids is None:
        how |= {**filters.where, "limit": body.limit, "after": body.after}
    changed = await off_loop(partial(act, *(body.ids or ()), **how))
    return JSONResponse(
        {
            "verb": verb,
            "dry_run": body.dry_run,
            "count": changed.total,
            "exact": changed.next is None,
            "items": [show_job(job, view) for job in changed],
            "next": changed.next,
        }
    )
