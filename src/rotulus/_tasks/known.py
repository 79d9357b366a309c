"""The tasks that a process can run: those of its registry, and those of the framework itself."""

from collections.abc import Iterable

from rotulus._tasks.registered import AnyTask
from rotulus._tasks.registry import TaskRegistry


class KnownTasks:
    """The tasks of a registry, and the framework's own, which are in no list of tasks.

    Args:
        registry: the registry.
        own: the framework's own tasks. No other can have a name of theirs.
    """

    def __init__(self, registry: TaskRegistry, own: Iterable[AnyTask]) -> None:
        self._registry = registry
        self._own = {task.name: task for task in own}

    def has(self, name: str) -> bool:
        """Returns whether a task of that name can be run."""
        return name in self._own or self._registry.has(name)

    def get(self, name: str) -> AnyTask:
        """Returns the task of that name. Raises `TaskNotFoundError`, with the nearest name."""
        return self._own.get(name) or self._registry.get(name)

    def list_all(self) -> list[str]:
        """Returns all names, those of the registry first."""
        return [*self._registry.list_all(), *self._own]
