"""Rotulus: declare a task once; then call it, queue it, schedule it.

Everything public is here; errors that are rarer are in `rotulus.errors`, events in
`rotulus.events`, the contract of stores in `rotulus.store`.
"""

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


def _show_at_the_root() -> None:
    """Let public classes name the place where users find them, not the private module."""
    for value in [globals()[name] for name in __all__]:
        if isinstance(value, type):
            value.__module__ = __name__


_show_at_the_root()
