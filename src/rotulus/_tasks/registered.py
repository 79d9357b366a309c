"""The content of a registry: its tasks, whether they may change, and the apps that serve them."""

import inspect
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from rotulus._forking import follow_forks
from rotulus._tasks.signature import is_generator
from rotulus._tasks.task import Task, TaskPort
from rotulus.errors import (
    DuplicateTaskError,
    NoAppError,
    RegistryFrozenError,
    TaskRegistrationError,
)

AnyTask = Task[..., Any, Any]

OWN = "rotulus."
"""How the names of the framework's own tasks begin, which are in no registry."""


class RegisteredTasks:
    """The tasks of one registry, as decorators, workflows and apps use them.

    `TaskRegistry` is what users see of it. The tasks are open until an app serves them, or until
    they are frozen.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, AnyTask] = {}
        self._lock = threading.RLock()
        self._frozen = False
        self._served = 0
        self._ports: list[TaskPort] = []
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

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
            TaskRegistrationError: the name is one of the framework's own; or the function is a
                generator, whose result is not a value.
        """
        _check_name(task)
        _check_body(task)
        with self.changing(task):
            present = self._tasks.setdefault(task.name, task)
            again = present.function is not task.function
            if again and not _is_typed_again(present, task):
                raise DuplicateTaskError(_duplicate(present, task))
            if replace or again:
                present = self._tasks[task.name] = task
            elif not _is_same_declaration(present, task):
                raise DuplicateTaskError(
                    f"Task {task.name!r} is registered already with other options: declare "
                    f"{task.site} once, or give one of the two another name"
                )
            with suppress(AttributeError, TypeError):  # built-in functions cannot be marked
                setattr(task.function, "__test__", False)  # noqa: B010 - not one of its own
            return present

    def remove(self, name: str) -> AnyTask | None:
        """Remove a task; returns the task, or None. Raises `RegistryFrozenError`."""
        with self.changing():
            return self._tasks.pop(name, None)

    def find(self, name: str) -> AnyTask | None:
        """Returns the task of that name, or None."""
        with self._lock:
            return self._tasks.get(name)

    def clear(self) -> None:
        """Remove every task and open the registry again. Raises `RegistryFrozenError`."""
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

    @contextmanager
    def changing(self, added: AnyTask | None = None) -> Generator[None, None, None]:
        """Change the tasks in a block: seen by others as a whole, undone if it raises.

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
        """Look at the tasks in a block during which nobody changes them."""
        with self._lock:
            yield

    def serve(self) -> None:
        """An app runs on the tasks: they are frozen until `leave`."""
        with self._lock:
            self._served += 1

    def leave(self) -> None:
        """An app no longer runs on them."""
        with self._lock:
            self._served -= 1

    def attach(self, port: TaskPort, *, first: bool = True) -> None:
        """An app is open: tasks hand in their jobs there, at once or when the others are closed."""
        self._ports.insert(len(self._ports) if first else 0, port)

    def detach(self, port: TaskPort) -> None:
        """An app is closed."""
        self._ports = [other for other in self._ports if other is not port]

    def port(self) -> TaskPort:
        """Returns the port of the app that is open for these tasks. Raises `NoAppError`."""
        if self._ports:
            return self._ports[-1]
        raise NoAppError(
            "No app is open for this task: make one first, such as app = App('sqlite:///jobs.db')"
        )


def _check_name(task: AnyTask) -> None:
    if task.name.startswith(OWN):
        raise TaskRegistrationError(
            f"Task name {task.name!r} is not allowed: names that begin with {OWN!r} are those of "
            f"tasks of Rotulus itself; choose another one  ({task.site})"
        )


def _check_body(task: AnyTask) -> None:
    if is_generator(task.function):
        raise TaskRegistrationError(
            f"Task {task.name!r} is a generator, and a job needs one result: return a value "
            f"instead of yielding  ({task.site})"
        )


def _is_same_declaration(present: AnyTask, task: AnyTask) -> bool:
    """Returns whether the two have the same options, wherever they are registered."""
    said = [field.name for field in fields(present) if field.compare and field.name != "_home"]
    return all(getattr(present, name) == getattr(task, name) for name in said)


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
