"""Entry to an app: registry and schedule change together, or not at all.

The schedule is a view of the registry: every registered task that has one. So a task is in the
schedule if and only if it is in the registry, by construction. Only a scheduler outside of this
process, with a list of its own, can still refuse: it is asked inside the same change, and its
refusal undoes the change.
"""

from collections.abc import Callable
from typing import Any, Protocol, cast

from rotulus._tasks.arguments import Binder
from rotulus._tasks.injection import Injector
from rotulus._tasks.registry import AnyTask, TaskRegistry, registered_tasks, registry
from rotulus._tasks.signature import site_of
from rotulus._tasks.task import Task
from rotulus._text.names import check_task_name
from rotulus._time.schedule import Schedule
from rotulus.errors import ArgumentsError, OptionError, RotulusError, TaskRegistrationError


class Scheduler(Protocol):
    """A scheduler outside of this process, which keeps its own list of scheduled tasks."""

    def add(self, task: AnyTask) -> None:
        """Fire a task by its schedule from now on; the same again changes nothing.

        It raises to refuse, and must then not fire the task.
        """
        ...

    def remove(self, name: str) -> None:
        """Fire a task no more. A name it does not have changes nothing."""
        ...


class TaskProvider:
    """Registers tasks and schedules of one registry, each change as a whole.

    Args:
        registry: the registry; the global one unless given.
        scheduler: a scheduler outside of this process, if there is one.
        injector: what the app provides; parameters it fills need no argument.
    """

    def __init__(
        self,
        registry: TaskRegistry = registry,
        scheduler: Scheduler | None = None,
        injector: Injector | None = None,
    ) -> None:
        self.registry = registry
        self._tasks = registered_tasks(registry)
        self._scheduler = scheduler
        self._injector = injector or Injector()

    @property
    def schedule(self) -> dict[str, Schedule]:
        """The scheduled tasks by name, in the order they were registered."""
        with self._tasks.looking():
            return {task.name: task.schedule for task in self._tasks if task.schedule}

    def register_task(self, declared: Callable[..., Any]) -> AnyTask:
        """Register something declared with `@task` or `@scheduled`.

        Raises:
            TaskRegistrationError: it was not declared with either, or its name is taken.
        """
        task = self._read(declared, "register_task")
        if task.schedule is not None:
            return self.register_scheduled_task(declared)
        return self._tasks.add(task)

    def register_scheduled_task(self, declared: Callable[..., Any]) -> AnyTask:
        """Register and schedule something declared with `@scheduled`, as one change.

        It is validated first. If anything fails, registry and schedule are exactly as before,
        also if another task had the same name.

        Raises:
            TaskRegistrationError: it lacks a name or a cron expression, one of them is not valid,
                it cannot be called without arguments, its name is taken, or the scheduler
                refuses it; `RegistryFrozenError` when an app serves the registry.
        """
        task = self._read(declared, "register_scheduled_task")
        if task.schedule is None:
            raise TaskRegistrationError(
                f"register_scheduled_task: task {task.name!r} lacks _cron — use @task() for "
                f"non-scheduled handlers"
            )
        self._check_callable(task)
        with self._tasks.changing():
            registered = self._tasks.add(task, replace=True)
            self._schedule(registered)
        return registered

    def unregister(self, name: str) -> AnyTask | None:
        """Remove a task from registry and schedule, and give it; None when there was none."""
        with self._tasks.changing():
            removed = self._tasks.remove(name)
            if removed is not None and removed.schedule is not None and self._scheduler:
                self._scheduler.remove(name)
            return removed

    def check(self) -> None:
        """Schedule every scheduled task of the registry, as an app does before it starts.

        Raises:
            TaskRegistrationError: one of them cannot be; the scheduler has none of them then.
        """
        accepted: list[AnyTask] = []
        try:
            for task in self._tasks:
                if task.schedule is not None:
                    self._check_callable(task)
                    self._schedule(task)
                    accepted.append(task)
        except BaseException:
            for task in accepted:
                if self._scheduler:
                    self._scheduler.remove(task.name)
            raise

    def _read(self, declared: object, verb: str) -> AnyTask:
        """Returns the task that a decorated object stands for."""
        if isinstance(declared, Task):
            return cast("AnyTask", declared)
        name = getattr(declared, "_task_name", None)
        if name is None or not callable(declared):
            raise TaskRegistrationError(
                f"{verb}: object {declared!r} lacks _task_name (was @scheduled decorator applied "
                f"correctly?)"
            )
        cron = getattr(declared, "_cron", None)
        try:
            schedule = None if cron is None else Schedule(cron)
            return Task(declared, check_task_name(name), self._tasks, schedule=schedule)
        except OptionError as error:
            raise TaskRegistrationError(f"{verb}: {error}  ({site_of(declared)})") from error

    def _check_callable(self, task: AnyTask) -> None:
        """A schedule passes its own arguments and no others, so no others may be needed."""
        binder = Binder(task.function, self._injector.injected(task.function))
        passed = task.schedule.arguments if task.schedule else dict[str, Any]()
        needed = [name for name in binder.required() if name not in passed]
        if needed:
            raise TaskRegistrationError(
                f"Scheduled task {task.name!r} needs {', '.join(map(repr, needed))}, and a "
                f"schedule passes no arguments but its own: give defaults, or "
                f"@scheduled(arguments={{{needed[0]!r}: ...}})  ({task.site})"
            )
        if passed:
            try:
                binder.bind((), passed)
            except ArgumentsError as error:
                raise TaskRegistrationError(f"Scheduled task {task.name!r}: {error}") from None

    def _schedule(self, task: AnyTask) -> None:
        if self._scheduler is None:
            return
        try:
            self._scheduler.add(task)
        except RotulusError:
            raise
        except Exception as error:
            raise TaskRegistrationError(
                f"Task {task.name!r} could not be scheduled: {error}"
            ) from error
