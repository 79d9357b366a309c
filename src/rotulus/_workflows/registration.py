"""Registers a workflow: its tasks are in the registry together, or not at all."""

from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._workflows.tasks import StepTask, WorkflowTask, workflow_task
from rotulus._workflows.workflow import Step, Workflow
from rotulus.errors import WorkflowError


def register_workflow(workflow: Workflow, registry: TaskRegistry) -> WorkflowTask:
    """Register a workflow under its name, and its steps under theirs: `etl`, `etl.fetch`.

    It replaces the workflow that had the name, with its steps. Steps that are tasks or workflows
    in their own right keep their name; a workflow among them that nobody has registered is.

    Returns:
        The task that stands for the workflow.

    Raises:
        DuplicateTaskError: a task that is no workflow has one of the names.
        RegistryFrozenError: an app serves the registry.
        WorkflowError: a step is not registered here, or the workflow would be a step of itself.
    """
    tasks = registered_tasks(registry)
    with tasks.changing():
        _withdraw(workflow.name, registry)
        declared = workflow_task(workflow, registry)
        tasks.add(declared)
        for step in workflow.steps.values():
            _register_step(workflow, step, registry)
        _check_nesting(workflow, registry)
    return declared


def find(name: str, registry: TaskRegistry) -> Workflow | None:
    """Returns the workflow that is registered under a name, or None."""
    task = registry.get(name) if registry.has(name) else None
    return task.workflow if isinstance(task, WorkflowTask) else None


def _withdraw(name: str, registry: TaskRegistry) -> None:
    """Remove the workflow of that name, with the steps that are nobody else's."""
    old = find(name, registry)
    if old is None:
        return
    registry.unregister(name)
    for step in old.steps.values():
        if isinstance(step.task, StepTask) and registry.has(step.task.name):
            registry.unregister(step.task.name)


def _register_step(workflow: Workflow, step: Step, registry: TaskRegistry) -> None:
    task = step.task
    if isinstance(task, StepTask):
        registered_tasks(registry).add(task)
        return
    if registry.has(task.name):
        if isinstance(task, WorkflowTask) or registry.get(task.name).function is task.function:
            return
    elif isinstance(task, WorkflowTask):
        register_workflow(task.workflow, registry)
        return
    raise WorkflowError(
        f"Workflow {workflow.name!r}: step {step.id!r} runs the task {task.name!r} of "
        f"{task.site}, which is not in the registry of the workflow: register it there first"
    )


def _check_nesting(workflow: Workflow, registry: TaskRegistry) -> None:
    """No workflow is a step of its own steps."""
    paths = [(workflow.name, name) for name in _nested(workflow)]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        if path[-1] == workflow.name:
            raise WorkflowError(f"A workflow is a step of itself: {' → '.join(path)}")
        inner = find(path[-1], registry)
        if inner is not None and path[-1] not in seen:
            seen.add(path[-1])
            paths += [(*path, name) for name in _nested(inner)]


def _nested(workflow: Workflow) -> list[str]:
    tasks = [step.task for step in workflow.steps.values()]
    return [task.name for task in tasks if isinstance(task, WorkflowTask)]
