"""The schedules of an app: listed, added, changed, paused, removed, and fired by hand."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Unpack

from rotulus._app.port import AppPort
from rotulus._app.resources.firing import Firing
from rotulus._app.resources.steering import steers
from rotulus._app.resources.stored_schedules import (
    Lookup,
    ScheduleChanges,
    ScheduleInfo,
    ScheduleOptions,
)
from rotulus._app.resources.where import check_text
from rotulus._concurrency.pool import off_loop
from rotulus._engine.followed import entry_of, shown_schedule_of
from rotulus._jobs.encrypted import check_readable
from rotulus._tasks.checks import check_options
from rotulus._tasks.task import Task
from rotulus._text.names import check_task_name
from rotulus._time.lengths import check_seconds
from rotulus._time.schedule import Schedule, is_interval, write_interval
from rotulus.errors import OptionError, ScheduleConflictError, ScheduleNotFoundError
from rotulus.store import ScheduleRow

ScheduleInfos = list[ScheduleInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""

_TRIES = 10

_CLEARED = ("start", "end")
"""What a schedule may have no more: None is a change of them."""


class Schedules(Firing):
    """`app.schedules`: what is fired when, each verb also with an `a` in front.

    Schedules live in the store. Those that code declares with `@scheduled` are changed in the code,
    and can be paused and run; others are added, changed and removed here. Every worker sees a
    change within two seconds, and none that has not seen it fires what was changed.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> ScheduleInfos:
        """Returns all schedules: those of the code as they were registered, then the others."""
        return Lookup(self._port()).all()

    def get(self, name: str) -> ScheduleInfo:
        """Returns the schedule of that name. Raises `ScheduleNotFoundError`."""
        return Lookup(self._port()).one(name)

    @steers("schedules.add")
    def add(
        self,
        name: str,
        *,
        task: str | Task[..., Any, Any],
        unchecked: bool = False,
        **options: Unpack[ScheduleOptions],
    ) -> ScheduleInfo:
        """Add a schedule, which fires from now on. A task may have several.

        Args:
            name: its name, unique in the store, made like that of a task.
            task: what it fires: a task, or its name.
            unchecked: also for a task that is not registered here, though others are.
            options: see `ScheduleOptions`; `cron` or `every` is needed.

        Raises:
            ScheduleConflictError: the name is taken.
            TaskNotFoundError: tasks are registered here, and none of that name.
            ArgumentsError: the arguments do not fit the task.
            OptionError: something else is not allowed.
        """
        port, known = self._port(), _name_of(task)
        check_task_name(name, "Schedule")
        check_options(options, ScheduleOptions.__annotations__)
        if options.get("cron") is None and options.get("every") is None:
            raise OptionError(
                f"Schedule {name!r} needs cron=, such as '30 9 * * 1-5', or every=, in seconds"
            )
        schedule = _merged({}, options)
        port.firings.check(known, schedule.arguments, unchecked=unchecked)
        entry, lookup = entry_of(name, schedule, known), Lookup(port)
        lookup.declare(name)
        row = port.store().schedules.add(entry)
        if row is None:
            raise ScheduleConflictError(
                f"There is a schedule {name!r} already: change it with "
                f"app.schedules.set({name!r}, ...), or give another name"
            )
        return lookup.info(row)

    @steers("schedules.set")
    def set(
        self,
        name: str,
        *,
        version: int | None = None,
        unchecked: bool = False,
        **changes: Unpack[ScheduleChanges],
    ) -> ScheduleInfo:
        """Change a schedule that was added; what is not given stays as it is.

        A change of its instants counts from now on: it does not fire for the time before.

        Args:
            name: its name.
            version: change it only if this is its version: nobody else has changed it since.
            unchecked: also to a task that is not registered here, though others are.
            changes: see `ScheduleChanges`.

        Raises:
            ScheduleNotFoundError: there is none of that name.
            ScheduleConflictError: it is declared in code, is of another version, or is changed by
                others all the time.
            OptionError: a change is not known or not allowed; `ArgumentsError`,
                `TaskNotFoundError`: as `add` raises them.
            CipherError: its task or arguments are to change, and the arguments that it has are
                encrypted, and cannot be decrypted here.
        """
        port = self._port()
        check_options(changes, ScheduleChanges.__annotations__)
        if not any(value is not None or name in _CLEARED for name, value in changes.items()):
            raise OptionError(
                f"Nothing to change of schedule {name!r}: give cron= or another option"
            )
        lookup, trusts = Lookup(port), unchecked or "task" not in changes
        for _ in range(_TRIES):
            row = lookup.added(name, "change")
            _check_version(row, version)
            task, schedule = _changed(row, changes)
            if {"task", "arguments"} & changes.keys():
                check_readable(row.arguments, f"The arguments of schedule {name!r}")
                port.firings.check(task, schedule.arguments, unchecked=trusts)
            changed = port.store().schedules.set(entry_of(name, schedule, task), row.version)
            if changed is not None:
                return lookup.info(changed)
        raise ScheduleConflictError(
            f"Schedule {name!r} was changed by others while it was being changed here, {_TRIES} "
            f"times in a row: look with app.schedules.get({name!r}) what they do, and try again"
        )

    @steers("schedules.pause")
    def pause(self, name: str) -> ScheduleInfo:
        """Fire a schedule no more until `resume`. Raises `ScheduleNotFoundError`.

        Its jobs go on. What is due meanwhile is not fired later.
        """
        return self._pause(name, paused=True)

    @steers("schedules.resume")
    def resume(self, name: str) -> ScheduleInfo:
        """Fire a schedule again, from now on. Raises `ScheduleNotFoundError`."""
        return self._pause(name, paused=False)

    @steers("schedules.remove")
    def remove(self, *names: str, version: int | None = None) -> None:
        """Remove schedules that were added, or that no code declares any more. Their jobs stay.

        If one of them cannot be removed, none is.

        Args:
            names: their names.
            version: remove them only if this is their version: nobody has changed them since.

        Raises:
            ScheduleNotFoundError: there is none of that name.
            ScheduleConflictError: it is declared in code, or of another version.
            OptionError: no schedule was named.
        """
        if not names:
            raise OptionError(
                "remove: which schedules? Name them, such as app.schedules.remove('nightly')"
            )
        port = self._port()
        lookup = Lookup(port)
        rows = [lookup.removable(name) for name in names]
        for row in rows:
            _check_version(row, version)
        for row in rows:
            stands = row.version
            while not port.store().schedules.remove(row.name, stands):
                if not port.store().schedules.read([row.name]):
                    break  # somebody else has removed it meanwhile
                changed = lookup.removable(row.name)
                _check_version(changed, version)
                stands = changed.version

    async def alist(self) -> ScheduleInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def aget(self, name: str) -> ScheduleInfo:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, name)

    async def aadd(
        self,
        name: str,
        *,
        task: str | Task[..., Any, Any],
        unchecked: bool = False,
        **options: Unpack[ScheduleOptions],
    ) -> ScheduleInfo:
        """`add`, without blocking the event loop."""
        return await off_loop(partial(self.add, name, task=task, unchecked=unchecked, **options))

    async def aset(
        self,
        name: str,
        *,
        version: int | None = None,
        unchecked: bool = False,
        **changes: Unpack[ScheduleChanges],
    ) -> ScheduleInfo:
        """`set`, without blocking the event loop."""
        change = partial(self.set, name, version=version, unchecked=unchecked, **changes)
        return await off_loop(change)

    async def apause(self, name: str) -> ScheduleInfo:
        """`pause`, without blocking the event loop."""
        return await off_loop(self.pause, name)

    async def aresume(self, name: str) -> ScheduleInfo:
        """`resume`, without blocking the event loop."""
        return await off_loop(self.resume, name)

    async def aremove(self, *names: str, version: int | None = None) -> None:
        """`remove`, without blocking the event loop."""
        await off_loop(partial(self.remove, *names, version=version))

    def _pause(self, name: str, *, paused: bool) -> ScheduleInfo:
        port = self._port()
        lookup = Lookup(port)
        row = lookup.row(name)
        changed = port.store().schedules.pause(row.name, paused)
        if changed is None:  # it was removed meanwhile
            raise ScheduleNotFoundError(f"There is no schedule {name!r} any more")
        return lookup.one(name)


