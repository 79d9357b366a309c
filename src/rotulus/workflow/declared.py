"""Declared steps, and how they are found again: in a block, by function, by id."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from rotulus import Retry
from rotulus._tasks.signature import site_of
from rotulus._workflows.tasks import Takes
from rotulus._workflows.trigger import Trigger
from rotulus._workflows.workflow import Callback
from rotulus.errors import WorkflowError

Function = Callable[..., Any]
Dependency = str | Function

_MARK = "__rotulus_step__"
"""The attribute of a function that says which step it was declared as."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Declared:
    """A step that belongs to no workflow yet.

    Attributes:
        id: its id, unless it is added under another one.
        function: what it runs.
        takes: how the function takes context and handle.
        dependencies: ids of steps, or their functions.
        retry: its retry policy, or None for the app's.
        timeout: seconds, or None.
        trigger: as in `Step`; the others too.
    """

    id: str
    function: Function
    takes: Takes
    dependencies: Sequence[Dependency] = ()
    retry: Retry | None = None
    timeout: float | None = None
    trigger: Trigger | None = None
    for_each: str | None = None
    on_success: Callback | None = None
    on_failure: Callback | None = None


class Block(Protocol):
    """A block in which steps are declared."""

    def take(self, declared: Declared) -> None:
        """A step was declared in it."""
        ...


_open: ContextVar[tuple[Block, ...]] = ContextVar("rotulus_workflow_blocks", default=())
"""The blocks that are open here, the innermost last."""

_roll: dict[str, dict[str, Declared]] = {}
"""Steps declared outside of any block: by id, and by module; the last of a module counts."""


def open_block(block: Block) -> None:
    """Steps declared from now on belong to this block."""
    _open.set((*_open.get(), block))


def close_block(block: Block) -> None:
    """Steps no longer belong to this block."""
    _open.set(tuple(other for other in _open.get() if other is not block))


def declare(declared: Declared) -> None:
    """Give a step to the block it stands in, or keep it to be added by its id."""
    with suppress(AttributeError, TypeError):  # not everything that can be called can be marked
        setattr(declared.function, _MARK, declared)
    blocks = _open.get()
    if blocks:
        blocks[-1].take(declared)
    else:
        module = getattr(declared.function, "__module__", "")
        _roll.setdefault(declared.id, {})[module] = declared


def declared_as(function: object) -> Declared | None:
    """Returns the step that a function was declared as; None when it was not."""
    found = getattr(function, _MARK, None)
    # functools.wraps copies the mark to functions that were not declared themselves.
    return found if isinstance(found, Declared) and found.function is function else None


def find_declared(step_id: str) -> Declared | None:
    """Returns the step that was declared outside of any block under an id.

    Raises:
        WorkflowError: several modules declared one.
    """
    found = list(_roll.get(step_id, {}).values())
    if len(found) > 1:
        sites = ", ".join(site_of(declared.function) for declared in found)
        raise WorkflowError(
            f"Step {step_id!r} was declared in several modules ({sites}): add the function itself"
        )
    return found[0] if found else None


def declared_ids() -> list[str]:
    """Returns the ids of all steps that were declared outside of any block."""
    return list(_roll)
