"""The filters of executions in the admin. No filter reads the table for its choices."""

from typing import Any

from django.contrib import admin
from django.db import router
from django.http import HttpRequest

from rotulus.django.backend import RotulusBackend
from rotulus.django.compat import TaskResultStatus, task_backends
from rotulus.django.declaring import all_declared
from rotulus.django.discovery import import_task_modules
from rotulus.django.models import TaskExecution
from rotulus.django.results import STATUSES


class DatabaseFilter(admin.SimpleListFilter):
    """Filters by database, if there are several: one at a time, the first unless chosen."""

    title = "database"
    parameter_name = "database"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the aliases; no choice if there is one database."""
        known = our_databases()
        return [(alias, alias) for alias in known] if len(known) > 1 else []

    def choices(self, changelist: Any) -> Any:
        """Returns the choices without "All": a query is for one database."""
        first, *others = list(super().choices(changelist))[1:]
        return [first | {"selected": first["selected"] or self.value() is None}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the executions in the database."""
        return queryset.using(self.value()) if self.value() in our_databases() else queryset


class StatusFilter(admin.SimpleListFilter):
    """Filters by the four statuses of Django, which stand for the states of jobs."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns all four."""
        return [(status.value, status.label) for status in TaskResultStatus]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the executions in the states of the status."""
        states = [state.value for state, status in STATUSES.items() if status.value == self.value()]
        return queryset.filter(state__in=states) if states else queryset


class TaskFilter(admin.SimpleListFilter):
    """Filters by the tasks of this process: reading the tasks of all rows would take long."""

    title = "task"
    parameter_name = "task_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the names of the tasks."""
        import_task_modules()
        return [(name, name) for name in sorted(all_declared())]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the executions of the task."""
        return queryset.filter(task_name=self.value()) if self.value() else queryset


class QueueFilter(admin.SimpleListFilter):
    """Filters by the queues that backends and tasks name, for the same reason."""

    title = "queue"
    parameter_name = "queue_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the names of the queues."""
        import_task_modules()
        known = {one.task.queue_name for one in all_declared().values()}
        known |= {name for backend in our_backends() for name in backend.queues}
        return [(name, name) for name in sorted(known)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 - Django's own
        """Returns the executions of the queue."""
        return queryset.filter(queue_name=self.value()) if self.value() else queryset


def our_databases() -> list[str]:
    """Returns the aliases of the databases with executions, in the order of our backends."""
    used = dict.fromkeys(backend.database for backend in our_backends())
    return list(used) or [router.db_for_read(TaskExecution)]


def our_backends() -> list[RotulusBackend]:
    """Returns the backends of `settings.TASKS` that are ours."""
    known = [task_backends[alias] for alias in task_backends.settings]
    return [backend for backend in known if isinstance(backend, RotulusBackend)]
