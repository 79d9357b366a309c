"""The filters of executions in the admin: none of them reads the table to say what it offers."""

from typing import Any

from django.contrib import admin
from django.db import router
from django.http import HttpRequest

from rotulus.django.backend import RotulusBackend
from rotulus.django.compat import TaskResultStatus, task_backends
from rotulus.django.declaring import all_declared
from rotulus.django.discovery import import_task_modules
from rotulus.django.models import TaskExecution
from rotulus.django.statuses import STATUSES


class DatabaseFilter(admin.SimpleListFilter):
    """By database, where jobs live in several: one of them at a time, the first unless chosen."""

    title = "database"
    parameter_name = "database"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """Their aliases; nothing to choose where there is one."""
        known = our_databases()
        return [(alias, alias) for alias in known] if len(known) > 1 else []

    def choices(self, changelist: Any) -> Any:
        """Those, without "All": a query is about one database."""
        first, *others = list(super().choices(changelist))[1:]
        return [first | {"selected": first["selected"] or self.value() is None}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Those in the database."""
        return queryset.using(self.value()) if self.value() in our_databases() else queryset


class StatusFilter(admin.SimpleListFilter):
    """By the four statuses of Django, which stand for the states of jobs."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """All four."""
        return [(status.value, status.label) for status in TaskResultStatus]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Those in the states of the status."""
        states = [state.value for state, status in STATUSES.items() if status.value == self.value()]
        return queryset.filter(state__in=states) if states else queryset


class TaskFilter(admin.SimpleListFilter):
    """By task: those that this process knows, as reading those of all rows would take long."""

    title = "task"
    parameter_name = "task_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """The names of the tasks."""
        import_task_modules()
        return [(name, name) for name in sorted(all_declared())]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Those of the task."""
        return queryset.filter(task_name=self.value()) if self.value() else queryset


class QueueFilter(admin.SimpleListFilter):
    """By queue: those that backends and tasks name, for the same reason."""

    title = "queue"
    parameter_name = "queue_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """The names of the queues."""
        import_task_modules()
        known = {one.task.queue_name for one in all_declared().values()}
        known |= {name for backend in our_backends() for name in backend.queues}
        return [(name, name) for name in sorted(known)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Those of the queue."""
        return queryset.filter(queue_name=self.value()) if self.value() else queryset


def our_databases() -> list[str]:
    """The aliases of the databases that executions are in, in the order of our backends."""
    used = dict.fromkeys(backend.database for backend in our_backends())
    return list(used) or [router.db_for_read(TaskExecution)]


def our_backends() -> list[RotulusBackend]:
    """The backends of `settings.TASKS` that are ours."""
    known = [task_backends[alias] for alias in task_backends.settings]
    return [backend for backend in known if isinstance(backend, RotulusBackend)]