def _check_version(row: ScheduleRow, version: int | None) -> None:
    if version is not None and row.version != version:
        raise ScheduleConflictError(
            f"Schedule {row.name!r} has been changed meanwhile, and is not of version {version} "
            f"any more: read it again with app.schedules.get({row.name!r})"
        )


def _name_of(task: str | Task[..., Any, Any]) -> str:
    return task.name if isinstance(task, Task) else check_task_name(task)


def _merged(old: Mapping[str, Any], given: Mapping[str, Any]) -> Schedule:
    """The schedule with these options in place of those of the old one.

    Args:
        old: what the old one says, with its expression; nothing of a new one.
        given: the options, with an expression or an interval, or with neither for the old one.
    """
    new = {name: value for name, value in given.items() if name not in ("cron", "every", "task")}
    cron, every = given.get("cron"), given.get("every")
    merged = {**old, **new}
    if cron is not None and every is not None:
        raise OptionError(f"cron={cron!r}, every={every!r}: give one of the two")
    if cron is not None:
        merged["cron"] = check_text("cron", cron)
    if every is not None:
        merged["cron"] = write_interval(every)
    if is_interval(merged["cron"]):
        if new.get("timezone", "UTC") != "UTC":
            raise OptionError(
                f"timezone={new['timezone']!r} beside {merged['cron']!r}: an interval has no time "
                f"zone"
            )
        merged["timezone"] = "UTC"
    if not isinstance(merged.get("arguments", {}), Mapping):
        raise OptionError(
            f"arguments={merged['arguments']!r} is not allowed: give them by name, such as "
            f"arguments={{'depth': 3}}"
        )
    if "spread" in merged:
        merged["spread"] = check_seconds(merged["spread"], "spread")
    return Schedule(**merged)


_KEPT = ("cron", "timezone", "missed", "overlap", "start", "end", "spread", "arguments")
"""What a schedule says."""


def _changed(row: ScheduleRow, changes: ScheduleChanges) -> tuple[str, Schedule]:
    """The task and the schedule that a stored one becomes."""
    old = shown_schedule_of(row.entry)
    task = _name_of(changes.get("task", row.task or row.name))
    return task, _merged({name: getattr(old, name) for name in _KEPT}, changes)
