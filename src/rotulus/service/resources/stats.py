"""`/api/v1/stats`: the outcomes of attempts, and how long they waited and ran."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from rotulus.errors import OptionError
from rotulus.filters import read_when
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.state import app_of

_WHEN = "90, 15min, 2h or 7d ago, or a moment such as 2026-11-20T09:30Z"


class Point(BaseModel):
    """A value of a metric."""

    at: datetime = Field(description="When its step begins.")
    value: float | None = Field(description="A number, or seconds; null: nothing ended then.")


class Series(BaseModel):
    """A metric over time, a point for each step, the first one first."""

    metric: str
    items: list[Point]


class Times(BaseModel):
    """How long attempts took, in seconds; null where there were none."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


class Measured(BaseModel):
    """What happened in a span of time."""

    name: str = Field(description="The task or the queue, where these are told apart, else empty.")
    enqueued: int = Field(description="Jobs that were added.")
    attempts: int = Field(description="Attempts that ended.")
    outcomes: dict[str, int] = Field(description="How many attempts came to each outcome.")
    waited: Times = Field(description="From when a job was due until a worker took it.")
    ran: Times


class Totals(BaseModel):
    """What happened in a span of time: once, or for each task or queue, by name."""

    items: list[Measured]


class Bucket(BaseModel):
    """How many attempts took so long."""

    below: float | None = Field(
        description="The seconds below which they took, and not below those of the bucket before; "
        "null: the last one has no end."
    )
    count: int


class Histogram(BaseModel):
    """How many attempts took how long, the shortest first: always the same buckets."""

    items: list[Bucket]


class Age(BaseModel):
    """How long a queue makes its jobs wait."""

    queue: str
    seconds: float = Field(description="How long the job has been due that waits longest.")


class Ages(BaseModel):
    """The ages of the queues in which jobs wait, by name."""

    items: list[Age]


class _Span(BaseModel):
    model_config = ConfigDict(extra="forbid")

    task: str | None = Field(None, description="Only this task.")
    queue: str | None = Field(None, description="Only this queue.")
    until: str | None = Field(None, description=f"Until when: {_WHEN}; now unless given.")


class _SeriesQuery(_Span):
    metric: str = Field(
        "attempts",
        description="`enqueued`, `attempts`, or an outcome, such as `succeeded` or `retried`; "
        "or in seconds `waited_` or `ran_` with `mean`, `p50`, `p95`, `p99` or `max`.",
    )
    since: str = Field("1h", description=f"Since when: {_WHEN}.")
    step: float | None = Field(
        None,
        description="The seconds of a step: whole minutes; chosen for 120 points unless given.",
    )


class _TotalsQuery(_Span):
    since: str = Field("1d", description=f"Since when: {_WHEN}.")
    by: Literal["task", "queue"] | None = Field(None, description="What is told apart.")


class _HistogramQuery(_Span):
    which: Literal["ran", "waited"] = Field("ran", description="How long they ran, or waited.")
    since: str = Field("1d", description=f"Since when: {_WHEN}.")


def make_stats_router(prefix: str = "/api/v1/stats", tags: Sequence[str] = ("Stats",)) -> APIRouter:
    """Returns the routes of statistics: series, totals, histograms and ages.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/stats", prefix, tags, route_class=shared_route(1))
    router.get("/series", operation_id="get_stats_series", summary="A metric over time")(get_series)
    router.get("/totals", operation_id="get_stats_totals", summary="What happened")(get_totals)
    router.get("/histogram", operation_id="get_stats_histogram", summary="How long attempts took")(
        get_histogram
    )
    router.get("/ages", operation_id="get_stats_ages", summary="How long jobs wait")(get_ages)
    return router


async def get_series(request: Request, query: Annotated[_SeriesQuery, Query()]) -> Series:
    """A metric over time, a point for each step, also where nothing happened.

    What is older than two days is known by the hour.
    """
    found = await app_of(request).stats.aseries(
        query.metric,
        task=query.task,
        queue=query.queue,
        since=_when("since", query.since),
        until=None if query.until is None else _when("until", query.until),
        step=query.step,
    )
    points = [Point(at=at, value=value) for at, value in found]
    return Series(metric=query.metric, items=points)


async def get_histogram(request: Request, query: Annotated[_HistogramQuery, Query()]) -> Histogram:
    """How many attempts ran, or waited, for how long."""
    found = await app_of(request).stats.ahistogram(
        query.which,
        task=query.task,
        queue=query.queue,
        since=_when("since", query.since),
        until=None if query.until is None else _when("until", query.until),
    )
    return Histogram(items=[Bucket(below=one.below, count=one.count) for one in found])


async def get_totals(request: Request, query: Annotated[_TotalsQuery, Query()]) -> Totals:
    """What happened in a span of time: in all, or by task or queue."""
    found = await app_of(request).stats.atotals(
        by=query.by,
        task=query.task,
        queue=query.queue,
        since=_when("since", query.since),
        until=None if query.until is None else _when("until", query.until),
    )
    return Totals(items=[Measured.model_validate(one.to_dict()) for one in found])


async def get_ages(request: Request) -> Ages:
    """How long the job has been due that waits longest, for each queue in which one waits."""
    found = await app_of(request).stats.aages()
    return Ages(items=[Age(queue=name, seconds=age) for name, age in sorted(found.items())])


def _when(name: str, text: str) -> Any:
    """A moment, or how many seconds ago it was. Raises `OptionError`."""
    try:
        return read_when(text)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None
