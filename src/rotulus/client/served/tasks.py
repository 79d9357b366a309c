"""The tasks of a service as a registry, and enqueues by name, as an app has them."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from rotulus import TaskInfo
from rotulus._text.names import did_you_mean
from rotulus.client.calls import get, path_of
from rotulus.client.served.handles import ServedHandles, ServedJob
from rotulus.client.tasks import Sender, Tasks
from rotulus.client.wire import Wire
from rotulus.errors import ArgumentsError, OptionError, TaskNotFoundError


class ServedTask(NamedTuple):
    """A task, with the place of its code."""

    name: str
    tags: Sequence[str]
    site: str


class ServedRegistry:
    """The tasks of a service, read once.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @cached_property
    def _known(self) -> dict[str, TaskInfo]:
        return {one.name: one for one in Tasks(self._wire).list()}

    def has(self, name: str) -> bool:
        """Whether there is a task of that name."""
        return name in self._known

    def list_all(self) -> list[str]:
        """Returns the names of all tasks."""
        return list(self._known)

    def list_by_tags(self, tags: Sequence[str]) -> list[str]:
        """Returns the names of the tasks with all of these tags."""
        return [name for name, one in self._known.items() if set(tags) <= set(one.tags)]

    def get_info(self, name: str) -> TaskInfo:
        """Returns the description of a task. Raises `TaskNotFoundError`."""
        if name not in self._known:
            hint = did_you_mean(name, self._known)
            raise TaskNotFoundError(f"Task {name!r} not found in {self._wire.url}{hint}", name)
        return self._known[name]

    def get(self, name: str) -> ServedTask:
        """Returns a task, with its place. Raises `TaskNotFoundError`."""
        info = self.get_info(name)
        read = get(path_of("tasks", name, "$details"), lambda body: str(body["site"] or ""))
        return ServedTask(info.name, info.tags, self._wire.send(read))

    def __iter__(self) -> Iterator[Any]:
        """Nothing: the functions of the tasks are elsewhere."""
        return iter(())


class ServedSender:
    """Enqueues by name, with options.

    Args:
        sender: the sender of a client.
        registry: the tasks.
        handles: makes handles of jobs.
    """

    def __init__(self, sender: Sender, registry: ServedRegistry, handles: ServedHandles) -> None:
        self._sender = sender
        self._registry = registry
        self._handles = handles

    def enqueue(self, name: str, /, *args: Any, **kwargs: Any) -> ServedJob:
        """Store a job of the task of that name.

        Raises:
            ArgumentsError: the arguments do not fit.
            TaskNotFoundError: there is no such task.
        """
        places = [one.name for one in self._registry.get_info(name).parameters] if args else []
        named = dict(zip(places, args, strict=False))
        if len(named) < len(args) or named.keys() & kwargs.keys():
            problem = f"{name} takes {len(places)} arguments by their place, each once"
            raise ArgumentsError(f"The arguments do not fit: {problem}", [problem])
        return self._handles.get(self._sender.enqueue(name, **named, **kwargs).id)


def refuse_unchecked(unchecked: bool) -> None:
    """Raise `OptionError` for an enqueue of a task that nobody checks."""
    if unchecked:
        raise OptionError(
            "A service stores jobs of the tasks that it knows only: leave --unchecked out, or give "
            "the URL of the store itself"
        )
