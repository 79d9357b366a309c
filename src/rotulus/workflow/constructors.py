"""Workflows by name: those that are registered, and those that can be constructed."""

from collections.abc import Callable

from rotulus import TaskRegistry
from rotulus import registry as global_registry
from rotulus._text.names import check_task_name, did_you_mean
from rotulus._workflows.registration import find, register_workflow
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Workflow
from rotulus.errors import OptionError, WorkflowError

Constructor = Callable[[], Workflow]

_constructors: dict[str, Callable[[], object]] = {}


def register_workflow_constructor(name: str, constructor: Constructor) -> None:
    """Remember how to make a workflow that is not registered until somebody asks for it.

    Args:
        name: its name.
        constructor: called without arguments, once; it returns the workflow. A later one of the
            same name replaces it.

    Raises:
        OptionError: the name is not allowed, or the constructor cannot be called.
    """
    check_task_name(name)
    if not callable(constructor):
        raise OptionError(f"The constructor of workflow {name!r} cannot be called: {constructor!r}")
    _constructors[name] = constructor


def get_workflow(name: str, registry: TaskRegistry = global_registry) -> Workflow:
    """Returns the workflow of that name: as it is registered, or constructed and registered now.

    Raises:
        WorkflowError: there is none of that name, or its constructor made something else.
        RegistryFrozenError: it would have to be registered, and an app serves the registry.
    """
    found = find(name, registry)
    if found is not None:
        return found
    if name not in _constructors:
        raise WorkflowError(_unknown(name, registry))
    made = _constructors[name]()
    if not isinstance(made, Workflow) or made.name != name:
        raise WorkflowError(
            f"The constructor of workflow {name!r} returned {made!r}: it has to return the "
            f"workflow of that name, such as builder.build()"
        )
    register_workflow(made, registry)
    return made


def list_workflows(registry: TaskRegistry = global_registry) -> list[Workflow]:
    """Returns the workflows that are registered, in the order in which they were."""
    return [task.workflow for task in registry if isinstance(task, WorkflowTask)]


def _unknown(name: str, registry: TaskRegistry) -> str:
    if registry.has(name):
        return f"{name!r} is a task and no workflow: enqueue it as it is"
    known = [workflow.name for workflow in list_workflows(registry)]
    hint = did_you_mean(name, [*known, *_constructors])
    return f"There is no workflow {name!r}{hint or '; was its module imported?'}"
