"""Annotations: each resolved by itself, and what is made of one before values are checked by it."""

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, cast, get_args, get_origin

EMPTY: Any = inspect.Parameter.empty

if sys.version_info >= (3, 14):  # annotations are evaluated when they are asked for
    from annotationlib import Format

    raw_signature = functools.partial(inspect.signature, annotation_format=Format.FORWARDREF)
else:
    raw_signature = inspect.signature


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An annotation that names what is not there, such as an import for type checkers only.

    Attributes:
        text: the annotation as it is written.
        problem: why it could not be resolved.
    """

    text: str
    problem: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def resolved(annotation: Any, names: Mapping[str, Any], local: Mapping[str, Any]) -> Any:
    """Returns the type that an annotation names.

    Args:
        annotation: an annotation, or its text.
        names: the names of the module where it stands.
        local: the names around it: what a closure keeps, and type parameters.

    Returns:
        The type, or `Unresolved`. None stays None.
    """
    if annotation is EMPTY or annotation is None:
        return annotation

    def holder() -> None: ...

    holder.__annotations__ = {"it": annotation}
    try:
        found = typing.get_type_hints(holder, dict(names), dict(local), include_extras=True)["it"]
    except Exception as error:  # noqa: BLE001 - the text of an annotation may do anything
        return Unresolved(_text(annotation), _problem(error))
    # A hint of None stands for NoneType; written, it reads None.
    return None if found is type(None) else found


def bare_type(annotation: Any) -> Any:
    """`T` of `T | None`, `Optional[T]` and `Annotated[T, ...]`; anything else as it is."""
    if get_origin(annotation) is Annotated:
        return bare_type(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        others = [part for part in get_args(annotation) if part is not type(None)]
        if len(others) == 1:
            return bare_type(others[0])
    return annotation


def materialised(annotation: Any) -> Any:
    """An annotation with `list` for `Iterable`: what pydantic makes of that can be read once."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in (Iterable, typing.Iterable):
        return list
    if origin is Iterable:
        return list[materialised(inner[0])]
    changed = tuple(map(materialised, inner)) if origin in _REBUILT else inner
    if all(one is other for one, other in zip(changed, inner, strict=True)):
        return annotation
    if origin is Annotated:
        return Annotated[changed[0], *annotation.__metadata__]
    if origin in _UNIONS:
        # Not Union[...]: typing keeps what it made in a cache, and there order does not matter.
        return functools.reduce(_either, changed)
    return cast("Any", origin)[changed]


def first_sentence(error: Exception) -> str:
    """Returns the first line of an error: pydantic adds advice about its configuration."""
    return (str(error) or type(error).__name__).splitlines()[0].split(". ")[0].rstrip(".")


def _either(one: Any, other: Any) -> Any:
    return one | other


_UNIONS = (Union, types.UnionType)
_REBUILT = (*_UNIONS, Annotated, list, dict, tuple, set, frozenset)


def _text(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return str(getattr(annotation, "__forward_arg__", None) or inspect.formatannotation(annotation))


def _problem(error: Exception) -> str:
    if isinstance(error, NameError):
        return (
            f"the name {error.name!r} cannot be resolved: import it where the module runs, not "
            f"for type checkers only"
        )
    return f"it cannot be resolved: {type(error).__name__}: {error}"


def namespace(function: Callable[..., Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Returns the names of the module of a function or class, and those around it."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    names = getattr(function, "__globals__", None) or getattr(module, "__dict__", {})
    parameters = {p.__name__: p for p in getattr(function, "__type_params__", ())}
    return names, parameters | _closure(function)


def _closure(function: Callable[..., Any]) -> dict[str, Any]:
    cells = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    kept: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            kept[name] = cell.cell_contents
        except ValueError:  # not set yet
            continue
    return kept
