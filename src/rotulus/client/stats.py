"""`client.stats`: outcomes of attempts, and how long they waited and ran."""

from typing import TypedDict, Unpack

from pydantic import BaseModel

from rotulus import Measured
from rotulus.client.calls import Call, Since, get, query_of
from rotulus.client.schedules import Schedules
from rotulus.client.values import Bucket, Page, Point, Schedule, page_reader
from rotulus.client.wire import Wire


class Span(TypedDict, total=False):
    """What is measured.

    Attributes:
        task: only this task.
        queue: only this queue.
        since: since when.
        until: until when; now unless given.
    """

    task: str | None
    queue: str | None
    since: Since | None
    until: Since | None


class _Age(BaseModel):
    queue: str
    seconds: float


_points, _totals, _ages = page_reader(Point), page_reader(Measured), page_reader(_Age)
_buckets = page_reader(Bucket)


class Stats:
    """The statistics of a service, with the verbs of `app.stats`, each also with an `a` in front.

    Args:
        wire: sends requests.
        schedules: the schedules of the same service.
    """

    def __init__(self, wire: Wire, schedules: Schedules) -> None:
        self._wire = wire
        self._schedules = schedules

    def series(
        self, metric: str = "attempts", *, step: float | None = None, **span: Unpack[Span]
    ) -> Page[Point]:
        """Returns a metric over time, a point for each step; of the last hour unless given.

        Args:
            metric: `enqueued`, `attempts`, an outcome such as `failed`, or in seconds `waited_` or
                `ran_` with `mean`, `p50`, `p95`, `p99` or `max`.
            step: the seconds of a step: whole minutes; chosen for 120 points unless given.
            span: what is measured.
        """
        return self._wire.send(_series(metric, step, span))

    def totals(self, *, by: str | None = None, **span: Unpack[Span]) -> Page[Measured]:
        """Returns what happened, of the last day unless given; `by` `task` or `queue`."""
        return self._wire.send(get("/stats/totals", _totals, query_of(by=by, **span)))

    def histogram(self, which: str = "ran", **span: Unpack[Span]) -> Page[Bucket]:
        """Returns how many attempts `ran`, or `waited`, for how long; of the last day unless given.

        Args:
            which: `ran` or `waited`.
            span: what is measured.
        """
        return self._wire.send(_histogram(which, span))

    def ages(self) -> dict[str, float]:
        """Returns for each queue how many seconds the job has been due that waits longest."""
        return _by_queue(self._wire.send(get("/stats/ages", _ages)))

    def lags(self) -> dict[str, float]:
        """Returns for how many seconds an instant has been due that nobody has fired, by schedule.

        Of each schedule that is active: 0.0 if there is no such instant.
        """
        return _active(self._schedules.list())

    async def aseries(
        self, metric: str = "attempts", *, step: float | None = None, **span: Unpack[Span]
    ) -> Page[Point]:
        """`series`, for coroutines."""
        return await self._wire.asend(_series(metric, step, span))

    async def atotals(self, *, by: str | None = None, **span: Unpack[Span]) -> Page[Measured]:
        """`totals`, for coroutines."""
        return await self._wire.asend(get("/stats/totals", _totals, query_of(by=by, **span)))

    async def alags(self) -> dict[str, float]:
        """`lags`, for coroutines."""
        return _active(await self._schedules.alist())

    async def ahistogram(self, which: str = "ran", **span: Unpack[Span]) -> Page[Bucket]:
        """`histogram`, for coroutines."""
        return await self._wire.asend(_histogram(which, span))

    async def aages(self) -> dict[str, float]:
        """`ages`, for coroutines."""
        return _by_queue(await self._wire.asend(get("/stats/ages", _ages)))


def _series(metric: str, step: float | None, span: Span) -> Call[Page[Point]]:
    return get("/stats/series", _points, query_of(metric=metric, step=step, **span))


def _histogram(which: str, span: Span) -> Call[Page[Bucket]]:
    return get("/stats/histogram", _buckets, query_of(which=which, **span))


def _by_queue(ages: Page[_Age]) -> dict[str, float]:
    return {age.queue: age.seconds for age in ages}


def _active(schedules: Page[Schedule]) -> dict[str, float]:
    return {one.name: one.lag for one in schedules if one.state == "active"}
