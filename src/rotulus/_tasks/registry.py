"""The registry: the roll of tasks by name, in memory, frozen while an app serves it."""

import inspect
import threading
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from rotulus._forking import follow_forks
from rotulus._tasks.options import check_tags
from rotulus._tasks.signature import TaskInfo, is_generator
from rotulus._tasks.task import Task, TaskPort
from rotulus._text.names import check_url_safe_name, did_you_mean
from rotulus.errors import (
    DuplicateTaskError,
    NoAppError,
    RegistryFrozenError,
    TaskNotFoundError,
    TaskRegistrationError,
)

F = TypeVar("F", bound=Callable[..., Any])
AnyTask = Task[..., Any, Any]


class TaskRegistry:
    """Names and their tasks, in the order they were registered.

    Tasks declared with `@task` and `@scheduled` are in the global one, `rotulus.registry`, unless
    they are given another. A registry is open until an app serves it or `freeze()` is called;
    from then on its names do not change.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, AnyTask] = {}
        self._lock = threading.RLock()
        self._frozen = False
        self._served = 0
        self._desks: list[TaskPort] = []
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

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
        self.add(Task(body, name, self, tags=check_tags(tags), result="trust"))

    def add(self, task: AnyTask, *, replace: bool = False) -> AnyTask:
        """Register a task; the same function under the same name again changes nothing.

        Args:
            task: the task.
            replace: whether it takes the place of the same function under the same name.

        Returns:
            The task that is registered now: this one, or the one that was there.

        Raises:
            DuplicateTaskError: another function has the name; the message shows both places.
            RegistryFrozenError: the registry is in use.
            TaskRegistrationError: the function is a generator, whose result is not a value.
        """
        _check_body(task)
        with self.changing(task):
            present = self._tasks.setdefault(task.name, task)
            again = present.function is not task.function
            if again and not _is_typed_again(present, task):
                raise DuplicateTaskError(_duplicate(present, task))
            if replace or again:
                present = self._tasks[task.name] = task
            elif not present.is_declared_as(task):
                raise DuplicateTaskError(
                    f"Task {task.name!r} is registered already with other options: declare "
                    f"{task.site} once, or give one of the two another name"
                )
            with suppress(AttributeError, TypeError):  # built-in functions cannot be marked
                setattr(task.function, "__test__", False)  # noqa: B010 - not one of its own
            return present

    def unregister(self, name: str) -> AnyTask | None:
        """Remove a task, and give it; None when there was none of that name.

        Raises:
            RegistryFrozenError: the registry is in use.
        """
        with self.changing():
            return self._tasks.pop(name, None)

    def has(self, name: str) -> bool:
        """Whether a task of that name is registered."""
        with self._lock:
            return name in self._tasks

    def get(self, name: str) -> AnyTask:
        """The task of that name. Raises `TaskNotFoundError`, with the nearest name."""
        with self._lock:
            found = self._tasks.get(name)
            if found is not None:
                return found
            hint = did_you_mean(name, self._tasks)
        raise TaskNotFoundError(f"Task {name!r} not found in registry{hint}", name)

    def get_info(self, name: str) -> TaskInfo:
        """What the task of that name looks like. Raises `TaskNotFoundError`."""
        return self.get(name).info

    def list_all(self) -> list[str]:
        """All names, in the order they were registered."""
        with self._lock:
            return list(self._tasks)

    def list_by_tags(self, tags: Collection[str]) -> list[str]:
        """The names of the tasks that have all of these tags, in order of registration."""
        wanted = set(tags)
        return [task.name for task in self if wanted <= set(task.tags)]

    def clear(self) -> None:
        """Remove every task and open the registry again: for a module that is loaded anew.

        Raises:
            RegistryFrozenError: an app serves the registry now.
        """
        with self._lock:
            if self._served:
                raise RegistryFrozenError(
                    "The registry cannot be cleared while an app serves it: close the app first"
                )
            self._frozen = False
            self._tasks.clear()

    def freeze(self) -> None:
        """Let no name change from now on, until `clear()`."""
        with self._lock:
            self._frozen = True

    @property
    def frozen(self) -> bool:
        """Whether names cannot change at the moment."""
        return self._frozen or self._served > 0

    def __iter__(self) -> Iterator[AnyTask]:
        with self._lock:
            return iter(list(self._tasks.values()))

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, name: object) -> bool:
        return name in self._tasks

    def __repr__(self) -> str:
        return f"<TaskRegistry of {len(self)} tasks, {'frozen' if self.frozen else 'open'}>"

    @contextmanager
    def changing(self, added: AnyTask | None = None) -> Generator[None, None, None]:
        """Change the registry in a block: seen by others as a whole, undone if it raises.

        Args:
            added: the task that is registered, if it is one.

        Raises:
            RegistryFrozenError: the registry is in use.
        """
        with self._lock:
            if self.frozen:
                who = f", and task {added.name!r} ({added.site}) comes too late" if added else ""
                raise RegistryFrozenError(
                    f"The registry is frozen{who}: register every task before the app starts (an "
                    f"import that comes too late is the usual cause)"
                )
            before = dict(self._tasks)
            try:
                yield
            except BaseException:
                self._tasks = before
                raise

    @contextmanager
    def looking(self) -> Generator[None, None, None]:
        """Look at the registry in a block during which nobody changes it."""
        with self._lock:
            yield

    def port(self) -> TaskPort:
        """The app that is open for this registry. Raises `NoAppError`."""
        if self._desks:
            return self._desks[-1]
        raise NoAppError(
            "No app is open for this task: make one first, such as app = App('sqlite:///jobs.db')"
        )

    def attach(self, port: TaskPort, *, first: bool = True) -> None:
        """An app is open: tasks hand in their jobs there, at once or when the others are closed."""
        self._desks.insert(len(self._desks) if first else 0, port)

    def detach(self, port: TaskPort) -> None:
        """An app is closed."""
        self._desks = [other for other in self._desks if other is not port]

    def serve(self) -> None:
        """An app runs on the registry: it is frozen until `leave`."""
        with self._lock:
            self._served += 1

    def leave(self) -> None:
        """An app no longer runs on it."""
        with self._lock:
            self._served -= 1


registry = TaskRegistry()
"""The global registry, which `@task` and `@scheduled` fill."""


def _check_body(task: AnyTask) -> None:
    if is_generator(task.function):
        raise TaskRegistrationError(
            f"Task {task.name!r} is a generator, and a job needs one result: return a value "
            f"instead of yielding  ({task.site})"
        )


def _is_typed_again(present: AnyTask, task: AnyTask) -> bool:
    """Whether a function takes the place of one that was typed in: in a notebook, at a prompt."""
    old, new = present.function, task.function
    names = {(getattr(f, "__module__", ""), getattr(f, "__qualname__", "")) for f in (old, new)}
    code = getattr(inspect.unwrap(new), "__code__", None)
    typed = code is not None and not Path(code.co_filename).exists()
    return typed and len(names) == 1 and next(iter(names))[0] == "__main__"


def _duplicate(present: AnyTask, task: AnyTask) -> str:
    if present.site == task.site:
        return (
            f"Task {task.name!r} already registered, by {task.site} itself: its module was "
            f"loaded twice (run it as a module that others import, or clear() before a reload)"
        )
    return (
        f"Task {task.name!r} already registered: by {present.site}, and now by {task.site}; "
        f"give one of them another name"
    )
