"""The display of executions in the admin: columns and fields as escaped text, and filters.

No filter reads the table for its choices.
"""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import router
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from rotulus.django.backend import RotulusBackend
from rotulus.django.compat import TaskResultStatus, task_backends
from rotulus.django.declaring import all_declared
from rotulus.django.discovery import import_task_modules
from rotulus.django.models import TaskExecution
from rotulus.django.results import STATUSES

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[TaskExecution]
else:  # Django's own is not generic
    _ModelAdmin = admin.ModelAdmin


class ExecutionDisplays(_ModelAdmin):
    """The columns and fields that the model does not have."""

    @admin.display(description="status")
    def shown_status(self, execution: TaskExecution) -> str:
        """Returns the status, with the state if it says more."""
        status = execution.status
        plain = {"READY": "queued", "RUNNING": "running", "SUCCESSFUL": "succeeded"}
        usual = execution.state == plain.get(status, "failed")
        return status if usual else f"{status} ({execution.state})"

    @admin.display(description="arguments")
    def shown_arguments(self, execution: TaskExecution) -> str:
        """Returns the arguments by name, as JSON."""
        return _pre(json.dumps(json.loads(execution.plain_arguments), indent=2, ensure_ascii=False))

    @admin.display(description="labels")
    def shown_labels(self, execution: TaskExecution) -> str:
        """Returns the labels, as words."""
        words = [f"{name}={text}" for name, text in execution.labels.items()]
        return " ".join(words) or self.get_empty_value_display()

    @admin.display(description="result")
    def shown_result(self, execution: TaskExecution) -> str:
        """Returns the result, as JSON."""
        if execution.result is None:
            return self.get_empty_value_display()
        return _pre(json.dumps(execution.return_value, indent=2, ensure_ascii=False))

    @admin.display(description="traceback")
    def shown_traceback(self, execution: TaskExecution) -> str:
        """Returns the traceback of the last attempt."""
        return _pre(execution.error_traceback) if execution.error else ""

    @admin.display(description="history")
    def history(self, execution: TaskExecution) -> str:
        """Returns the changes of the status, the newest first."""
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    one.at and one.at.isoformat(" ", "seconds"),
                    " → ".join(filter(None, [one.from_status, one.to_status])),
                    ", ".join(f"{k}: {v}" for k, v in one.metadata.items() if v is not None),
                )
                for one in execution.history
            ),
        )
        return format_html("<table>{}</table>", rows)


def _pre(text: str) -> str:
    return format_html('<pre style="white-space: pre-wrap; margin: 0">{}</pre>', text)


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
