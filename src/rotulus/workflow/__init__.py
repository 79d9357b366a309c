"""Workflows: steps that hand a context on, declared beside the functions they run.

Each name is imported when it is first used, as those of `rotulus` are.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotulus._engine.steps.handle import TaskHandle
    from rotulus._workflows.context import Context
    from rotulus._workflows.drawing import layout, mermaid, svg
    from rotulus._workflows.merging import merge
    from rotulus._workflows.paths import is_branch, split_path
    from rotulus._workflows.trigger import (
        Trigger,
        all_done,
        all_of,
        all_succeeded,
        always,
        any_failed,
        any_of,
        any_succeeded,
        context_value,
        none_of,
        task_failed,
        task_skipped,
        task_success,
    )
    from rotulus._workflows.workflow import Step, Workflow
    from rotulus.errors import ContextError, WorkflowError
    from rotulus.workflow.builder import WorkflowBuilder
    from rotulus.workflow.config import DefaultRunnerConfig
    from rotulus.workflow.constructors import (
        get_workflow,
        list_workflows,
        register_workflow_constructor,
    )
    from rotulus.workflow.run import Run, WorkflowResult, watched
    from rotulus.workflow.runner import DefaultRunner
    from rotulus.workflow.steps import task

__all__ = [
    "Context",
    "ContextError",
    "DefaultRunner",
    "DefaultRunnerConfig",
    "Run",
    "Step",
    "TaskHandle",
    "Trigger",
    "Workflow",
    "WorkflowBuilder",
    "WorkflowError",
    "WorkflowResult",
    "all_done",
    "all_of",
    "all_succeeded",
    "always",
    "any_failed",
    "any_of",
    "any_succeeded",
    "context_value",
    "get_workflow",
    "is_branch",
    "layout",
    "list_workflows",
    "merge",
    "mermaid",
    "none_of",
    "register_workflow_constructor",
    "split_path",
    "svg",
    "task",
    "task_failed",
    "task_skipped",
    "task_success",
    "watched",
]

_HOMES = {
    "_engine.steps.handle": ("TaskHandle",),
    "_workflows.context": ("Context",),
    "_workflows.drawing": ("layout", "mermaid", "svg"),
    "_workflows.merging": ("merge",),
    "_workflows.paths": ("is_branch", "split_path"),
    "_workflows.trigger": (
        "Trigger",
        "all_done",
        "all_of",
        "all_succeeded",
        "always",
        "any_failed",
        "any_of",
        "any_succeeded",
        "context_value",
        "none_of",
        "task_failed",
        "task_skipped",
        "task_success",
    ),
    "_workflows.workflow": ("Step", "Workflow"),
    "errors": ("ContextError", "WorkflowError"),
    "workflow.builder": ("WorkflowBuilder",),
    "workflow.config": ("DefaultRunnerConfig",),
    "workflow.run": ("Run", "WorkflowResult", "watched"),
    "workflow.runner": ("DefaultRunner",),
    "workflow.constructors": (
        "get_workflow",
        "list_workflows",
        "register_workflow_constructor",
    ),
    "workflow.steps": ("task",),
}
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"rotulus.{home}"), name)
    if isinstance(value, type) and home != "errors":
        value.__module__ = __name__  # shown where users find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
