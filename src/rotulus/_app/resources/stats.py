"""The statistics of an app: how many attempts came to what, how long they waited and ran."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from rotulus._app.port import AppPort
from rotulus._app.resources.measures import METRICS, TIME_METRICS, Measured, lengths, measure
from rotulus._app.resources.queues import ages_in
from rotulus._app.resources.stored_schedules import Lookup
from rotulus._app.resources.where import Since, check_span, check_text, read_since
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.record import micros, moment
from rotulus._text.names import check_queue_name, check_task_name, did_you_mean
from rotulus._time.lengths import Seconds, check_seconds
from rotulus.errors import OptionError
from rotulus.store import Stat, StatFilter
from rotulus.store.stats import ALL_TIMES, BOUNDS, MINUTE

_SECOND = 1_000_000
_STEPS = (60, 300, 900, 3600, 6 * 3600, 86_400)
_POINTS = 120
_MOST_POINTS = 10_000


class StatPoint(NamedTuple):
    """A value of a metric.

    Attributes:
        at: the moment at which its step begins, in UTC.
        value: a number, or a time in seconds; None: there is no time, as nothing ended.
    """

    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class StatBucket:
    """How many attempts took so long: a bucket of a histogram.

    Attributes:
        below: the seconds below which its times are, and not below those of the bucket before;
            None: the last one has no end.
        count: how many attempts.
    """

    below: float | None
    count: int


class Stats:
    """`app.stats`: numbers and times of attempts, each verb also with an `a` in front.

    They are counted in the transaction in which an attempt ends, so they are exact, and they
    outlive the jobs. For two days they are kept by the minute, then by the hour.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def series(
        self,
        metric: str = "attempts",
        *,
        task: str | None = None,
        queue: str | None = None,
        since: Since = 3600.0,
        until: Since | None = None,
        step: Seconds | None = None,
    ) -> list[StatPoint]:
        """Returns a metric over time, a point for each step, also where nothing happened.

        Args:
            metric: `enqueued`, `attempts`, an outcome such as `succeeded`, `failed` or `retried`;
                or a time in seconds: `waited_` or `ran_` with `mean`, `p50`, `p95`, `p99`, `max`.
            task: only this task.
            queue: only this queue.
            since: a moment, or how many seconds ago it was. Default: an hour.
            until: the moment until which, or how many seconds ago it was; now unless given.
            step: the length of a step: whole minutes; chosen for 120 points unless given. What is
                older than two days is only known by the hour.

        Raises:
            OptionError: there is no such metric, no task or queue can have that name, or a time is
                not allowed.
        """
        compute = METRICS.get(check_text("metric", metric))
        if compute is None:
            hint, known = did_you_mean(metric, METRICS) or ".", ", ".join(METRICS)
            raise OptionError(f"There is no metric {metric!r}{hint} There are: {known}")
        wanted = self._wanted(since, until, step)._replace(**_checked(task, queue))
        _check_points(wanted, step)
        wanted = wanted._replace(times=metric in TIME_METRICS)
        found = self._port().store().stats.read(wanted)
        by_step = {at: list(stats) for at, stats in groupby(found, attrgetter("at"))}
        return [
            StatPoint(moment(at), compute(measure("", by_step.get(at, []))))
            for at in range(wanted.since, wanted.until, wanted.step)
        ]

    def totals(
        self,
        *,
        by: Literal["task", "queue"] | None = None,
        task: str | None = None,
        queue: str | None = None,
        since: Since = 86_400.0,
        until: Since | None = None,
    ) -> list[Measured]:
        """Returns what happened in a span of time: once, or for each task or queue, by name.

        Args:
            by: what is told apart; nothing unless given.
            task: only this task.
            queue: only this queue.
            since: a moment, or how many seconds ago it was. Default: a day. The whole minute in
                which it is counts.
            until: the moment until which, or how many seconds ago it was; now unless given.

        Raises:
            OptionError: a time or a name is not allowed, or there is no such grouping.
        """
        if by not in (None, "task", "queue"):
            raise OptionError(f"by={by!r} is not allowed: choose 'task' or 'queue', or neither")
        wanted = self._wanted(since, until, None)
        whole = wanted._replace(step=ALL_TIMES, by=by or "outcome", **_checked(task, queue))
        found = self._port().store().stats.read(whole)
        if by is None:
            return [measure("", found)]
        named: dict[str, list[Stat]] = {}
        for stat in found:
            named.setdefault(stat.name, []).append(stat)
        return [measure(name, stats) for name, stats in sorted(named.items())]

    def histogram(
        self,
        which: Literal["ran", "waited"] = "ran",
        *,
        task: str | None = None,
        queue: str | None = None,
        since: Since = 86_400.0,
        until: Since | None = None,
    ) -> list[StatBucket]:
        """Returns how many attempts ran, or waited, for how long: always the same buckets.

        Args:
            which: `ran` or `waited`.
            task: only this task.
            queue: only this queue.
            since: a moment, or how many seconds ago it was. Default: a day. The whole minute in
                which it is counts.
            until: the moment until which, or how many seconds ago it was; now unless given.

        Raises:
            OptionError: a time or a name is not allowed, or `which` is something else.
        """
        if which not in ("ran", "waited"):
            raise OptionError(f"which={which!r} is not allowed: choose 'ran' or 'waited'")
        wanted = self._wanted(since, until, None)._replace(step=ALL_TIMES, **_checked(task, queue))
        counts = lengths(which, self._port().store().stats.read(wanted))
        return [StatBucket(*one) for one in zip((*BOUNDS, None), counts, strict=True)]

    def ages(self) -> dict[str, float]:
        """Returns how long the job has been due that waits longest, in seconds, by queue.

        Queues in which no job waits are left out. However many jobs wait, it takes no longer.
        """
        port = self._port()
        return ages_in(port.store().backlog(), port.now())

    def lags(self) -> dict[str, float]:
        """Returns for how many seconds an instant has been due that nobody has fired, by schedule.

        Of each schedule that is active: 0.0 if there is no such instant.
        """
        schedules = Lookup(self._port()).all(last=False)
        return {one.name: one.lag for one in schedules if one.state == "active"}

    async def alags(self) -> dict[str, float]:
        """`lags`, without blocking the event loop."""
        return await off_loop(self.lags)

    async def aages(self) -> dict[str, float]:
        """`ages`, without blocking the event loop."""
        return await off_loop(self.ages)

    async def aseries(
        self,
        metric: str = "attempts",
        *,
        task: str | None = None,
        queue: str | None = None,
        since: Since = 3600.0,
        until: Since | None = None,
        step: Seconds | None = None,
    ) -> list[StatPoint]:
        """`series`, without blocking the event loop."""
        within = partial(self.series, since=since, until=until, step=step)
        return await off_loop(within, metric, task=task, queue=queue)

    async def atotals(
        self,
        *,
        by: Literal["task", "queue"] | None = None,
        task: str | None = None,
        queue: str | None = None,
        since: Since = 86_400.0,
        until: Since | None = None,
    ) -> list[Measured]:
        """`totals`, without blocking the event loop."""
        within = partial(self.totals, since=since, until=until)
        return await off_loop(within, by=by, task=task, queue=queue)

    async def ahistogram(
        self,
        which: Literal["ran", "waited"] = "ran",
        *,
        task: str | None = None,
        queue: str | None = None,
        since: Since = 86_400.0,
        until: Since | None = None,
    ) -> list[StatBucket]:
        """`histogram`, without blocking the event loop."""
        within = partial(self.histogram, since=since, until=until)
        return await off_loop(within, which, task=task, queue=queue)

    def _wanted(self, since: Since, until: Since | None, step: Seconds | None) -> StatFilter:
        now = self._port().now()
        end = now if until is None else read_since(until, "until", now)
        begin = read_since(since, "since", now)
        check_span({"since": since, "until": until}, begin, end)
        length = _step((end - begin).total_seconds(), step) * _SECOND
        first = micros(begin) // length * length
        return StatFilter(first, micros(end) + 1, length)


def _step(span: float, step: Seconds | None) -> int:
    """The length of a step in seconds. Raises `OptionError`."""
    if step is None:
        return next((length for length in _STEPS if span <= length * _POINTS), _STEPS[-1])
    seconds = check_seconds(step, "step")
    if not seconds or seconds % MINUTE:
        raise OptionError(f"step={step!r} is not allowed: give seconds that are whole minutes")
    return int(seconds)


def _check_points(wanted: StatFilter, step: Seconds | None) -> None:
    """Raise `OptionError` for more points than anybody could look at."""
    if wanted.until - wanted.since <= wanted.step * (_MOST_POINTS + 1):
        return
    which, longer = (f"step={step!r}", "a longer one, or ") if step is not None else ("since=", "")
    raise OptionError(
        f"{which} makes more than {_MOST_POINTS:,} steps: give {longer}a later since="
    )


def _checked(task: str | None, queue: str | None) -> dict[str, Any]:
    """A task and a queue, as a filter has them. Raises `OptionError` for what is no name."""
    if task is not None:
        check_task_name(task)
    if queue is not None:
        check_queue_name(queue)
    return {"task": task, "queue": queue}
