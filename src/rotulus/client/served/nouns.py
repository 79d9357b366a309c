"""Further nouns of a service, whose verbs give what those of an app give."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

from rotulus import (
    AuditPage,
    DeliveryPage,
    FailureGroup,
    MuteInfo,
    QueueInfo,
    Schedule,
    ScheduleInfo,
    State,
    WebhookInfo,
)
from rotulus._app.resources.pages import Page
from rotulus._app.resources.stored_schedules import Standing
from rotulus._text.names import did_you_mean
from rotulus.client.access import Audit
from rotulus.client.failures import FailureGroup as FailureValue
from rotulus.client.failures import Failures, Mute
from rotulus.client.queues import Queues, Workers
from rotulus.client.schedules import Schedules
from rotulus.client.served.handles import ServedHandles, ServedJob, error_info, unchanged
from rotulus.client.values import Schedule as ScheduleValue
from rotulus.client.values import Worker
from rotulus.client.webhooks import Webhooks
from rotulus.errors import (
    OptionError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    WebhookConflictError,
)
from rotulus.store import WorkerInfo

T = TypeVar("T")

_PAGE = 500
_NAMED = 12


class ServedQueues:
    """The queues of a service, with the verbs of `app.queues`.

    Args:
        queues: the queues of a client.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self.pause = queues.pause
        self.resume = queues.resume

    def list(self) -> list[QueueInfo]:
        """Returns the queues in which jobs wait or run, or that are paused, by name."""
        return [
            QueueInfo(one.name, dict(one.jobs), one.paused_at, one.age)
            for one in self._queues.list()
        ]


