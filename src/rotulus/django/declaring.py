"""The Django tasks that this process has imported, and that its workers can run."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from rotulus import TaskRegistry, task
from rotulus.errors import RegistryFrozenError

Around = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Returns a function to call in the place of a task's function."""


class Declared(NamedTuple):
    """A Django task as it was declared.

    Attributes:
        task: the task of Django.
        function: the function that is called for its jobs.
        options: the options of `rotulus.task`.
    """

    task: Any
    function: Callable[..., Any]
    options: Mapping[str, Any]


_LOCK = threading.RLock()
_DECLARED: dict[str, Declared] = {}
"""The declared tasks, by their module path."""

_REGISTRIES: WeakKeyDictionary[TaskRegistry, Around | None] = WeakKeyDictionary()
"""The registries that are kept up to date, one for each app."""


def declare(name: str, declared: Declared) -> None:
    """Let every app know a task; a later one of the same path replaces it.

    An app with a running worker does not learn later tasks.
    """
    with _LOCK:
        _DECLARED[name] = declared
        for registry, around in _REGISTRIES.items():
            with suppress(RegistryFrozenError):
                registry.unregister(name)
                _register(registry, name, declared, around)


def declared(name: str) -> Declared | None:
    """Returns the Django task of a module path, if this process has imported it."""
    return _DECLARED.get(name)


def all_declared() -> dict[str, Declared]:
    """Returns the Django tasks that this process has imported, by their module path."""
    with _LOCK:
        return dict(_DECLARED)


def registry_of_all(around: Around | None = None) -> TaskRegistry:
    """Returns a registry of every Django task, also of later imports. Each app has its own.

    Args:
        around: wraps the function of each task.
    """
    registry = TaskRegistry()
    with _LOCK:
        for name, one in _DECLARED.items():
            _register(registry, name, one, around)
        _REGISTRIES[registry] = around
    return registry


def around_of(registry: TaskRegistry) -> Around:
    """Returns the wrapper of an app for the functions of tasks."""
    return _REGISTRIES.get(registry) or _as_it_is


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _register(registry: TaskRegistry, name: str, one: Declared, around: Around | None) -> None:
    function = around(one.function) if around else one.function
    task(name, registry=registry, **one.options)(function)
