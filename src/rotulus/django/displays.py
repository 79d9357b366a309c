"""The display of executions in the admin: every value as escaped text."""

import json
from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from rotulus.django.models import TaskExecution

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
        return _pre(json.dumps(json.loads(execution.arguments), indent=2, ensure_ascii=False))

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