class ServedWorkers:
    """The workers of a service, with the verbs of `app.workers`.

    Args:
        workers: the workers of a client.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.running = workers.running

    def list(self) -> list[WorkerInfo]:
        """Returns the workers that are alive."""
        return list(map(_worker, self._workers.list()))

    def drain(self, *names: str) -> "list[WorkerInfo]":
        """Let workers take no more jobs, finish those they have, and end; returns them."""
        return [_worker(one) for one in self._workers.drain(*names)]


def _worker(one: Worker) -> WorkerInfo:
    return WorkerInfo(
        one.name,
        one.host,
        one.pid,
        one.queues,
        one.slots,
        one.started_at,
        one.seen_at,
        one.tasks,
        one.draining_at,
        one.version,
        one.rotulus,
        one.python,
        one.memory,
    )


class ServedSchedules:
    """The schedules of a service, with the verbs of `app.schedules`.

    Args:
        schedules: the schedules of a client.
        handles: makes handles of the jobs that they have fired.
    """

    def __init__(self, schedules: Schedules, handles: ServedHandles) -> None:
        self._schedules = schedules
        self._handles = handles

    def list(self) -> list[ScheduleInfo]:
        """Returns the schedules, by name."""
        return list(map(self._info, self._schedules.list()))

    def get(self, name: str) -> ScheduleInfo:
        """Returns a schedule. Raises `ScheduleNotFoundError`."""
        with self._found(name):
            return self._info(self._schedules.get(name))

    def instants(
        self, name: str, count: int = 5, after: datetime | None = None
    ) -> "list[datetime]":
        """Returns the next instants of a schedule, in its own zone."""
        zone = self.get(name).schedule.zone
        return [at.astimezone(zone) for at in self._schedules.instants(name, count, after)]

    def add(self, name: str, task: str, **options: Any) -> ScheduleInfo:
        """Add a schedule. See `app.schedules.add`."""
        return self._info(self._schedules.add(name, task, **options))

    def set(self, name: str, *, version: int | None = None, **changes: Any) -> ScheduleInfo:
        """Change a schedule. See `app.schedules.set`."""
        with self._found(name), unchanged(f"Schedule {name!r}", ScheduleConflictError):
            return self._info(self._schedules.set(name, version=version, **changes))

    def pause(self, name: str) -> ScheduleInfo:
        """Fire a schedule no more until it is resumed."""
        with self._found(name):
            return self._info(self._schedules.pause(name))

    def resume(self, name: str) -> ScheduleInfo:
        """Fire a schedule again, from now on."""
        with self._found(name):
            return self._info(self._schedules.resume(name))

    def remove(self, *names: str) -> None:
        """Remove schedules, once all of them were found."""
        for name in names:
            self.get(name)
        for name in names:
            self._schedules.remove(name)

    def run_now(self, name: str) -> ServedJob:
        """Store a job of a schedule now."""
        with self._found(name):
            return self._handles.get(self._schedules.run_now(name).id)

    def backfill(self, name: str, *span: Any, dry_run: bool = False) -> "list[datetime]":
        """Store a job for each instant of a time that is over. See `app.schedules.backfill`.

        Raises:
            OptionError: there are so many that the service does not name all of them.
        """
        with self._found(name):
            tried = self._schedules.backfill(name, *span, dry_run=True)
        if tried.count > len(tried.items):
            raise OptionError(
                f"These are {tried.count:,} instants, of which a service names {len(tried.items):,}"
                f": give --until, and do it in several parts. Nothing was done"
            )
        done = tried if dry_run else self._schedules.backfill(name, *span)
        return list(done.items)

    @contextmanager
    def _found(self, name: str) -> Generator[None, None, None]:
        """Say which schedules there are, where a block does not find the one of a name."""
        try:
            yield
        except ScheduleNotFoundError:
            known = [one.name for one in self._schedules.list()]
            raise ScheduleNotFoundError(
                f"There is no schedule {name!r} there{did_you_mean(name, known) or '.'} "
                f"Schedules there: {', '.join(known[:_NAMED]) or 'none'}"
            ) from None

    def _info(self, value: ScheduleValue) -> ScheduleInfo:
        schedule = _schedule(value)
        last = None
        if value.last_job is not None and value.last_state is not None:
            last = self._handles.named(value.last_job, value.task, value.last_state, value.last)
        following = None if value.next is None else value.next.astimezone(schedule.zone)
        return ScheduleInfo(
            name=value.name,
            schedule=schedule,
            next=following,
            last=last,
            task=value.task,
            origin="code" if value.origin == "code" else "added",
            state=cast("Standing", value.state),
            paused_at=value.paused_at,
            version=value.version,
            lag=value.lag,
        )


def _schedule(value: ScheduleValue) -> Schedule:
    """Returns what a schedule says; where this machine cannot read it, it has no instants."""
    names = ("cron", "timezone", "missed", "overlap", "start", "end", "spread")
    options = {name: getattr(value, name) for name in names}
    options["arguments"] = dict(value.arguments)
    try:
        return Schedule(**options)
    except OptionError as error:
        return Schedule.unreadable(str(error), **options)


class ServedFailures:
    """The failures of a service, with the verbs of `app.failures`.

    Args:
        failures: the failures of a client.
        handles: makes handles of jobs.
    """

    def __init__(self, failures: Failures, handles: ServedHandles) -> None:
        self._failures = failures
        self._handles = handles
        self.unmute = failures.unmute

    def groups(self, *, limit: int = 50, **where: Any) -> list[FailureGroup]:
        """Returns the groups of failures, the one that was seen last first."""
        return list(map(self._group, self._failures.groups(limit=limit, **where)))

    def get(self, fingerprint: str) -> FailureGroup:
        """Returns one group, with the error of its last job. Raises `JobNotFoundError`."""
        value = self._failures.get(fingerprint)
        return self._group(value, self._handles.get(value.example))

    def mute(self, fingerprint: str, **how: Any) -> MuteInfo:
        """Have a group be no news for a time. See `app.failures.mute`."""
        return _mute_info(self._failures.mute(fingerprint, **how))

    def latest(self, *, limit: int = 50) -> list[ServedJob]:
        """Returns the jobs that failed or died last."""
        return list(map(self._handles.handle, self._failures.latest(limit=limit)))

    def _group(self, value: FailureValue, example: ServedJob | None = None) -> FailureGroup:
        told = error_info(value.error)
        if example is None:
            task = value.tasks[0] if value.tasks else ""
            example = self._handles.named(value.example, task, State.FAILED, None)
        return FailureGroup(
            value.fingerprint,
            example.error or told,
            value.count,
            value.first_seen,
            value.last_seen,
            value.tasks,
            example,
            value.mute and _mute_info(value.mute),
        )


def _mute_info(mute: Mute) -> MuteInfo:
    return MuteInfo(mute.until, mute.muted_at, mute.muted_by, mute.note)


class ServedAudit(Audit):
    """The audit of a service, of which any number of entries is read."""

    def find(self, *, limit: int = 100, after: str | None = None, **where: Any) -> AuditPage:
        """Returns the entries that match, the last one first."""
        return AuditPage(*_read(super().find, limit, after, where))


class ServedWebhooks(Webhooks):
    """The webhooks of a service, of whose deliveries any number is read."""

    def set(self, name: str, *, version: int | None = None, **changes: Any) -> WebhookInfo:
        """Change a webhook; what is not given stays."""
        with unchanged(f"Webhook {name!r}", WebhookConflictError):
            return super().set(name, version=version, **changes)

    def deliveries(
        self, name: str | None = None, *, limit: int = 50, after: str | None = None, **where: Any
    ) -> DeliveryPage:
        """Returns deliveries, the last added first."""
        return DeliveryPage(*_read(super().deliveries, limit, after, {"name": name, **where}))


def _read(
    find: Callable[..., Page[T]], limit: int, after: str | None, where: dict[str, Any]
) -> tuple[list[T], str | None]:
    """Returns so many items that match, by as many requests as it takes, and how to go on."""
    found: list[T] = []
    while True:
        page = find(limit=min(_PAGE, limit - len(found)), after=after, **where)
        found += page
        after = page.next
        if after is None or len(found) >= limit:
            return found, after
