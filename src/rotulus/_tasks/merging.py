"""Merges the options of two decorators on one task: `@scheduled` over `@task`, or under it."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from typing import Any

from rotulus._tasks.options import JobOptions
from rotulus._tasks.task import Task
from rotulus.errors import OptionError

AnyTask = Task[..., Any, Any]


def merge(inner: AnyTask, outer: AnyTask) -> AnyTask:
    """One task with the options of both. Raises `OptionError` when both give the same one."""
    own = dict(_merged(inner, outer))
    return replace(outer, **own, options=JobOptions(**dict(_merged(inner.options, outer.options))))


def _merged(inner: Any, outer: Any) -> Iterator[tuple[str, Any]]:
    """Yields each option, from the fields of two values that have a default, with its value."""
    for field in fields(outer):
        if field.default is not MISSING and field.compare:
            yield field.name, _one(field.name, inner, outer, field.default)


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
