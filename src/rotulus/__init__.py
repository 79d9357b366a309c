"""Rotulus: declare a task once; then call it, queue it, schedule it.

Everything public is here; rarer errors are in `rotulus.errors`, events in `rotulus.events`, and
the contract of stores in `rotulus.store`. Each name is imported when it is first used, so a
program pays only for what it takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotulus._app import App
    from rotulus._decorators import scheduled, task
    from rotulus._job import Attempt, Job, Progress
    from rotulus._outcome import ErrorInfo
    from rotulus._provider import TaskProvider
    from rotulus._registry import TaskRegistry, registry
    from rotulus._retry import Retry
    from rotulus._schedule import Schedule
    from rotulus._signals import Cancel, Snooze
    from rotulus._signature import ParameterInfo, TaskInfo
    from rotulus._states import State
    from rotulus._task import Task
    from rotulus.errors import (
        ArgumentsError,
        ConfigurationError,
        DuplicateTaskError,
        JobFailedError,
        RotulusError,
        TaskError,
        TaskNotFoundError,
        TaskRegistrationError,
    )

__version__ = "0.1.0"

__all__ = [
    "App",
    "ArgumentsError",
    "Attempt",
    "Cancel",
    "ConfigurationError",
    "DuplicateTaskError",
    "ErrorInfo",
    "Job",
    "JobFailedError",
    "ParameterInfo",
    "Progress",
    "Retry",
    "RotulusError",
    "Schedule",
    "Snooze",
    "State",
    "Task",
    "TaskError",
    "TaskInfo",
    "TaskNotFoundError",
    "TaskProvider",
    "TaskRegistrationError",
    "TaskRegistry",
    "registry",
    "scheduled",
    "task",
]

_HOMES = {
    "_app": ("App",),
    "_decorators": ("scheduled", "task"),
    "_job": ("Attempt", "Job", "Progress"),
    "_outcome": ("ErrorInfo",),
    "_provider": ("TaskProvider",),
    "_registry": ("TaskRegistry", "registry"),
    "_retry": ("Retry",),
    "_schedule": ("Schedule",),
    "_signals": ("Cancel", "Snooze"),
    "_signature": ("ParameterInfo", "TaskInfo"),
    "_states": ("State",),
    "_task": ("Task",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
}
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    if isinstance(value, type):
        value.__module__ = __name__  # shown where users find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
