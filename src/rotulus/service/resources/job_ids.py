"""The job that a request is about, by the id in its path."""

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Path, Request

from rotulus import Job
from rotulus._concurrency.pool import off_loop
from rotulus._text.ids import is_id
from rotulus.errors import JobNotFoundError
from rotulus.service.resources.views import View, view_of

T = TypeVar("T")

EXAMPLE_ID = "0198c2f0-0000-7000-8000-000000000000"

JobId = Annotated[
    str,
    Path(
        description="The id of the job, or 8 characters or more that only this id begins with.",
        examples=[EXAMPLE_ID],
    ),
]
"""The type of a `job_id` parameter of a route."""

_BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{7,35}")


def find_job(view: View, job_id: str) -> Job[Any]:
    """Returns the job of an id, or of a unique beginning of one. Reads the store.

    Raises:
        JobNotFoundError: there is none, or there are several.
        StoreError: the store cannot be read.
    """
    sought = job_id.lower()
    if not _BEGINNING.fullmatch(sought):
        raise JobNotFoundError("Job not found")
    try:
        return view.app.jobs.get(sought)
    except JobNotFoundError:  # whose text is for people who know the store
        text = "Job not found" if is_id(sought) else "No job, or more than one, has such an id"
        raise JobNotFoundError(text) from None


async def job_of(request: Request, job_id: str) -> Job[Any]:
    """`find_job`, for the sender of a request, without blocking the event loop."""
    return await off_loop(find_job, view_of(request), job_id)


async def with_job(request: Request, job_id: str, act: Callable[[Job[Any], View], T]) -> T:
    """Returns what a function makes of a job and the view of a sender, in a thread."""
    view = view_of(request)
    return await off_loop(lambda: act(find_job(view, job_id), view))
