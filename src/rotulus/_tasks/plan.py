"""What is worked out once for a task: how to bind its calls, fill it, and read its results."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydantic

from rotulus._tasks.arguments import Binder
from rotulus._tasks.injection import InjectionPlan, Injector
from rotulus._tasks.signature import EMPTY, resolved_signature
from rotulus._tasks.task import Task
from rotulus._text import jsontext


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """Everything about one task that needs its signature.

    Attributes:
        binder: binds and loads its calls.
        injection: how to fill the parameters that nobody passes.
        read_result: what it returned, from JSON text, in the type it says it returns.
        defaults: its parameters' defaults by name.
    """

    binder: Binder
    injection: InjectionPlan
    read_result: Callable[[str], Any]
    defaults: dict[str, Any]


class Plans:
    """The plans of tasks, each made when it is first asked for."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector
        self._plans: dict[tuple[Callable[..., Any], tuple[str, ...]], TaskPlan] = {}

    def of(self, task: Task[..., Any, Any]) -> TaskPlan:
        """The plan of a task. Raises `InjectionError` when a parameter cannot be filled."""
        key = (task.function, task.filled)
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
        asked = signature.parameters.values()
        return TaskPlan(
            binder=Binder(function, (*injection.parameters, *task.filled)),
            injection=injection,
            read_result=_reader(signature.return_annotation),
            defaults={p.name: p.default for p in asked if p.default is not EMPTY},
        )


def _reader(kind: Any) -> Callable[[str], Any]:
    """Reads results of a type; as plain JSON data where the type cannot be read back."""
    if kind in (EMPTY, None, Any, dict, list, str, int, bool):
        return jsontext.decode
    try:
        adapter = pydantic.TypeAdapter[Any](kind)
    except Exception:  # noqa: BLE001 - a result may be of a type that only goes out
        return jsontext.decode

    def read(text: str) -> Any:
        try:
            return adapter.validate_json(text)
        except pydantic.ValidationError:
            return jsontext.decode(text)

    return read
