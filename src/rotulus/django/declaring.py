"""The Django tasks that this process has imported: those that its workers can run."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from rotulus import TaskRegistry, task
from rotulus.errors import RegistryFrozenError

Around = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes of the function of a task what is called in its place."""


class Declared(NamedTuple):
    """A Django task as it was declared.

    Attributes:
        task: the task of Django.
        function: what is called for its jobs.
        options: those of `rotulus.task`.
    """

    task: Any
    function: Callable[..., Any]
    options: Mapping[str, Any]


_LOCK = threading.RLock()
_DECLARED: dict[str, Declared] = {}
"""By their module path."""

_REGISTRIES: WeakKeyDictionary[TaskRegistry, Around | None] = WeakKeyDictionary()
"""Those that are kept up to date, one for each app."""


def declare(name: str, declared: Declared) -> None:
    """Let every app know a task; a later one of the same path replaces it.

    An app whose worker runs does not learn it any more.
    """
    with _LOCK:
        _DECLARED[name] = declared
        for registry, around in _REGISTRIES.items():
            with suppress(RegistryFrozenError):
                registry.unregister(name)
                _register(registry, name, declared, around)


def declared(name: str) -> Declared | None:
    """The Django task of a module path, if this process has imported it."""
    return _DECLARED.get(name)


def all_declared() -> dict[str, Declared]:
    """The Django tasks that this process has imported, by their module path."""
    with _LOCK:
        return dict(_DECLARED)


def registry_of_all(around: Around | None = None) -> TaskRegistry:
    """A registry of every Django task, those of later imports, too: each app has one of its own.

    Args:
        around: makes of the function of each task what is called in its place.
    """
    registry = TaskRegistry()
    with _LOCK:
        for name, one in _DECLARED.items():
            _register(registry, name, one, around)
        _REGISTRIES[registry] = around
    return registry


def around_of(registry: TaskRegistry) -> Around:
    """What makes of the function of a task what an app calls in its place."""
    return _REGISTRIES.get(registry) or _as_it_is


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _register(registry: TaskRegistry, name: str, one: Declared, around: Around | None) -> None:
    function = around(one.function) if around else one.function
    task(name, registry=registry, **one.options)(function)
