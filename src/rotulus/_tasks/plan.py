"""The plan of a task, made once: how to bind its calls, fill it, and take its results."""

import inspect
from dataclasses import dataclass
from typing import Any

from rotulus._tasks.annotations import EMPTY
from rotulus._tasks.arguments import Binder
from rotulus._tasks.injected import INJECTED
from rotulus._tasks.injection import InjectionPlan, Injector
from rotulus._tasks.result import ResultType
from rotulus._tasks.signature import name_of, resolved_signature
from rotulus._tasks.task import Task


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """Everything about one task that needs its signature.

    Attributes:
        binder: binds and loads its calls.
        injection: how to fill the parameters that nobody passes.
        result: writes what it returns.
        completion: writes what `job.complete` is given, and reads either: a function that says it
            returns None says there what its job comes to.
        defaults: its parameters' defaults by name.
    """

    binder: Binder
    injection: InjectionPlan
    result: ResultType
    completion: ResultType
    defaults: dict[str, Any]


class Plans:
    """The plans of tasks, each made when it is first asked for.

    Args:
        injector: what fills their parameters.
        show_values: whether messages may hold arguments and results.

    Attributes:
        show_values: the same.
    """

    def __init__(self, injector: Injector, *, show_values: bool = False) -> None:
        self._injector = injector
        self.show_values = show_values
        self._plans: dict[tuple[object, ...], TaskPlan] = {}

    def of(self, task: Task[..., Any, Any]) -> TaskPlan:
        """Returns the plan of a task. Raises `InjectionError` when a parameter cannot be filled."""
        key = (task.function, task.filled, task.result)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = self._make(task)
        return found

    def forget(self) -> None:
        """Make them anew: something else is provided now."""
        self._plans.clear()

    def _make(self, task: Task[..., Any, Any]) -> TaskPlan:
        function = task.function
        injection = self._injector.plan(function)
        signature = resolved_signature(function)
        parameters = signature.parameters.values()
        returned, show = signature.return_annotation, self.show_values
        result = self._result(task, returned)
        return TaskPlan(
            binder=Binder(
                function, (*self._injector.injected(function), *task.filled), show_values=show
            ),
            injection=injection,
            result=result,
            completion=self._result(task, EMPTY) if returned is None else result,
            defaults={p.name: p.default for p in parameters if not _is_marked(p)},
        )

    def _result(self, task: Task[..., Any, Any], annotation: Any) -> ResultType:
        title = f"{name_of(task.function)}()"
        show = self.show_values
        return ResultType(title, task.site, annotation, task.result, show_values=show)


def _is_marked(parameter: inspect.Parameter) -> bool:
    """Returns whether a default is only a marker for the framework."""
    return parameter.default is EMPTY or parameter.default is INJECTED
