"""Executions in Django's admin: to find by filters and search, to look at, retry and cancel.

Rows are read only. Changes go through the store, which knows the current worker of a job.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from rotulus import State
from rotulus._text.ids import is_id
from rotulus.django.admin_display import (
    DatabaseFilter,
    ExecutionDisplays,
    QueueFilter,
    StatusFilter,
    TaskFilter,
    our_databases,
)
from rotulus.django.app import app_of
from rotulus.django.models import TaskExecution

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:  # Django's own is not generic
    _Paginator = Paginator

_MOST_COUNTED = 10_000
"""The most rows that are counted: a page of a list is no reason to read millions."""

_MOST_AT_ONCE = 500
"""The most executions that are retried or cancelled at once."""

_SHOWN = 20
"""The most executions that the confirmation shows."""

_LONG = ("arguments", "result", "error", "progress")
"""Columns that a list does not read."""

_STATES = {
    "retry": (State.FAILED, State.DEAD, State.CANCELLED),
    "cancel": (State.BLOCKED, State.DELAYED, State.QUEUED, State.RUNNING),
}
"""The actions on executions, and their states."""


class BoundedPaginator(_Paginator):
    """Counts to 10,000, and shows no more than that: use filters to find older rows."""

    @cached_property
    def count(self) -> int:
        """The number of rows, up to that limit."""
        rows: Any = self.object_list
        return rows.order_by().values("pk")[:_MOST_COUNTED].count()


@admin.register(TaskExecution)
class TaskExecutionAdmin(ExecutionDisplays):
    """Executions: with the right to view, to look at; with the right to change, to steer."""

    list_display = (
        "task_name",
        "shown_status",
        "queue_name",
        "attempt",
        "enqueued_at",
        "started_at",
        "finished_at",
        "duration",
    )
    list_filter = (DatabaseFilter, StatusFilter, TaskFilter, QueueFilter, "enqueued_at")
    list_per_page = 50
    search_fields = ("task_name", "arguments", "error")
    search_help_text = "An id; or a part of the task's name, of the arguments or of the error"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    ordering = ("-id",)
    paginator = BoundedPaginator
    actions = ("retry_selected", "cancel_selected")
    fieldsets = (
        (None, {"fields": ("id", "shown_status", "state", "reason", "task_name", "queue_name")}),
        ("Times", {"fields": ("enqueued_at", "run_at", "started_at", "finished_at", "duration")}),
        ("Arguments and result", {"fields": ("shown_arguments", "shown_result")}),
        ("Error", {"fields": ("error_message", "shown_traceback")}),
        ("Attempts", {"fields": ("attempt", "failures", "worker", "history")}),
        (
            "More",
            {"fields": ("priority", "key", "schedule", "shown_labels"), "classes": ("collapse",)},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Returns all executions of the first database; lists do not read long columns."""
        found: Any = super().get_queryset(request).using(our_databases()[0])
        match = request.resolver_match
        is_list = match is not None and str(match.url_name).endswith("_changelist")
        return found.defer(*_LONG) if is_list else found

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Returns the execution of an id, or those with the words in the searched columns."""
        if is_id(search_term.strip()):
            return queryset.filter(pk=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term)

    def get_object(
        self,
        request: HttpRequest,
        object_id: str,
        from_field: Any = None,  # noqa: ARG002 - executions are found by id only
    ) -> Any:
        """Returns the execution of an id, from any database; None if the text is no id."""
        return self._of_id(request, object_id).first() if is_id(object_id) else None

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        """Returns False: tasks are enqueued instead."""
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        """Returns False: rows are not edited."""
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        """Returns False: jobs are pruned instead."""
        return False

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Users with the right to change executions may retry and cancel them."""
        return super().has_change_permission(request)

    def get_urls(self) -> list[Any]:
        """Returns Django's URLs, and the confirmations for one execution."""
        own = [
            path(
                f"<path:object_id>/{verb}/",
                self.admin_site.admin_view(self._view(verb)),
                name=f"rotulus_taskexecution_{verb}",
            )
            for verb in _STATES
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one execution, with its actions."""
        found = self.get_object(request, object_id)
        offered = [
            verb
            for verb, states in _STATES.items()
            if found and found.state in states and self.has_steer_permission(request)
        ]
        context = {**(extra_context or {}), "offered": offered}
        return super().change_view(request, object_id, form_url, context)

    @admin.action(description="Retry selected executions", permissions=["steer"])
    def retry_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask, and then send executions back to their queues."""
        return self._steer(request, queryset, "retry")

    @admin.action(description="Cancel selected executions", permissions=["steer"])
    def cancel_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask, and then cancel executions."""
        return self._steer(request, queryset, "cancel")

    def _of_id(self, request: HttpRequest, object_id: str) -> Any:
        """Returns the executions of an id, from the database that has it: an id is in one only."""
        every = [self.get_queryset(request).using(alias) for alias in our_databases()]
        found = [one.filter(pk=object_id) for one in every]
        return next((one for one in found[:-1] if one.exists()), found[-1])

    def _view(self, verb: str) -> Callable[..., HttpResponse]:
        def confirm(request: HttpRequest, object_id: str) -> HttpResponse:
            if not is_id(object_id):
                raise Http404
            answer = self._steer(request, self._of_id(request, object_id), verb)
            place = reverse("admin:rotulus_taskexecution_change", args=[object_id])
            return answer or HttpResponseRedirect(place)

        return confirm

    def _steer(self, request: HttpRequest, queryset: Any, verb: str) -> HttpResponse | None:
        """Ask for a confirmation; after it, act and report."""
        if not self.has_steer_permission(request):
            raise PermissionDenied
        able = queryset.filter(state__in=_STATES[verb])[:_MOST_AT_ONCE]
        if request.POST.get("confirmed"):
            self._do(request, list(able), verb)
            return None
        return TemplateResponse(
            request, "admin/rotulus/taskexecution/confirm.html", self._question(request, able, verb)
        )

    def _question(self, request: HttpRequest, able: Any, verb: str) -> dict[str, Any]:
        found = list(able)
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,  # noqa: SLF001 - the admin's templates need it
            "title": _("Are you sure?"),
            "verb": verb,
            "executions": found[:_SHOWN],
            "count": len(found),
            "further": max(0, len(found) - _SHOWN),
            "ids": [execution.pk for execution in found],
            "checkbox": ACTION_CHECKBOX_NAME,
            "media": self.media,
        }

    def _do(self, request: HttpRequest, able: Sequence[TaskExecution], verb: str) -> None:
        """Retry or cancel through the store, which leaves changed executions alone."""
        ids = [execution.pk for execution in able]
        done = self._done(request.user.get_username(), able[0].database, verb, ids) if ids else []
        word = {"retry": "sent back to the queue", "cancel": "cancelled"}[verb]
        changed = {job.id for job in done}
        for execution in able:
            if execution.pk in changed:
                self.log_change(request, execution, word)
        text = f"{len(changed)} {'execution' if len(changed) == 1 else 'executions'} {word}."
        self.message_user(request, text, messages.SUCCESS if changed else messages.WARNING)

    def _done(self, user: str, database: str, verb: str, ids: Sequence[str]) -> Sequence[Any]:
        app = app_of(database)
        with app.acting_as(user, door="django"):
            return getattr(app.jobs, verb)(*ids)
