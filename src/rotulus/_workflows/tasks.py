"""The tasks of workflows: a step that takes a context, and the workflow itself."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Unpack

from rotulus._tasks.annotations import EMPTY
from rotulus._tasks.arguments import Call
from rotulus._tasks.options import UsingOptions
from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._tasks.signature import site_of
from rotulus._tasks.task import Task, patchable
from rotulus._workflows.workflow import Workflow
from rotulus.errors import OptionError, WorkflowError

HANDLES = ("handle", "task_handle")
"""The names by which a function asks for the handle of its step."""

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Takes:
    """How the function of a step takes its context and its handle.

    Attributes:
        context: the name of its first parameter, whatever that is.
        handle: the name of the parameter that takes the handle, if there is one.
        context_by_name: whether the context has to be passed by name.
        handle_by_name: whether the handle has to be.
    """

    context: str = "context"
    handle: str | None = None
    context_by_name: bool = False
    handle_by_name: bool = False


def takes(function: Callable[..., Any]) -> Takes:
    """How a function takes context and handle.

    The first parameter is the context. The handle is asked for by name: as the second parameter,
    or one that is passed by name only. Others are filled by their type, or have a default.

    Raises:
        OptionError: it takes no context, or a parameter that nobody can fill.
    """
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise OptionError(
            f"A step is given its context, and {_name(function)}() takes no argument: write "
            f"def {_name(function)}(context)  ({site_of(function)})"
        )
    first, *others = parameters
    handle = next((p for place, p in enumerate(others) if _is_handle(p, place)), None)
    for parameter in others:
        if parameter is not handle and not _is_filled(parameter):
            raise OptionError(_nobody_fills(function, parameter))
    return Takes(
        first.name,
        handle and handle.name,
        first.kind in _BY_NAME,
        handle is not None and handle.kind in _BY_NAME,
    )


@patchable
@dataclass(frozen=True, eq=False, kw_only=True)
class StepTask(Task[..., Any, Any]):
    """A task whose function takes a context, as steps of workflows do.

    Attributes:
        takes: how it takes context and handle.
    """

    takes: Takes

    @property
    def takes_handle(self) -> bool:
        """Whether it asks for its handle."""
        return self.takes.handle is not None

    @property
    def filled(self) -> tuple[str, ...]:
        """The parameters that are not filled by type: those of the context and the handle."""
        return tuple(name for name in (self.takes.context, self.takes.handle) if name)

    def arguments(self, context: object, handle: object = None) -> Call:
        """The call that gives the function its context, and its handle if it asks for one."""
        filled: list[tuple[str, bool, object]] = [
            (self.takes.context, self.takes.context_by_name, context)
        ]
        if self.takes.handle is not None:
            filled.append((self.takes.handle, self.takes.handle_by_name, handle))
        return Call(
            tuple(value for _, by_name, value in filled if not by_name),
            {name: value for name, by_name, value in filled if by_name},
        )


@patchable
@dataclass(frozen=True, eq=False, kw_only=True)
class WorkflowTask(Task[..., Any, Any]):
    """A workflow as a task: its arguments are the initial context, its result the final one.

    Attributes:
        workflow: the workflow.
    """

    workflow: Workflow

    @functools.cached_property
    def site(self) -> str:
        """Where the workflow is declared: `path:line`."""
        return self.workflow.site or site_of(self.function)

    def using(self, **options: Unpack[UsingOptions]) -> "WorkflowTask":
        """This workflow with other options for its next run; they hold for its beginning.

        Raises:
            OptionError: an option is not known, or cannot be heeded by a workflow.
        """
        limit = options.get("limit")
        if limit is not None:
            raise OptionError(
                f"limit={limit!r} is not allowed on workflow {self.name!r}: a run is "
                f"many jobs, and holds no place while they run. Give limit= to the task of a step, "
                f"or key= here, so that there is one run at a time"
            )
        return replace(self, options=self.options.using(options))


def workflow_task(workflow: Workflow, registry: TaskRegistry) -> WorkflowTask:
    """Returns the task that stands for a workflow in a registry."""
    body, tasks = _body(workflow), registered_tasks(registry)
    return WorkflowTask(body, workflow.name, tasks, workflow=workflow, schedule=workflow.schedule)


def _body(workflow: Workflow) -> Callable[..., Any]:
    def body(**context: Any) -> dict[str, Any]:
        _refuse(workflow.name, context)

    body.__name__ = body.__qualname__ = workflow.name
    body.__doc__ = workflow.description or None
    return body


def _refuse(name: str, context: dict[str, Any]) -> NoReturn:
    arguments = ", ".join(f"{key}=..." for key in context)
    raise WorkflowError(
        f"Workflow {name!r} cannot be called: it runs as jobs. Use .enqueue({arguments}), or "
        f"DefaultRunner(...).execute({name!r}, context)"
    )


def _is_handle(parameter: inspect.Parameter, place: int) -> bool:
    by_name = parameter.kind is inspect.Parameter.KEYWORD_ONLY
    return parameter.name in HANDLES and (place == 0 or by_name)


def _is_filled(parameter: inspect.Parameter) -> bool:
    return (
        parameter.kind in _VARIABLE
        or parameter.default is not EMPTY
        or parameter.annotation is not EMPTY
    )


def _nobody_fills(function: Callable[..., Any], parameter: inspect.Parameter) -> str:
    why = (
        "a handle is the second parameter, or one by name only"
        if parameter.name in HANDLES
        else "give it a default, or the type of something that is provided; the handle is the "
        "second parameter and called 'handle' or 'task_handle'"
    )
    return (
        f"Nobody fills the parameter {parameter.name!r} of {_name(function)}(): {why}  "
        f"({site_of(function)})"
    )


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
