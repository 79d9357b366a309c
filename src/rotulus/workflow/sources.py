"""The sources of steps: declared steps, tasks and workflows, themselves or by name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from rotulus import Task, TaskRegistry
from rotulus._tasks.registry import registered_tasks
from rotulus._text.names import did_you_mean
from rotulus._workflows.tasks import StepTask, workflow_task
from rotulus._workflows.workflow import Workflow
from rotulus.errors import WorkflowError
from rotulus.workflow.declared import Declared, declared_as, declared_ids, find_declared

AnyTask = Task[..., Any, Any]
Source = Declared | AnyTask
Addable = str | Callable[..., Any] | Workflow


def find_source(task: Addable, registry: TaskRegistry) -> Source:
    """Returns the source of a step. Raises `WorkflowError` for anything else."""
    if isinstance(task, str):
        return find_declared(task) or _registered(task, registry)
    if isinstance(task, Workflow):
        return workflow_task(task, registry)
    if isinstance(task, Task):
        return cast("AnyTask", task)
    found = declared_as(task) or _task_of(task, registry)
    if found is None:
        raise WorkflowError(
            f"{task!r} is neither a step nor a task: declare it with @task, or give the name of "
            f"one that is registered"
        )
    return found


def default_id(source: Source) -> str:
    """Returns the id of a step that was given none."""
    return source.id if isinstance(source, Declared) else source.name.rpartition(".")[2]


def task_for(source: Source, name: str, registry: TaskRegistry) -> AnyTask:
    """The task of a step: one of its own, under this name, or the one that is registered."""
    tasks = registered_tasks(registry)
    if isinstance(source, Declared):
        return StepTask(
            source.function,
            name,
            tasks,
            retry=source.retry,
            timeout=source.timeout,
            takes=source.takes,
        )
    if isinstance(source, StepTask):
        return replace(source, name=name, _home=tasks)
    return source


def _registered(name: str, registry: TaskRegistry) -> AnyTask:
    if registry.has(name):
        return registry.get(name)
    hint = did_you_mean(name, [*declared_ids(), *registry.list_all()])
    raise WorkflowError(
        f"{name!r} is neither the id of a declared step nor the name of a task"
        f"{hint or '; was it decorated with @task, and its module imported?'}"
    )


def _task_of(function: object, registry: TaskRegistry) -> AnyTask | None:
    return next((task for task in registry if task.function is function), None)
