"""The registry: tasks by name, in memory, frozen while an app serves them."""

from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from typing import Any, TypeVar

from rotulus._tasks.checks import check_tags
from rotulus._tasks.registered import AnyTask, RegisteredTasks
from rotulus._tasks.signature import TaskInfo
from rotulus._tasks.task import Task
from rotulus._text.names import check_url_safe_name, did_you_mean
from rotulus.errors import TaskNotFoundError

F = TypeVar("F", bound=Callable[..., Any])


class TaskRegistry:
    """Names and their tasks, in the order they were registered.

    Tasks declared with `@task` and `@scheduled` are in the global one, `rotulus.registry`, unless
    they are given another. A registry is open until an app serves it or `freeze()` is called;
    from then on its names do not change.
    """

    def __init__(self) -> None:
        self._tasks = RegisteredTasks()

    def register(self, name: str, *, tags: Collection[str] = ()) -> Callable[[F], F]:
        """Decorate a function to register it; it stays the plain function it is.

        Several may be stacked on one function, for several names. Names given here are of one
        segment, which can stand in a URL; dotted ones are declared with `@task`. A result need not
        fit the annotation of the function, only JSON: `@task` has it checked.

        Raises:
            OptionError: the name is not URL-safe.
            DuplicateTaskError: another function has the name.
            RegistryFrozenError: the registry is in use.
        """
        check_url_safe_name(name)

        def decorate(function: F) -> F:
            self.register_function(name, function, tags=tags)
            return function

        return decorate

    def register_function(
        self, name: str, function: Callable[..., Any], *, tags: Collection[str] = ()
    ) -> None:
        """Register a function under a name. Raises what `register` raises."""
        check_url_safe_name(name)
        body = function.function if isinstance(function, Task) else function
        tasks = self._tasks
        tasks.add(Task(body, name, tasks, tags=check_tags(tags), result="trust"))

    def unregister(self, name: str) -> AnyTask | None:
        """Remove a task, and give it; None when there was none of that name.

        Raises:
            RegistryFrozenError: the registry is in use.
        """
        return self._tasks.remove(name)

    def has(self, name: str) -> bool:
        """Returns whether a task of that name is registered."""
        return self._tasks.find(name) is not None

    def get(self, name: str) -> AnyTask:
        """Returns the task of that name. Raises `TaskNotFoundError`, with the nearest name."""
        found = self._tasks.find(name)
        if found is not None:
            return found
        hint = did_you_mean(name, self.list_all())
        raise TaskNotFoundError(f"Task {name!r} not found in registry{hint}", name)

    def get_info(self, name: str) -> TaskInfo:
        """Returns the description of a task. Raises `TaskNotFoundError`."""
        return self.get(name).info

    def list_all(self) -> list[str]:
        """Returns all names, in the order they were registered."""
        return [task.name for task in self._tasks]

    def list_by_tags(self, tags: Collection[str]) -> list[str]:
        """Returns the names of the tasks that have all of these tags, in order of registration."""
        required = set(tags)
        return [task.name for task in self if required <= set(task.tags)]

    def clear(self) -> None:
        """Remove every task and open the registry again: for a module that is loaded anew.

        Raises:
            RegistryFrozenError: an app serves the registry now.
        """
        self._tasks.clear()

    def freeze(self) -> None:
        """Let no name change from now on, until `clear()`."""
        self._tasks.freeze()

    @property
    def frozen(self) -> bool:
        """Whether names cannot change at the moment."""
        return self._tasks.frozen

    def __iter__(self) -> Iterator[AnyTask]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has(name)

    def __repr__(self) -> str:
        return f"<TaskRegistry of {len(self)} tasks, {'frozen' if self.frozen else 'open'}>"


registry = TaskRegistry()
"""The global registry, which `@task` and `@scheduled` fill."""

registered_tasks: Callable[[TaskRegistry], RegisteredTasks] = attrgetter("_tasks")
"""Returns what is inside a registry: for decorators, workflows and apps, and not for users."""
