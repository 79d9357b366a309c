"""What a client does to schedules: adds, changes, pauses, removes and fires them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from rotulus.client.calls import (
    Call,
    Since,
    arguments_of,
    data_of,
    if_match,
    nothing,
    path_of,
    query_of,
    reader,
)
from rotulus.client.values import Backfill, Job, Schedule
from rotulus.client.wire import Wire

_schedule, _job, _backfill = reader(Schedule), reader(Job), reader(Backfill)


class ScheduleOptions(TypedDict, total=False):
    """What a schedule says; those of `app.schedules.add`.

    Attributes:
        cron: five fields, or an alias such as `@daily`.
        every: seconds, in place of `cron`.
        timezone: an IANA zone name, in which the fields are read.
        arguments: what the task is called with, by name.
        missed: the instants to fire later at which no worker was running: `latest`, `skip`,
            `all(100)`.
        overlap: `allow`, or `skip`: no instant counts while an earlier job has not ended.
        start: no instant is before it; None: there is no start.
        end: no instant is after it; None: there is no end.
        spread: seconds within which each job is due after its instant.
        unchecked: also for a task that the service does not know.
    """

    cron: str
    every: int
    timezone: str
    arguments: Mapping[str, Any]
    missed: str
    overlap: str
    start: datetime | None
    end: datetime | None
    spread: float
    unchecked: bool


class ScheduleChanges(ScheduleOptions, total=False):
    """What changes of a schedule; what is not given stays.

    Attributes:
        task: the task that it fires.
    """

    task: str


class ScheduleVerbs:
    """Verbs for one schedule, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def add(self, name: str, task: str, **options: Unpack[ScheduleOptions]) -> Schedule:
        """Add a schedule, which fires from now on: with `cron` or `every`.

        Raises:
            OptionError: an option is not allowed.
            ScheduleConflictError: there is a schedule of that name.
            TaskNotFoundError: the service does not know the task; see `unchecked`.
        """
        return self._wire.send(_add(name, task, options))

    def set(
        self, name: str, *, version: int | None = None, **changes: Unpack[ScheduleChanges]
    ) -> Schedule:
        """Change a schedule that was added; what is not given stays.

        Args:
            name: its name.
            version: the version that is to be changed: where it is another one by now, a
                `ServiceError` is raised whose code is `changed_meanwhile`.
            changes: what changes.
        """
        return self._wire.send(_set(name, version, changes))

    def remove(self, name: str, *, version: int | None = None) -> None:
        """Remove a schedule that was added. Its jobs stay."""
        self._wire.send(_remove(name, version))

    def pause(self, name: str) -> Schedule:
        """Fire a schedule no more until it is resumed; what is due meanwhile is not fired later."""
        return self._wire.send(_verb(name, "$pause"))

    def resume(self, name: str) -> Schedule:
        """Fire a schedule again, from now on."""
        return self._wire.send(_verb(name, "$resume"))

    def run_now(self, name: str) -> Job:
        """Store a job of a schedule now, whatever its instants are, also while it is paused."""
        return self._wire.send(_run(name))

    def backfill(
        self, name: str, since: Since, until: Since | None = None, *, dry_run: bool = False
    ) -> Backfill:
        """Store a job for each instant of a time that is over, unless there is one already.

        Args:
            name: its name.
            since: from when.
            until: until when; now unless given.
            dry_run: change nothing, and say which instants it would be.
        """
        return self._wire.send(_fill(name, since, until, dry_run=dry_run))

    async def aadd(self, name: str, task: str, **options: Unpack[ScheduleOptions]) -> Schedule:
        """`add`, for coroutines."""
        return await self._wire.asend(_add(name, task, options))

    async def aset(
        self, name: str, *, version: int | None = None, **changes: Unpack[ScheduleChanges]
    ) -> Schedule:
        """`set`, for coroutines."""
        return await self._wire.asend(_set(name, version, changes))

    async def aremove(self, name: str, *, version: int | None = None) -> None:
        """`remove`, for coroutines."""
        await self._wire.asend(_remove(name, version))

    async def apause(self, name: str) -> Schedule:
        """`pause`, for coroutines."""
        return await self._wire.asend(_verb(name, "$pause"))

    async def aresume(self, name: str) -> Schedule:
        """`resume`, for coroutines."""
        return await self._wire.asend(_verb(name, "$resume"))

    async def arun_now(self, name: str) -> Job:
        """`run_now`, for coroutines."""
        return await self._wire.asend(_run(name))

    async def abackfill(
        self, name: str, since: Since, until: Since | None = None, *, dry_run: bool = False
    ) -> Backfill:
        """`backfill`, for coroutines."""
        return await self._wire.asend(_fill(name, since, until, dry_run=dry_run))


def _add(name: str, task: str, options: ScheduleOptions) -> Call[Schedule]:
    return Call("POST", "/schedules", _schedule, body=_body(options) | {"name": name, "task": task})


def _set(name: str, version: int | None, changes: ScheduleChanges) -> Call[Schedule]:
    path, headers = path_of("schedules", name), if_match(version)
    return Call("PATCH", path, _schedule, body=_body(changes), headers=headers)


def _remove(name: str, version: int | None) -> Call[None]:
    return Call("DELETE", path_of("schedules", name), nothing, headers=if_match(version))


def _verb(name: str, verb: str) -> Call[Schedule]:
    return Call("POST", path_of("schedules", name, verb), _schedule, repeatable=True)


def _run(name: str) -> Call[Job]:
    return Call("POST", path_of("schedules", name, "$run"), _job)


def _fill(name: str, since: Since, until: Since | None, *, dry_run: bool) -> Call[Backfill]:
    words = dict(query_of(since=since, until=until))
    path = path_of("schedules", name, "$backfill")
    return Call("POST", path, _backfill, body={**words, "dry_run": dry_run}, repeatable=True)


def _body(options: ScheduleOptions) -> dict[str, Any]:
    """Returns the JSON of options: a start or an end that is None is taken away."""
    arguments_of(options.get("arguments"))
    none = {name: None for name in ("start", "end") if options.get(name, "") is None}
    return data_of(**options) | none
