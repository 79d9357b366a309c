"""Merges the options of two decorators on one task: `@scheduled` over `@task`, or under it."""

from dataclasses import MISSING, fields, replace
from typing import Any

from rotulus._tasks.options import Delivery
from rotulus._tasks.task import Task
from rotulus.errors import OptionError

AnyTask = Task[..., Any, Any]

_SAME = ("function", "name", "_home", "delivery")


def merge(inner: AnyTask, outer: AnyTask) -> AnyTask:
    """One task with the options of both. Raises `OptionError` when both give the same one."""
    options: dict[str, Any] = {
        field.name: _one(field.name, inner, outer, field.default)
        for field in fields(outer)
        if field.name not in _SAME and field.default is not MISSING
    }
    given = {
        field.name: _one(field.name, inner.delivery, outer.delivery, field.default)
        for field in fields(Delivery)
    }
    return replace(outer, **options, delivery=Delivery(**given))


def _one(option: str, inner: object, outer: object, usual: object) -> Any:
    """The value of an option that one of two gave, or both of them alike."""
    below, above = getattr(inner, option), getattr(outer, option)
    if above in (usual, below):
        return below
    if below == usual:
        return above
    raise OptionError(
        f"{option} is given twice for one task, as {below!r} and as {above!r}: leave one of them "
        f"out, or declare two tasks by giving one of the decorators another name="
    )
