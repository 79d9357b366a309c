"""What a function asks for: its parameters with their annotations resolved, and where it stands."""

import inspect
import os
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

EMPTY: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter of a task.

    Attributes:
        name: its name.
        annotation: `str()` of the resolved type, such as `<class 'str'>`; None without one.
        default: `repr()` of the default, such as `'World'` with its quotes; None without one.
        required: whether a call has to give it.
    """

    name: str
    annotation: str | None
    default: str | None
    required: bool


@dataclass(frozen=True)
class TaskInfo:
    """What a task looks like from outside.

    Attributes:
        name: its name in the registry.
        docstring: the function's own docstring, or None.
        signature: the signature as text, annotations resolved: `(name: str = 'World') -> dict`.
        parameters: its parameters in order, without `*args` and `**kwargs`.
        tags: its tags, in the order given.
    """

    name: str
    docstring: str | None
    signature: str
    parameters: list[ParameterInfo]
    tags: list[str]


def describe(name: str, function: Callable[..., Any], tags: Sequence[str]) -> TaskInfo:
    """The `TaskInfo` of a function registered under a name."""
    signature = resolved_signature(function)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return TaskInfo(
        name=name,
        docstring=inspect.getdoc(function),
        signature=str(signature),
        parameters=[_parameter(p) for p in signature.parameters.values() if p.kind not in variable],
        tags=list(tags),
    )


def resolved_signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature with string annotations replaced by what they name, where they can be."""
    signature = inspect.signature(function)
    try:
        made_by = function.__init__ if isinstance(function, type) else function
        hints = typing.get_type_hints(made_by, include_extras=True)
    except Exception:  # noqa: BLE001 - a name that is only imported for type checkers, say
        return signature
    parameters = [
        p.replace(annotation=hints.get(p.name, p.annotation)) for p in signature.parameters.values()
    ]
    result = hints.get("return", signature.return_annotation)
    # A hint of None stands for NoneType; written, it reads None.
    result = None if result is type(None) else result
    return signature.replace(parameters=parameters, return_annotation=result)


def bare_type(annotation: Any) -> Any:
    """`T` of `T | None`, `Optional[T]` and `Annotated[T, ...]`; anything else as it is."""
    if get_origin(annotation) is Annotated:
        return bare_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        others = [part for part in get_args(annotation) if part is not type(None)]
        if len(others) == 1:
            return bare_type(others[0])
    return annotation


def site_of(function: Callable[..., Any]) -> str:
    """Where a function is defined, as `path:line`, relative to the current folder when below it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return f"{type(function).__module__}.{type(function).__qualname__}"
    here = f"{Path.cwd()}{os.sep}"
    return f"{str(code.co_filename).removeprefix(here)}:{code.co_firstlineno}"


def _parameter(parameter: inspect.Parameter) -> ParameterInfo:
    annotated = parameter.annotation is not EMPTY
    optional = parameter.default is not EMPTY
    return ParameterInfo(
        name=parameter.name,
        annotation=str(parameter.annotation) if annotated else None,
        default=repr(parameter.default) if optional else None,
        required=not optional,
    )
