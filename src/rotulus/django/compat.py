"""Django's tasks, from `django.tasks` or `django_tasks`: the one module that knows both.

Django 6 has `django.tasks`. For older versions there is the package `django_tasks` with the same
shape; only the names of two errors differ.
"""

import logging
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING or django.VERSION < (6, 0):
    from django_tasks import task, task_backends
    from django_tasks.backends.base import BaseTaskBackend
    from django_tasks.backends.dummy import DummyBackend as DjangoDummyBackend
    from django_tasks.backends.immediate import ImmediateBackend as DjangoImmediateBackend
    from django_tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
    from django_tasks.exceptions import InvalidTaskBackendError as InvalidTaskBackend
    from django_tasks.exceptions import InvalidTaskError as InvalidTask
    from django_tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch
    from django_tasks.signals import task_enqueued, task_finished, task_started
else:
    from django.tasks import task, task_backends
    from django.tasks.backends.base import BaseTaskBackend
    from django.tasks.backends.dummy import DummyBackend as DjangoDummyBackend
    from django.tasks.backends.immediate import ImmediateBackend as DjangoImmediateBackend
    from django.tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
    from django.tasks.exceptions import (
        InvalidTask,
        InvalidTaskBackend,
        TaskResultDoesNotExist,
        TaskResultMismatch,
    )
    from django.tasks.signals import task_enqueued, task_finished, task_started

if TYPE_CHECKING:
    AnyTask = Task[..., Any]
    AnyResult = TaskResult[Any]
else:  # Django's own are not generic
    AnyTask = Task
    AnyResult = TaskResult

LOGGER = logging.getLogger(Task.__module__.rpartition(".")[0])
"""The name of Django's logger of tasks: `django.tasks`, or `django_tasks`."""

__all__ = [
    "AnyResult",
    "AnyTask",
    "BaseTaskBackend",
    "DjangoDummyBackend",
    "DjangoImmediateBackend",
    "InvalidTask",
    "InvalidTaskBackend",
    "LOGGER",
    "Task",
    "TaskContext",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultMismatch",
    "TaskResultStatus",
    "task",
    "task_backends",
    "task_enqueued",
    "task_finished",
    "task_started",
]
