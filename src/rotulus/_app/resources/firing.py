"""The instants of schedules: those that come, and jobs by hand, for now or for past ones."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from rotulus._app.port import AppPort
from rotulus._app.resources.steering import steers
from rotulus._app.resources.stored_schedules import Lookup
from rotulus._app.resources.where import Since, check_flag, every, read_since
from rotulus._concurrency.pool import off_loop
from rotulus._engine.followed import schedule_of
from rotulus._jobs.job import Job
from rotulus._jobs.record import micros, moment
from rotulus._time.lengths import check_moment
from rotulus.errors import OptionError, ScheduleNotFoundError
from rotulus.store import Filter, Store

MOST_INSTANTS = 10_000
"""How many instants are looked at in one backfill at most."""

_MOST_AHEAD = 1_000

_AT_ONCE = 500

_EARLY = timedelta(days=1)
"""How long before its instant a job may have been stored, where clocks differ."""

Instants = list[datetime]


class Firing:
    """The instants that come, and what is fired beside them."""

    _port: Callable[[], AppPort]

    def instants(self, name: str, count: int = 5, after: datetime | None = None) -> Instants:
        """Returns the next instants of a schedule, in its own zone, in order.

        They are those that the schedule has as it stands now, also while it is paused: then those
        that it would fire for, once it is resumed. Each of its jobs is due at the instant, or
        within the `spread` of the schedule after it.

        Args:
            name: the schedule, declared in code or added.
            count: how many, 1,000 at most. There are fewer, or none, when it ends before, or cannot
                be read.
            after: the moment after which they are; now unless given.

        Raises:
            ScheduleNotFoundError: there is none of that name.
            OptionError: the count is not allowed, or the moment is none with a time zone.
        """
        port, most = self._port(), _check_count(count)
        begin = port.now() if after is None else check_moment(after, "after")
        return Lookup(port).one(name).schedule.next(begin, most)

    @steers("schedules.run_now")
    def run_now(self, name: str) -> Job[Any]:
        """Store a job of a schedule now, whatever its instants are, also while it is paused.

        Args:
            name: the schedule. One with `overlap="skip"` leaves its instants out until the job has
                ended.

        Returns:
            The job; it has the schedule, and no instant.

        Raises:
            ScheduleNotFoundError: there is none of that name.
            TaskNotFoundError: its task is not registered here.
            ArgumentsError: its arguments do not fit the task any more.
        """
        port = self._port()
        row = Lookup(port).row(name)
        [job] = port.firings.jobs(row.task or name, name, row.arguments, [None])
        record = port.store().schedules.run(name, job)
        if record is None:
            raise ScheduleNotFoundError(f"There is no schedule {name!r} any more")
        if job.terms.carried:
            port.outbox_relay.relay_added()
        return Job(record, port)

    @steers("schedules.backfill")
    def backfill(
        self, name: str, since: Since, until: Since | None = None, *, dry_run: bool = False
    ) -> Instants:
        """Store a job for each instant of a time that is over, unless there is one already.

        Args:
            name: the schedule: as it stands now, also while it is paused.
            since: the first moment, or how many seconds ago that was.
            until: the end, which does not count, or how many seconds ago that was; now unless
                given.
            dry_run: change nothing.

        The jobs may run at the same time, also those of a schedule with `overlap="skip"`, which
        leaves instants out until they have ended.

        Returns:
            The instants that have become jobs, or would, in order. Instants whose jobs are still
            kept are not among them, and a second backfill makes none again for eight days.

        Raises:
            ScheduleNotFoundError: there is none of that name.
            TaskNotFoundError: its task is not registered here.
            OptionError: the time is not over, or has more than 10,000 instants.
        """
        port = self._port()
        row, now = Lookup(port).row(name), port.now()
        begin, end = _read_span(since, until, now)
        check_flag("dry_run", dry_run)
        schedule = schedule_of(row.entry)
        wanted = list(islice(schedule.between(begin, end), MOST_INSTANTS + 1))
        if len(wanted) > MOST_INSTANTS:
            raise OptionError(
                f"{name!r} has more than {MOST_INSTANTS:,} instants from {begin.isoformat()} to "
                f"{end.isoformat()}: give less time, and repeat"
            )
        fired = _fired(port.store(), name, wanted[0]) if wanted else ()
        missing = [at for at in wanted if at not in fired]
        if dry_run:
            return missing
        return self._fill(port, row.task or name, name, row.arguments, missing)

    async def ainstants(self, name: str, count: int = 5, after: datetime | None = None) -> Instants:
        """`instants`, without blocking the event loop."""
        return await off_loop(self.instants, name, count, after)

    async def arun_now(self, name: str) -> Job[Any]:
        """`run_now`, without blocking the event loop."""
        return await off_loop(self.run_now, name)

    async def abackfill(
        self, name: str, since: Since, until: Since | None = None, *, dry_run: bool = False
    ) -> Instants:
        """`backfill`, without blocking the event loop."""
        return await off_loop(partial(self.backfill, name, since, until, dry_run=dry_run))

    def _fill(
        self, port: AppPort, task: str, name: str, arguments: str, missing: Instants
    ) -> Instants:
        added: Instants = []
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            jobs = port.firings.jobs(task, name, arguments, list(some))
            held = port.store().add(jobs)
            if jobs[0].terms.carried:
                port.outbox_relay.relay_added()
            added += [at for at, job, new in zip(some, held, jobs, strict=True) if job.id == new.id]
        return added


def _check_count(count: object) -> int:
    if isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= _MOST_AHEAD:
        return count
    raise OptionError(
        f"count={count!r} is not allowed: give a whole number from 1 to {_MOST_AHEAD:,}"
    )


def _read_span(since: Since, until: Since | None, now: datetime) -> tuple[datetime, datetime]:
    """Two moments that are over. Raises `OptionError`."""
    begin, end = read_since(since, "since", now), now
    if until is not None:
        end = read_since(until, "until", now)
    if begin < end <= now:
        return begin, end
    raise OptionError(
        f"since={begin.isoformat()}, until={end.isoformat()}: give a time that is over; what comes "
        f"is fired when it comes"
    )


def _fired(store: Store, name: str, since: datetime) -> set[datetime]:
    """The instants of a schedule from a moment on whose jobs are kept, and some earlier ones."""
    jobs = every(store, Filter(schedule=name, since=micros(since - _EARLY)))
    return {moment(job.instant) for job in jobs if job.instant is not None}
