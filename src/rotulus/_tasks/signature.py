"""The signature of a function: its parameters with resolved annotations, and its place."""

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import FrameType
from typing import Any, cast

from rotulus._tasks.annotations import EMPTY, namespace, raw_signature, resolved

_LONGEST_SOURCE = 64 * 1024


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
    """The description of a task.

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
    """Returns the `TaskInfo` of a function registered under a name."""
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
    """Returns the signature of a callable, each annotation resolved by itself.

    An annotation that cannot be resolved is `Unresolved`; the others are not concerned.
    """
    signature = raw_signature(function)
    names, local = namespace(_written(function))
    parameters = [
        p.replace(annotation=resolved(p.annotation, names, local))
        for p in signature.parameters.values()
    ]
    result = resolved(signature.return_annotation, names, local)
    return signature.replace(parameters=parameters, return_annotation=result)


def name_of(function: Callable[..., Any]) -> str:
    """Returns the name of a callable in messages; without a name, that of its class."""
    return getattr(function, "__name__", type(function).__name__)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether what a callable returns has to be awaited: the callable itself, not what it wraps."""
    return _is(inspect.iscoroutinefunction, function)


def is_generator(function: Callable[..., Any]) -> bool:
    """Returns whether a callable yields: the callable itself, not what it wraps."""
    return _is(inspect.isgeneratorfunction, function) or _is(inspect.isasyncgenfunction, function)


def _is(question: Callable[[Any], bool], function: Callable[..., Any]) -> bool:
    bare = function
    while isinstance(bare, functools.partial):
        bare = cast("functools.partial[Any]", bare).func
    if question(bare):
        return True
    # An object is asked for its __call__; what a class makes is an object of it.
    return not inspect.isroutine(bare) and not isinstance(bare, type) and question(_call_of(bare))


def _call_of(value: object) -> Any:
    return getattr(type(value), "__call__", None)  # noqa: B004 - its function is looked at


def _written(function: Any) -> Callable[..., Any]:
    """Returns the function whose annotations a signature shows: they are read by its names."""
    bare = inspect.unwrap(function, stop=lambda it: hasattr(it, "__signature__"))
    while isinstance(bare, functools.partial):
        bare = inspect.unwrap(cast("functools.partial[Any]", bare).func)
    if isinstance(bare, type):
        maker = bare.__init__
        return maker if hasattr(maker, "__globals__") else bare
    if inspect.isroutine(bare):
        return getattr(bare, "__func__", bare)
    return inspect.unwrap(_call_of(bare))


def site_of(function: Callable[..., Any]) -> str:
    """Where a function is defined, as `path:line`, relative to the current folder when below it."""
    code = getattr(_written(function), "__code__", None)
    if code is None:
        return f"{type(function).__module__}.{type(function).__qualname__}"
    return _place(str(code.co_filename), code.co_firstlineno)


def source_of(function: Callable[..., Any]) -> str | None:
    """Returns the text of a function as its file has it, 64 Ki characters at most; or None."""
    try:
        return dedent(inspect.getsource(_written(function)))[:_LONGEST_SOURCE].rstrip()
    except (OSError, TypeError):  # there is no file, or it is no function of Python
        return None


def site_of_frame(frame: FrameType | None, outward: int) -> str:
    """Returns the place of a caller, frames outward, as `path:line`; "" if unknown."""
    for _ in range(outward):
        frame = None if frame is None else frame.f_back
    return "" if frame is None else _place(frame.f_code.co_filename, frame.f_lineno)


def _place(path: str, line: int) -> str:
    return f"{path.removeprefix(f'{Path.cwd()}{os.sep}')}:{line}"


def _parameter(parameter: inspect.Parameter) -> ParameterInfo:
    annotated = parameter.annotation is not EMPTY
    optional = parameter.default is not EMPTY
    return ParameterInfo(
        name=parameter.name,
        annotation=str(parameter.annotation) if annotated else None,
        default=repr(parameter.default) if optional else None,
        required=not optional,
    )
